"""Does a generator replay its training pictures? The share of samples that are copies.

Notable: a copy is a picture far nearer to one training picture than to others of its surroundings,
and how near real pictures come by chance is measured on held-out ones. A plain percentile of their
distances fails on real sets: of 1,002 web photos of strawberries every fifth held-out one has a
duplicate in training, the percentile is the distance of duplicates, and copies of ±2 grey levels
pass. So does the ratio of the two smallest distances, where training holds duplicates.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from maquette.evaluation.intervals import wilson_interval
from maquette.evaluation.neighbours import nearest

_SURROUNDINGS = 50  # training pictures, as in Carlini et al.
_BY_CHANCE = 0.01  # share of held-out pictures that may look like copies
# Held-out duplicates may pull the threshold no lower. On 16 px thumbnails of six real sets, 99 % of
# the copies with ±10 grey levels of noise or JPEG quality 50 score below 0.17, and 99 % of the
# held-out pictures without a duplicate above 0.3.
_LEAST_THRESHOLD = 0.25


@dataclass(frozen=True)
class Memorisation:
    """The share of copies, and of every sample what shows it: the training picture beside it."""

    rate: float
    low: float  # Wilson's 95 % interval
    high: float
    held_out_rate: float  # the same of real pictures not trained on: duplicates and chance
    threshold: float  # a score below it is a copy
    score: Float[Tensor, " n"]  # distance over the typical one of the surroundings; sort by it
    nearest_index: Int[Tensor, " n"]  # into the training pictures
    distance: Float[Tensor, " n"]  # to the nearest, in the units of the vectors
    is_copy: Bool[Tensor, " n"]


def memorisation(
    generated: Float[Tensor, "n dims"],
    training: Float[Tensor, "m dims"],
    held_out: Float[Tensor, "h dims"],
    mirrored: Float[Tensor, "m dims"] | None = None,
) -> Memorisation:
    """Which samples are copies of training pictures, or of their mirror images where given.

    Vectors are thumbnails (`neighbours.pixel_vectors`) or features. A sample's score is its
    distance to the nearest training picture over the median distance to the 50 after it: Carlini et
    al. 2023, section 5.1, but with the median, so that duplicates in training do not hide a copy.
    It is a copy below the 1st percentile of the held-out pictures' scores, or below 0.25 where
    that is more. `held_out_rate` is measured on each half of the held-out pictures with the
    threshold of the other half; well above 0.02, it says that the split has duplicates across.
    Needs two training and two held-out pictures.
    """
    assert len(training) > 1 and len(held_out) > 1
    chance = _scores(held_out, training, mirrored).score
    threshold = _threshold(chance)
    found = _scores(generated, training, mirrored)
    is_copy = found.score < threshold
    copies, count = int(is_copy.sum()), len(generated)
    low, high = wilson_interval(copies, count)
    return Memorisation(
        rate=copies / count,
        low=low,
        high=high,
        held_out_rate=_held_out_rate(chance),
        threshold=threshold,
        score=found.score,
        nearest_index=found.index,
        distance=found.distance,
        is_copy=is_copy,
    )


@dataclass(frozen=True)
class _Scores:
    score: Float[Tensor, " n"]
    index: Int[Tensor, " n"]
    distance: Float[Tensor, " n"]


def _scores(
    pictures: Float[Tensor, "n dims"],
    training: Float[Tensor, "m dims"],
    mirrored: Float[Tensor, "m dims"] | None,
) -> _Scores:
    distances, indices = nearest(pictures, training, _SURROUNDINGS + 1, mirrored)
    typical = distances[:, 1:].median(dim=1).values
    smallest = torch.finfo(typical.dtype).tiny  # surroundings that are one picture many times
    return _Scores(distances[:, 0] / typical.clamp(min=smallest), indices[:, 0], distances[:, 0])


def _threshold(scores: Float[Tensor, " n"]) -> float:
    return max(_LEAST_THRESHOLD, scores.quantile(_BY_CHANCE).item())


def _held_out_rate(scores: Float[Tensor, " n"]) -> float:
    """Each half judged by the other; every second picture, for the order may be by class."""
    halves = scores[::2], scores[1::2]
    copies = sum(int((a < _threshold(b)).sum()) for a, b in (halves, halves[::-1]))
    return copies / len(scores)
