"""The default GAN networks: small residual networks without any normalisation (after R3GAN).

Huang et al. 2024 show that a plain residual network, started so that every block is the identity
(Zhang et al. 2019, "Fixup"), needs no normalisation once the loss is regularised. Made for little
computing: the blocks end at half the picture's resolution, the steps to pixels and from them
rearrange 2x2 places and channels (Shi et al. 2016), and one thin convolution smooths the result.
"""

import math
from itertools import pairwise
from typing import TypeVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images, ImageSpec, Labels, Shares
from maquette.networks.conditioning import LatentInput, Projection
from maquette.networks.grids import coarse_grid, levels

SLOPE = 0.2  # of LeakyReLU below 0
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through LeakyReLU (He et al. 2015)

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)
Features = Float[Tensor, "batch features rows columns"]


def stage_channels(width: int, stages: int) -> list[int]:
    """Channels from the finest stage to the coarsest: width, 2 width, then 4 width throughout."""
    return [width * 2 ** min(stage, 2) for stage in range(stages)]


class ResidualBlock(nn.Module):
    """x + conv(lrelu(conv(lrelu(x)))), the identity at the start."""

    def __init__(self, channels: int, blocks: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        start(self.first, GAIN * blocks**-0.5)
        start(self.second, 0.0)

    def forward(self, x: Features) -> Features:
        hidden = self.first(F.leaky_relu(x, SLOPE))
        change: Tensor = self.second(F.leaky_relu(hidden, SLOPE))
        return x + change


class ResidualGenerator(nn.Module):
    """Blocks at each grid from the coarsest on, doubled bilinearly in between."""

    def __init__(self, spec: ImageSpec, latents: int, width: int):
        super().__init__()
        self.size = spec.height, spec.width
        self.input = LatentInput(latents, len(spec.classes))
        stages = levels(spec)
        self.grids = [coarse_grid(spec, stage) for stage in range(stages, 0, -1)]
        channels = stage_channels(width, stages)[::-1]
        rows, columns = self.grids[0]
        self.stem = start(nn.Linear(self.input.features, channels[0] * rows * columns), 1.0)
        self.blocks = nn.ModuleList(ResidualBlock(count, stages) for count in channels)
        self.transitions = nn.ModuleList(
            start(nn.Conv2d(before, after, 1, bias=False), 1.0)
            for before, after in pairwise(channels)
        )
        fine = max(spec.channels, width // 2)  # channels at full resolution, where they are dear
        self.refine = start(nn.Conv2d(width, fine * 4, 3, padding=1), GAIN)
        self.output = start(nn.Conv2d(fine, spec.channels, 3, padding=1), GAIN)

    def forward(
        self, latents: Float[Tensor, "batch latents"], classes: Labels | Shares | None
    ) -> Images:
        x = self.stem(self.input(latents, classes)).unflatten(1, (-1, *self.grids[0]))
        x = self.blocks[0](x)
        later = zip(self.transitions, self.blocks[1:], self.grids[1:], strict=True)
        for transition, block, (rows, columns) in later:
            x = F.interpolate(transition(x), scale_factor=2, mode="bilinear")
            x = block(x[:, :, :rows, :columns])
        height, width = self.size
        x = F.pixel_shuffle(self.refine(F.leaky_relu(x, SLOPE)), 2)
        images: Tensor = self.output(F.leaky_relu(x, SLOPE))
        return images[:, :, :height, :width].tanh()


class ResidualDiscriminator(nn.Module):
    """The same stages the other way round; the score sums up all of the last grid."""

    def __init__(self, spec: ImageSpec, width: int):
        super().__init__()
        stages = levels(spec)
        channels = stage_channels(width, stages)
        self.margin = (0, spec.width % 2, 0, spec.height % 2)
        self.input = start(nn.Conv2d(spec.channels * 4, width, 3, padding=1), 1.0)
        self.blocks = nn.ModuleList(ResidualBlock(count, stages) for count in channels)
        self.transitions = nn.ModuleList(
            start(nn.Conv2d(before, after, 1, bias=False), 1.0)
            for before, after in pairwise(channels)
        )
        last = channels[-1]
        self.gather = start(
            nn.Conv2d(last, last, coarse_grid(spec, stages), groups=last, bias=False), GAIN
        )
        self.output = start(nn.Linear(last, 1), 1.0)
        self.projection = Projection(last, len(spec.classes))

    def forward(self, images: Images, classes: Labels | Shares | None) -> Float[Tensor, " batch"]:
        x = self.input(F.pixel_unshuffle(F.pad(images, self.margin, mode="replicate"), 2))
        x = self.blocks[0](x)
        for transition, block in zip(self.transitions, self.blocks[1:], strict=True):
            x = F.avg_pool2d(transition(x), 2, ceil_mode=True, count_include_pad=False)
            x = block(x)
        features = self.gather(F.leaky_relu(x, SLOPE)).flatten(1)  # (B, C)
        score: Tensor = self.output(features)[:, 0] + self.projection(features, classes)
        return score


def start(layer: Layer, gain: float) -> Layer:
    """Normal weights that multiply the standard deviation by `gain`, zero biases."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, gain * fan_in**-0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
