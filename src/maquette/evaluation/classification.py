"""How often a classifier is right: top-1, top-3, MAP@3 and which classes it takes for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from maquette.core.images import Labels
from maquette.evaluation.intervals import wilson_interval


class Score(NamedTuple):
    """A share of right answers between 0 and 1, and what it takes no skill to reach."""

    value: float
    low: float  # 95 % interval
    high: float
    most_frequent: float  # always answering the most frequent classes of these very pictures
    guessing: float  # answering at random, on average


@dataclass(frozen=True)
class Classification:
    """What a classifier answered for so many pictures."""

    top_1: Score
    top_3: Score  # the right class is among the first three; 1 where there are no more
    map_3: Score
    confusion: Int[Tensor, "classes classes"]  # pictures: row the true class, column the answer
    count: int


def classification(probabilities: Float[Tensor, "batch classes"], labels: Labels) -> Classification:
    """Top-1, top-3, MAP@3 and confusion matrix, on the CPU; logits serve as well.

    MAP@3 as in Kaggle's Quick, Draw! Doodle Recognition: 1, 1/2 or 1/3 where the right class is the
    first, second or third answer, else 0, averaged. As 1 = 1/2 + 1/6 + 1/3 and 1/2 = 1/6 + 1/3, it
    is top-1 / 2 + top-2 / 6 + top-3 / 3, and so are its ends: an interval never too narrow, which a
    bootstrap of a faultless classifier is. Of equal probabilities the first class counts as first.
    """
    probabilities, labels = probabilities.cpu(), labels.cpu().long()
    classes = probabilities.shape[1]
    order = probabilities.sort(dim=1, descending=True, stable=True).indices
    place = (order == labels[:, None]).int().argmax(1)
    frequencies = torch.bincount(labels, minlength=classes).sort(descending=True).values
    tops = [_top(k, place, frequencies) for k in (1, 2, 3)]
    confusion = torch.bincount(labels * classes + order[:, 0], minlength=classes**2)
    return Classification(
        top_1=tops[0],
        top_3=tops[2],
        map_3=_weighted(tops, (1 / 2, 1 / 6, 1 / 3)),
        confusion=confusion.reshape(classes, classes),
        count=len(labels),
    )


def _top(k: int, place: Int[Tensor, " batch"], frequencies: Int[Tensor, " classes"]) -> Score:
    """The share of pictures whose class is among the first k answers; Wilson's interval."""
    hits, count = int((place < k).sum()), len(place)
    low, high = wilson_interval(hits, count)
    best_constant = int(frequencies[:k].sum()) / count
    return Score(hits / count, low, high, best_constant, min(1.0, k / len(frequencies)))


def _weighted(scores: Sequence[Score], weights: Sequence[float]) -> Score:
    columns = zip(*scores, strict=True)
    return Score(*(sum(w * v for w, v in zip(weights, c, strict=True)) for c in columns))
