"""DCGAN (Radford et al. 2015) as the PyTorch tutorial builds it: 4x4 convolutions, batch norm.

At 64 px with width 64 and no classes it has exactly the tutorial's 3,576,704 + 2,765,568
parameters. Other sizes get as many stages as they need; channels stop growing at 8 times the width.
"""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images, ImageSpec, Labels, Shares
from maquette.networks.conditioning import LatentInput, Projection
from maquette.networks.grids import coarse_grid, levels


def stage_channels(width: int, stages: int) -> list[int]:
    """Channels from the finest stage to the coarsest: width, 2 width, ... up to 8 width."""
    return [width * 2 ** min(stage, 3) for stage in range(stages)]


class DcganGenerator(nn.Module):
    """Transposed convolutions from one place to the coarse grid, then doubling to the picture."""

    def __init__(self, spec: ImageSpec, latents: int, width: int):
        super().__init__()
        self.size = spec.height, spec.width
        self.input = LatentInput(latents, len(spec.classes))
        stages = levels(spec)
        channels = stage_channels(width, stages)[::-1]
        self.stages = nn.Sequential(
            nn.ConvTranspose2d(
                self.input.features, channels[0], coarse_grid(spec, stages), bias=False
            ),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(),
        )
        for before, after in pairwise(channels):
            self.stages.extend(
                [
                    nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(),
                ]
            )
        self.output = nn.ConvTranspose2d(channels[-1], spec.channels, 4, 2, 1, bias=False)
        self.apply(_published_start)

    def forward(
        self, latents: Float[Tensor, "batch latents"], classes: Labels | Shares | None
    ) -> Images:
        place = self.input(latents, classes)[:, :, None, None]  # (B, features, 1, 1)
        height, width = self.size
        images: Tensor = self.output(self.stages(place)).tanh()[:, :, :height, :width]
        return images


class DcganDiscriminator(nn.Module):
    """Strided convolutions to the coarse grid, then one that covers it."""

    def __init__(self, spec: ImageSpec, width: int):
        super().__init__()
        stages = levels(spec)
        channels = stage_channels(width, stages)
        grid = coarse_grid(spec, stages)
        self.margin = (
            0,
            grid[1] * 2**stages - spec.width,
            0,
            grid[0] * 2**stages - spec.height,
        )
        self.stages = nn.Sequential(
            nn.Conv2d(spec.channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)
        )
        for before, after in pairwise(channels):
            self.stages.extend(
                [
                    nn.Conv2d(before, after, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.LeakyReLU(0.2),
                ]
            )
        self.output = nn.Conv2d(channels[-1], 1, grid, bias=False)
        self.projection = Projection(channels[-1], len(spec.classes))
        self.apply(_published_start)

    def forward(self, images: Images, classes: Labels | Shares | None) -> Float[Tensor, " batch"]:
        features = self.stages(F.pad(images, self.margin))  # (B, C, h, w)
        score: Tensor = self.output(features).flatten() + self.projection(
            features.mean((2, 3)), classes
        )
        return score


def _published_start(layer: nn.Module) -> None:
    """Weights from N(0, 0.02), norms from N(1, 0.02) (Radford et al. 2015, section 4)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
