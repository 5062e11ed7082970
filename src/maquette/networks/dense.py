"""The fully connected GAN: a flattened picture and three hidden layers on each side.

Fast to understand and a useful yardstick; it knows nothing about neighbouring pixels, so larger
pictures stay grainy.
"""

import math
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.images import Images, ImageSpec, Labels, Shares
from maquette.networks.conditioning import LatentInput, Projection

SLOPE = 0.2  # of LeakyReLU below 0


class DenseGenerator(nn.Module):
    """Hidden layers of width, 2 width and 4 width, each batch-normalised; any picture size."""

    def __init__(self, spec: ImageSpec, latents: int, width: int):
        super().__init__()
        self.shape = spec.shape
        self.input = LatentInput(latents, len(spec.classes))
        sizes = [self.input.features, width, 2 * width, 4 * width]
        self.hidden = nn.Sequential()
        for before, after in pairwise(sizes):
            self.hidden.extend(
                [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(SLOPE)]
            )
        self.output = nn.Linear(sizes[-1], math.prod(spec.shape))

    def forward(
        self, latents: Float[Tensor, "batch latents"], classes: Labels | Shares | None
    ) -> Images:
        hidden = self.hidden(self.input(latents, classes))
        images: Tensor = self.output(hidden).tanh().unflatten(1, self.shape)
        return images


class DenseDiscriminator(nn.Module):
    """Hidden layers of 4 width, 2 width and width, each with half its outputs dropped."""

    def __init__(self, spec: ImageSpec, width: int):
        super().__init__()
        sizes = [math.prod(spec.shape), 4 * width, 2 * width, width]
        self.hidden = nn.Sequential()
        for before, after in pairwise(sizes):
            self.hidden.extend([nn.Linear(before, after), nn.LeakyReLU(SLOPE), nn.Dropout(0.5)])
        self.output = nn.Linear(width, 1)
        self.projection = Projection(width, len(spec.classes))

    def forward(self, images: Images, classes: Labels | Shares | None) -> Float[Tensor, " batch"]:
        hidden = self.hidden(images.flatten(1))
        score: Tensor = self.output(hidden)[:, 0] + self.projection(hidden, classes)
        return score
