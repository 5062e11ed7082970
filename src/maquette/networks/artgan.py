"""ArtGAN's four networks (Tan et al. 2017, arXiv 1702.03410): encoder, clsNet, zNet and decoder.

The encoder and the decoder meet at the same feature maps, so that the decoder can also redraw what
the encoder saw. At 64 px with the paper's width of 128 those are 512 maps of 8x8, reached by 4x4
convolutions of stride 2 (128, 256, 512 channels) with one 3x3 of stride 1 after the first; clsNet
and zNet add the stage of 1024 maps of 4x4. Other sizes get as many stages as they need; channels
stop growing at 8 times the width.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images, ImageSpec
from maquette.networks.grids import coarse_grid, levels

Features = Float[Tensor, "batch features rows columns"]


@dataclass(frozen=True)
class Stages:
    """Sizes and channels that all four networks agree on."""

    channels: tuple[int, ...]  # of every halving, from the finest; clsNet and zNet own the last
    grid: tuple[int, int]  # height and width after all halvings

    @classmethod
    def of(cls, spec: ImageSpec, width: int) -> "Stages":
        """One halving at least for the encoder and one for clsNet."""
        halvings = max(2, levels(spec))
        channels = tuple(width * 2 ** min(stage, 3) for stage in range(halvings))
        return cls(channels, coarse_grid(spec, halvings))

    @property
    def features(self) -> tuple[int, int, int]:
        """Channels, height and width of what the encoder gives and the decoder takes."""
        return self.channels[-2], 2 * self.grid[0], 2 * self.grid[1]


class Encoder(nn.Module):
    """Pictures to feature maps; batch normalisation everywhere but after the first layer."""

    def __init__(self, spec: ImageSpec, width: int, dropout: float):
        super().__init__()
        stages = Stages.of(spec, width)
        scale = 2 ** len(stages.channels)
        height, across = stages.grid
        self.margin = (0, across * scale - spec.width, 0, height * scale - spec.height)
        self.layers = nn.Sequential(
            nn.Conv2d(spec.channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            *_down(width, width, 3, 1, dropout),
        )
        for before, after in pairwise(stages.channels[:-1]):
            self.layers.extend(_down(before, after, 4, 2, dropout))

    def forward(self, images: Images) -> Features:
        features: Tensor = self.layers(F.pad(images, self.margin))
        return features


class ClsNet(nn.Module):
    """Feature maps to one number for each category: one more halving, and a dense layer."""

    def __init__(self, spec: ImageSpec, width: int, categories: int):
        super().__init__()
        stages = Stages.of(spec, width)
        last, (height, across) = stages.channels[-1], stages.grid
        self.layers = nn.Sequential(*_down(stages.channels[-2], last, 4, 2, 0.0))
        self.answer = nn.Linear(last * height * across, categories)

    def forward(self, features: Features) -> Float[Tensor, "batch categories"]:
        answers: Tensor = self.answer(self.layers(features).flatten(1))
        return answers


class Discriminator(nn.Module):
    """encoder + clsNet: unnormalised log-odds of K classes, and of "generated" last."""

    def __init__(self, spec: ImageSpec, width: int, categories: int, dropout: float):
        super().__init__()
        self.encoder = Encoder(spec, width, dropout)
        self.cls_net = ClsNet(spec, width, categories)
        self.apply(_published_start)

    def forward(self, images: Images) -> Float[Tensor, "batch categories"]:
        answers: Tensor = self.cls_net(self.encoder(images))
        return answers


class ZNet(nn.Module):
    """Noise and class, concatenated, to feature maps of the encoder's shape."""

    def __init__(self, spec: ImageSpec, width: int, inputs: int):
        super().__init__()
        stages = Stages.of(spec, width)
        first, after = stages.channels[-1], stages.channels[-2]
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(inputs, first, stages.grid, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            *_up(first, after, 4, 2, 0.0),
        )

    def forward(self, inputs: Float[Tensor, "batch inputs"]) -> Features:
        features: Tensor = self.layers(inputs[:, :, None, None])
        return features


class Decoder(nn.Module):
    """Feature maps to pictures; batch normalisation everywhere but after the last layer."""

    def __init__(self, spec: ImageSpec, width: int, dropout: float):
        super().__init__()
        self.size = spec.height, spec.width
        stages = Stages.of(spec, width)
        self.layers = nn.Sequential()
        for before, after in pairwise(stages.channels[-2::-1]):
            self.layers.extend(_up(before, after, 4, 2, dropout))
        self.layers.extend(_up(width, width, 3, 1, dropout))
        self.output = nn.ConvTranspose2d(width, spec.channels, 4, 2, 1)

    def forward(self, features: Features) -> Images:
        """In [-1, 1]: the paper's sigmoid, stretched to the range pictures have here."""
        height, width = self.size
        images: Tensor = 2 * self.output(self.layers(features)).sigmoid() - 1
        return images[:, :, :height, :width]


class Generator(nn.Module):
    """zNet + decoder."""

    def __init__(self, spec: ImageSpec, width: int, latents: int, dropout: float):
        super().__init__()
        self.z_net = ZNet(spec, width, latents + len(spec.classes))
        self.decoder = Decoder(spec, width, dropout)
        self.apply(_published_start)

    def forward(
        self,
        latents: Float[Tensor, "batch latents"],
        shares: Float[Tensor, "batch classes"] | None,
    ) -> Images:
        """`shares`: how much of each class, in [0, 1]: one-hot for a class; None without any."""
        inputs = latents if shares is None else torch.cat([latents, shares], dim=1)
        images: Tensor = self.decoder(self.z_net(inputs))
        return images

    def redraw(self, features: Features) -> Images:
        """Pictures out of the encoder's feature maps.

        Made with the statistics of this batch, and remembered by no running statistic: those serve
        what zNet gives, whose feature maps are others.
        """
        with _statistics_kept(self.decoder):
            images: Tensor = self.decoder(features)
        return images


def _down(before: int, after: int, kernel: int, stride: int, dropout: float) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
    return [conv, nn.BatchNorm2d(after), *_dropping(dropout), nn.LeakyReLU(0.2)]


def _up(before: int, after: int, kernel: int, stride: int, dropout: float) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(before, after, kernel, stride, 1, bias=False)
    return [conv, nn.BatchNorm2d(after), *_dropping(dropout), nn.ReLU()]


def _dropping(share: float) -> list[nn.Module]:
    """Nothing where nothing is dropped, so that the layers of old weights keep their names."""
    return [nn.Dropout(share)] if share else []


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def _published_start(layer: nn.Module) -> None:
    """Kaiming for dense layers, N(0, 0.02) for convolutions (section 4); biases begin at 0."""
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
    elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
