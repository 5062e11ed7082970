"""PatchNCE: a patch of the translation should resemble the same patch of the picture, and no other.

Park et al. 2020 (CUT), section 3 and equation 5. Every picture is compared with itself alone, so
pictures of a batch do not influence each other.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Scalar, Seeds
from maquette.core.randomness import uniform

Features = Float[Tensor, "batch _ _ _"]  # (B, features, rows, columns), sizes differ by layer
Patches = Float[Tensor, "batch _ _"]  # (B, patches, described), each of length 1
DESCRIBED = 256
TEMPERATURE = 0.07


class Projectors(nn.Module):
    """A small dense network for each layer, from features at some places to descriptions."""

    def __init__(self, channels: Sequence[int], described: int = DESCRIBED):
        super().__init__()
        self.networks = nn.ModuleList(
            nn.Sequential(nn.Linear(count, described), nn.ReLU(), nn.Linear(described, described))
            for count in channels
        )

    def forward(
        self, layers: Sequence[Features], seeds: Seeds, patches: int, stream: str
    ) -> list[Patches]:
        """Of each layer the descriptions of the same places for the same seeds and stream."""
        return [
            F.normalize(network(_at_places(layer, seeds, patches, f"{stream} {i}")).float(), dim=2)
            for i, (network, layer) in enumerate(zip(self.networks, layers, strict=True))
        ]


def patch_nce(translated: Sequence[Patches], pictures: Sequence[Patches]) -> Scalar:
    """Mean over layers, pictures and patches of the cross-entropy of finding one's own place.

    Nothing is learnt through `pictures`: they are what the translation should agree with.
    """
    losses = []
    for query, key in zip(translated, pictures, strict=True):
        likeness = query @ key.detach().transpose(1, 2) / TEMPERATURE  # (B, patches, patches)
        own = torch.arange(likeness.shape[1], device=likeness.device).expand(len(likeness), -1)
        losses.append(F.cross_entropy(likeness.flatten(0, 1), own.flatten()))
    return torch.stack(losses).mean()


def _at_places(
    features: Features, seeds: Seeds, patches: int, stream: str
) -> Float[Tensor, "batch _ _"]:
    """Features at places drawn without repetition from each picture's own seed."""
    laid_out = features.flatten(2).transpose(1, 2)  # (B, places, C)
    order = uniform(seeds, laid_out.shape[1], stream=stream).argsort(1)[:, :patches]
    return laid_out.gather(1, order[:, :, None].expand(-1, -1, laid_out.shape[2]))
