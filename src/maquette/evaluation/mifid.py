"""MiFID: a Fréchet distance that copies of training pictures make worse instead of better.

Bai et al. 2021, "On Training Sample Memorization: Lessons from Benchmarking Generative Modeling
with a Large-scale Competition" (section 4; constants from the competition's scoring code, Kaggle
2019, "Generative Dog Images"). Notable: torchmetrics 1.9 has the two sets transposed, so that a
generator which copies scores well.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from maquette.evaluation.blocks import row_blocks
from maquette.evaluation.bootstrap import Estimate, PerPicture, jackknife_interval
from maquette.evaluation.frechet import frechet_influences

_THRESHOLD = 0.1  # mean cosine distance from which on nothing counts as memorised
_EPSILON = 1e-14  # "10e-15" in the competition's code: keeps a pure copy finite
_ROUNDING = 1e-8  # Fréchet distances below this share of the reals' variance are rounding


class Mifid(NamedTuple):
    """The score, and the distance from the training pictures it was multiplied up for."""

    estimate: Estimate
    distance: float  # mean cosine distance to the nearest training picture, 0..1
    memorised: bool  # whether the distance is below the threshold


def mifid(
    real: Float[Tensor, "n features"],
    generated: Float[Tensor, "m features"],
    training: Float[Tensor, "k features"],
) -> Mifid:
    """Fréchet distance from `real` over the distance d from `training` where d < 0.1, else over 1.

    Kaggle takes the training pictures as `real` too; better are held-out ones. Departure: a Fréchet
    distance that is nothing but rounding counts as 1e-8 of the reals' variance. The published
    product would be 0, the best score, for a copy of all reals. The interval is that of `frechet`
    joined by the scatter of d over the generated pictures, for these training pictures; which side
    of the threshold d is on is taken as known.
    """
    frechet, influences = frechet_influences(real, generated)
    frechet = max(frechet, _ROUNDING * float(real.double().var(0).sum()))
    nearest = memorisation_distances(training, generated)
    counted = ~nearest.isnan()
    distance = float(nearest[counted].mean()) if counted.any() else 1.0
    if distance >= _THRESHOLD:
        return Mifid(_from_zero(jackknife_interval(frechet, *influences)), distance, False)
    divisor = distance + _EPSILON
    closeness = torch.where(counted, nearest - distance, 0) * len(nearest) / counted.sum()
    score = jackknife_interval(
        frechet / divisor,
        influences.real / divisor,
        influences.generated / divisor - frechet / divisor * (closeness / divisor),
    )
    return Mifid(_from_zero(score), distance, True)


def memorisation_distances(
    training: Float[Tensor, "k features"], generated: Float[Tensor, "m features"]
) -> PerPicture:
    """Smallest 1 - |cosine| from each generated picture to a training picture, 0..1.

    Bai et al. 2021, section 4. NaN for pictures whose features are all zero: they point nowhere
    and are left out, as in the published code.
    """
    ours, theirs = _directions(generated), _directions(training)
    theirs = theirs[~theirs[:, 0].isnan()]
    assert len(theirs)
    nearest = [
        1 - (ours[rows] @ theirs.T).abs().amax(1) for rows in row_blocks(len(ours), len(theirs))
    ]
    return torch.cat(nearest).clamp(min=0)


def _directions(features: Float[Tensor, "n d"]) -> Float64[Tensor, "n d"]:
    features = features.double()
    directions: Float64[Tensor, "n d"]
    directions = features / torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return directions


def _from_zero(estimate: Estimate) -> Estimate:
    return estimate._replace(low=max(0.0, estimate.low))
