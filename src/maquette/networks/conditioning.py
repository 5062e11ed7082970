"""How adversarial networks are told which class is wanted."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.images import Labels, Shares


class LatentInput(nn.Module):
    """Latents, with a learnt description of the class appended when there are classes."""

    def __init__(self, latents: int, classes: int):
        super().__init__()
        self.features = latents * (2 if classes else 1)
        self.descriptions = nn.Embedding(classes, latents) if classes else None

    def forward(
        self, latents: Float[Tensor, "batch latents"], classes: Labels | Shares | None
    ) -> Float[Tensor, "batch features"]:
        """`classes`: one for each picture, or shares of all, whose descriptions are then mixed."""
        if self.descriptions is None:
            return latents
        assert classes is not None
        return torch.cat([latents, _mixed(self.descriptions, classes)], dim=1)


class Projection(nn.Module):
    """How well features agree with a class: an inner product with a learnt direction, which is
    added to an unconditional score (Miyato and Koyama 2018, equation 3). Zero without classes.
    """

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.directions = nn.Embedding(classes, features) if classes else None
        self.scale = 1 / math.sqrt(features)  # keeps the product near 1 for features near 1

    def forward(
        self, features: Float[Tensor, "batch features"], classes: Labels | Shares | None
    ) -> Float[Tensor, " batch"]:
        """`classes`: one for each picture, or shares of all."""
        if self.directions is None:
            return torch.zeros(len(features), device=features.device, dtype=features.dtype)
        assert classes is not None
        return (features * _mixed(self.directions, classes)).sum(1) * self.scale


def _mixed(vectors: nn.Embedding, classes: Labels | Shares) -> Float[Tensor, "batch values"]:
    """The vector of each picture's class, or of its shares of all classes."""
    mixed: Tensor = classes @ vectors.weight if classes.is_floating_point() else vectors(classes)
    return mixed


@torch.no_grad()
def scale_descriptions(generator: nn.Module, factor: float) -> None:
    """Make the class weigh more or less, beside latents of 1, in what the generator is given."""
    for part in generator.modules():
        if isinstance(part, LatentInput) and part.descriptions is not None:
            part.descriptions.weight *= factor
