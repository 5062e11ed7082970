"""A light translator: a U-Net of the default GAN's blocks, for little computing.

The blocks of `residual.py` have no normalisation and begin as the identity; pictures enter by
rearranging 2x2 places into channels (Shi et al. 2016), so that the first blocks run at half the
resolution. They do not leave that way: it left a lattice in skies. At 64 px and width 32 a step of
a CycleGAN takes about half the time of one with the paper's network at width 24 and 5 blocks.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images
from maquette.networks.residual import GAIN, SLOPE, ResidualBlock
from maquette.networks.residual import start as started
from maquette.networks.translators import (
    Features,
    Head,
    Start,
    Translator,
    Upsampling,
    padded_to_multiple,
)

_MULTIPLE_PX = 8  # the rearrangement and two halvings
_KERNEL = 3  # of the last convolution, at a random start


class LightTranslator(Translator):
    """`blocks` residual blocks at a half, a quarter and twice at an eighth, and on the way back.

    What is fine passes straight across, by addition.
    """

    def __init__(
        self, channels: int, width: int, blocks: int, upsampling: Upsampling, start: Start
    ):
        super().__init__()
        half, quarter, eighth = width, 2 * width, 4 * width
        stages = [half, quarter, eighth, eighth, quarter, half]
        self.input = started(nn.Conv2d(4 * channels, half, 3, padding=1), 1.0)
        self.stages = nn.ModuleList(_blocks(each, blocks, len(stages)) for each in stages)
        self.second = started(nn.Conv2d(half, quarter, 1, bias=False), 1.0)
        self.third = started(nn.Conv2d(quarter, eighth, 1, bias=False), 1.0)
        self.up_second = _doubled(eighth, quarter, upsampling)
        self.up_first = _doubled(quarter, half, upsampling)
        fine = max(channels, width // 2)  # channels at full resolution, where they are dear
        self.refine = started(nn.Conv2d(half, fine, 3, padding=1), GAIN)
        self.head = Head(fine, channels, _KERNEL, start)

    def begin(self) -> None:
        """It was made with the weights it begins with."""

    def forward(self, images: Images) -> Images:
        padded, (top, left) = padded_to_multiple(images, _MULTIPLE_PX)
        first, second, _, deep = self._seen(padded)
        x = self.stages[4](self.up_second(deep) + second)
        x = self.stages[5](self.up_first(x) + first)
        x = self.refine(F.leaky_relu(F.interpolate(x, scale_factor=2, mode="bilinear"), SLOPE))
        changed: Tensor = self.head(F.leaky_relu(x, SLOPE), padded)
        height, width = images.shape[2:]
        return changed[:, :, top : top + height, left : left + width]

    def taps(self, images: Images) -> list[Features]:
        padded, _ = padded_to_multiple(images, _MULTIPLE_PX)
        return [padded, *self._seen(padded)]

    @staticmethod
    def tap_channels(channels: int, width: int) -> list[int]:
        return [channels, width, 2 * width, 4 * width, 4 * width]

    def _seen(self, padded: Features) -> list[Features]:
        """At a half, a quarter and an eighth of the size, and what the deepest blocks add."""
        first = self.stages[0](self.input(F.pixel_unshuffle(padded, 2)))
        second = self.stages[1](F.avg_pool2d(self.second(first), 2))
        third = self.stages[2](F.avg_pool2d(self.third(second), 2))
        return [first, second, third, self.stages[3](third)]


def _blocks(channels: int, blocks: int, stages: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels, blocks * stages) for _ in range(blocks)))


def _doubled(before: int, after: int, upsampling: Upsampling) -> nn.Module:
    if upsampling == "transposed":
        widened = nn.ConvTranspose2d(before, after, 2, stride=2, bias=False)
        nn.init.normal_(widened.weight, 0.0, before**-0.5)
        return widened
    narrowed = started(nn.Conv2d(before, after, 1, bias=False), 1.0)
    return nn.Sequential(narrowed, nn.Upsample(scale_factor=2, mode="bilinear"))
