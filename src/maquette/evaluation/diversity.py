"""How much pictures differ from each other, compared with real ones: shows a model's collapse."""

import torch
from jaxtyping import Float64
from torch import Tensor

from maquette.core.images import Pixels
from maquette.evaluation.bootstrap import Estimate, jackknife_interval
from maquette.evaluation.thumbnails import thumbnails
from maquette.evaluation.types import GeneratedPixels, RealPixels

_MOST_PICTURES = 64
_LONGEST_PX = 16


def diversity(real: RealPixels, generated: GeneratedPixels) -> Estimate:
    """Mean distance of two generated pictures over that of two real ones.

    1 is as diverse as reality, 0 is all alike, above 1 is more scattered than reality. Euclidean
    distances of area averages of at most 16 px, between at most 64 pictures spread evenly over each
    set. 1 where the real pictures are all alike: there is nothing to lose. Each set needs two.

    low to high is about the pictures generated alone: it holds what as many others from the same
    model give on average against the same real ones (simulated with 64 pictures: in 94 % of draws,
    in 89 to 91 % once a model has collapsed onto two or four).
    """
    reality = float(_mean_distances(real).mean())
    if reality == 0:
        return Estimate(1.0, 0.0, 1.0, 1.0)
    each = _mean_distances(generated) / reality
    # A mean over pairs counts each picture twice (Hoeffding 1948, theorem 7.1).
    estimate = jackknife_interval(float(each.mean()), 2 * each)
    return estimate._replace(low=max(0.0, estimate.low))


def _mean_distances(pixels: Pixels) -> Float64[Tensor, " pictures"]:
    """Of each picture to all others."""
    assert len(pixels) > 1
    chosen = torch.linspace(0, len(pixels) - 1, min(_MOST_PICTURES, len(pixels))).round().long()
    small = thumbnails(pixels[chosen], _LONGEST_PX).double().flatten(1)
    distances: Float64[Tensor, " pictures"] = torch.cdist(
        small, small, compute_mode="donot_use_mm_for_euclid_dist"
    ).sum(1) / (len(small) - 1)
    return distances
