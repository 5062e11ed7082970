"""Pictures unlike all the others, by their distance to neighbours among described pictures.

A few pictures of another kind are close to each other, so the distance asked for is to a neighbour
further away than such a group is large (k-th nearest neighbour: Ramaswamy, Rastogi & Shim 2000,
"Efficient algorithms for mining outliers from large data sets").
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import numpy as np
from jaxtyping import Float, Float32, Int

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.findings.tones_and_edges import TonesAndEdges
from maquette.data.pictures.looking import Facts

LEAST = 50  # pictures; among fewer nothing is usual
_LARGE_CLASS = 300  # pictures; a class of its own measure
_GROUP = 0.04  # share of all pictures that a group of outliers may have
_REFERENCE = 4000  # pictures to which all are compared
_BLOCK = 2000  # compared at once: 32 MB of distances
_DIMS = 32
_FAR = 3.5  # robust deviations of the logarithm


class Outliers(Check):
    """Needs pictures described by `describer`; within classes where these are large."""

    kinds = (
        Kind(
            "outliers",
            "warning",
            "Unlike the others",
            "These pictures look like none or few of the others, so they may have come in by "
            "mistake, and a model can learn little from so few of their kind.",
            "kept",
        ),
    )

    def __init__(self, describer: TonesAndEdges):
        self._describer = describer

    def findings(self, survey: Survey) -> Iterable[Finding]:
        readable = [i for i, picture in enumerate(survey.pictures) if picture.facts]
        if len(readable) < LEAST:
            return
        features = self._describer.describe(survey.thumbnails.raster(i) for i in readable)
        labels = [survey.pictures[i].label for i in readable]
        far = np.zeros(len(readable), bool)
        for members in _crowds(labels):
            far[members] = far_away(features[members])
        if far.any():
            unlike = [i for i, alone in zip(readable, far, strict=True) if alone]
            remark = f"Compared by their {self._describer.name}."
            yield Finding(self.kinds[0], tuple(_marks(survey, readable, unlike)), remark)


def _crowds(labels: Sequence[str | None]) -> Iterator[Int[np.ndarray, " members"]]:
    """Large classes apart and all others together, where they are enough to compare."""
    names, numbers = np.unique([label or "" for label in labels], return_inverse=True)
    sizes = np.bincount(numbers, minlength=len(names))
    large = np.flatnonzero(sizes >= _LARGE_CLASS)
    rest = np.flatnonzero(~np.isin(numbers, large))
    crowds = [np.flatnonzero(numbers == number) for number in large]
    yield from (crowd for crowd in (*crowds, rest) if len(crowd) >= LEAST)


def far_away(features: Float32[np.ndarray, "pictures dims"]) -> np.ndarray:
    """Which rows are unlike the others: bool (pictures,)."""
    random = np.random.default_rng(0)
    count = min(len(features), _REFERENCE)
    reference = np.sort(random.choice(len(features), count, replace=False))
    points = _reduced(features, reference)
    neighbour = max(5, round(_GROUP * count))
    distance = np.log(np.maximum(_distances(points, points[reference], neighbour), 1e-6))
    return _deviations(distance) > _FAR


def _reduced(features: Float32[np.ndarray, "pictures dims"], reference: np.ndarray) -> np.ndarray:
    """The principal components: float32 (pictures, at most _DIMS)."""
    some = features[reference]
    mean = some.mean(0)
    _, vectors = np.linalg.eigh(np.cov((some - mean).T))
    return (features - mean) @ vectors[:, ::-1][:, :_DIMS].astype(np.float32)


def _distances(points: np.ndarray, reference: np.ndarray, neighbour: int) -> np.ndarray:
    """From each point to its neighbour of that rank: float32 (points,)."""
    squares = (reference**2).sum(1)
    found = []
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        squared = (block**2).sum(1)[:, None] + squares - 2 * block @ reference.T
        found.append(np.partition(squared, neighbour, 1)[:, neighbour])
    return np.sqrt(np.maximum(np.concatenate(found), 0))


def _deviations(values: Float[np.ndarray, " values"]) -> Float[np.ndarray, " values"]:
    """From the median, in units of the median absolute deviation as for a normal distribution."""
    centred = values - np.median(values)
    return centred / max(1.4826 * float(np.median(np.abs(centred))), 1e-6)


def _marks(survey: Survey, readable: Sequence[int], unlike: Sequence[int]) -> Iterator[Mark]:
    facts = [one for i in readable if (one := survey.pictures[i].facts)]
    brightness = [one.brightness for one in facts]
    usual = median(brightness)
    spread = median(abs(value - usual) for value in brightness)
    for index in unlike:
        one = survey.pictures[index].facts
        assert one is not None
        yield Mark(index, _detail(one, usual, max(4 * spread, 40)))


def _detail(facts: Facts, usual: float, much: float) -> str:
    if facts.brightness < usual - much:
        return "much darker than the others"
    if facts.brightness > usual + much:
        return "much brighter than the others"
    return "unlike the others"
