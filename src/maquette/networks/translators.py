"""Translators: fully convolutional networks from a picture to a picture of the same size.

The residual one is CycleGAN's (Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016). Notable
is the choice of a start at the identity: the network then says what to change and where, and begins
with a translation no worse than none, which is what small sets and little time need.
"""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images
from maquette.networks.instance_norm import InstanceNorm

Upsampling = Literal["transposed", "resize"]
Start = Literal["identity", "random"]
Features = Float[Tensor, "batch _ _ _"]  # (B, features, rows, columns), sizes differ by layer
_KERNEL_OF_CHANGE = 3
MULTIPLE_PX = 4  # what both sides of a picture are padded to: two halvings


class ResidualBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), reflected at the borders."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.body(x)
        return x + changed


class Translator(nn.Module, ABC):
    """A network from pictures to pictures of the same size."""

    @abstractmethod
    def forward(self, images: Images) -> Images: ...

    def begin(self) -> None:
        """Weights from N(0, 0.02) (Zhu et al. 2017, appendix 7.1); what is zero stays so."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and bool(module.weight.any()):
                nn.init.normal_(module.weight, 0.0, 0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    @abstractmethod
    def taps(self, images: Images) -> list[Features]:
        """What it sees on the way: the picture itself, each halving, its first and middle block.

        Each has the padded picture's proportions, finest first.
        """

    @staticmethod
    @abstractmethod
    def tap_channels(channels: int, width: int) -> list[int]:
        """Channels of each tap."""


class ResidualTranslator(Translator):
    """c7s1-w, d2w, d4w, R4w x blocks, u2w, uw, c7s1-3 in the notation of the paper.

    With width 64, 9 blocks, transposed convolutions and a random start these are the paper's
    11,378,179 parameters. `start="identity"` adds to the picture, which the last convolution sees.
    """

    def __init__(
        self, channels: int, width: int, blocks: int, upsampling: Upsampling, start: Start
    ):
        super().__init__()
        self.first = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7), *_normalised(width)
        )
        self.second = _halved(width, 2 * width, 3)
        self.third = _halved(2 * width, 4 * width, 3)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up = nn.Sequential(
            *_doubled(4 * width, 2 * width, upsampling), *_doubled(2 * width, width, upsampling)
        )
        self.head = Head(width, channels, 7, start)

    def forward(self, images: Images) -> Images:
        padded, (top, left) = padded_to_multiple(images)
        deep = self.blocks(self.third(self.second(self.first(padded))))
        changed: Tensor = self.head(self.up(deep), padded)
        height, width = images.shape[2:]
        return changed[:, :, top : top + height, left : left + width]

    def taps(self, images: Images) -> list[Features]:
        return _taps(self.first, self.second, self.third, self.blocks, images)

    @staticmethod
    def tap_channels(channels: int, width: int) -> list[int]:
        return [channels, 2 * width, 4 * width, 4 * width, 4 * width]


class UNetTranslator(Translator):
    """A U-Net (Ronneberger et al. 2015; as a translator Isola et al. 2017) of three halvings.

    What is fine passes straight across, which keeps outlines where they are.
    """

    def __init__(
        self, channels: int, width: int, blocks: int, upsampling: Upsampling, start: Start
    ):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), *_normalised(width))
        self.second = _halved(width, 2 * width, 4)
        self.third = _halved(2 * width, 4 * width, 4)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up_second = nn.Sequential(*_doubled(4 * width, 2 * width, upsampling))
        self.up_first = nn.Sequential(*_doubled(4 * width, width, upsampling))
        self.head = Head(2 * width, channels, 3, start)

    def forward(self, images: Images) -> Images:
        padded, (top, left) = padded_to_multiple(images)
        first = self.first(padded)
        second = self.second(first)
        deep = self.blocks(self.third(second))
        x = self.up_first(torch.cat([self.up_second(deep), second], 1))
        changed: Tensor = self.head(torch.cat([x, first], 1), padded)
        height, width = images.shape[2:]
        return changed[:, :, top : top + height, left : left + width]

    def taps(self, images: Images) -> list[Features]:
        return _taps(self.first, self.second, self.third, self.blocks, images)

    @staticmethod
    def tap_channels(channels: int, width: int) -> list[int]:
        return [channels, 2 * width, 4 * width, 4 * width, 4 * width]


class Head(nn.Module):
    """From features to the translated picture.

    At random: tanh of a convolution. From the identity: x + 2 tanh(change), where the change is a
    convolution that begins at zero, brought back into [-1, 1] at the picture's ends while the
    gradient passes as if it were not. A mask beside the change could close for good and did.
    """

    def __init__(self, features: int, channels: int, kernel: int, start: Start):
        super().__init__()
        self.start = start
        seen = features + channels if start == "identity" else features
        size = _KERNEL_OF_CHANGE if start == "identity" else kernel
        self.margin = size // 2
        self.convolution = nn.Conv2d(seen, channels, size)
        if start == "identity":
            nn.init.zeros_(self.convolution.weight)
            assert self.convolution.bias is not None
            nn.init.zeros_(self.convolution.bias)

    def forward(self, features: Tensor, images: Images) -> Images:
        if self.start == "random":
            changed: Tensor = self.convolution(self._framed(features)).tanh()
            return changed
        seen = torch.cat([features, images.to(features.dtype)], 1)
        moved = images + 2 * self.convolution(self._framed(seen)).tanh()
        ended: Tensor = moved + (moved.clamp(-1, 1) - moved).detach()
        return ended

    def _framed(self, x: Tensor) -> Tensor:
        return F.pad(x, (self.margin,) * 4, mode="reflect")


def padded_to_multiple(
    images: Images, multiple: int = MULTIPLE_PX
) -> tuple[Features, tuple[int, int]]:
    """Mirrored at the edges until both sides divide, and the place of the picture in it."""
    height, width = images.shape[2:]
    rows, columns = -height % multiple, -width % multiple
    top, left = rows // 2, columns // 2
    if rows or columns:
        images = F.pad(images, (left, columns - left, top, rows - top), mode="reflect")
    return images, (top, left)


def _normalised(channels: int) -> list[nn.Module]:
    return [InstanceNorm(channels), nn.ReLU(inplace=True)]


def _halved(before: int, after: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, kernel, stride=2, padding=1), *_normalised(after))


def _taps(
    first: nn.Module, second: nn.Module, third: nn.Module, blocks: nn.Sequential, images: Images
) -> list[Features]:
    padded, _ = padded_to_multiple(images)
    half = second(first(padded))
    found = [padded, half, third(half)]
    x, middle = found[-1], len(blocks) // 2
    for number, block in enumerate(list(blocks)[: middle + 1]):
        x = block(x)
        if number in (0, middle):
            found.append(x)
    return found if middle else [*found, x]  # one block is both first and middle


def _doubled(before: int, after: int, upsampling: Upsampling) -> list[nn.Module]:
    """Transposed convolutions leave checkerboards that resizing first does not (Odena 2016)."""
    if upsampling == "transposed":
        widen: list[nn.Module] = [
            nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
        ]
    else:
        widen = [
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.ReflectionPad2d(1),
            nn.Conv2d(before, after, 3),
        ]
    return [*widen, *_normalised(after)]
