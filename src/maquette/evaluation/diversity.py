"""How much pictures differ from each other, compared with real ones: shows a model's collapse."""

import torch
from torch import nn

from maquette.core.images import Pixels
from maquette.evaluation.thumbnails import thumbnails
from maquette.evaluation.types import GeneratedPixels, RealPixels

_MOST_PICTURES = 64
_LONGEST_PX = 16


def diversity(real: RealPixels, generated: GeneratedPixels) -> float:
    """Mean distance of two generated pictures over that of two real ones.

    1 is as diverse as reality, 0 is all alike, above 1 is more scattered than reality. Euclidean
    distances of area averages of at most 16 px, between at most 64 pictures spread evenly over each
    set. 1 where the real pictures are all alike: there is nothing to lose. Each set needs two.
    """
    reality = _mean_distance(real)
    return _mean_distance(generated) / reality if reality > 0 else 1.0


def _mean_distance(pixels: Pixels) -> float:
    assert len(pixels) > 1
    chosen = torch.linspace(0, len(pixels) - 1, min(_MOST_PICTURES, len(pixels))).round().long()
    small = thumbnails(pixels[chosen], _LONGEST_PX).double().flatten(1)
    return nn.functional.pdist(small).mean().item()
