"""Pictures unlike all the others, by their distance to neighbours among described pictures.

A few pictures of another kind are close to each other, so the distance asked for is to a neighbour
further away than such a group is large (k-th nearest neighbour: Ramaswamy, Rastogi & Shim 2000,
"Efficient algorithms for mining outliers from large data sets").
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

import numpy as np
from jaxtyping import Bool, Float32, Int

from maquette.data.findings.features import Describer, described
from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.findings.thumbnails import Thumbnails
from maquette.data.pictures.content import Raster
from maquette.data.pictures.looking import Facts

LEAST_PX = 48  # shorter side
LEAST = 50  # pictures; among fewer nothing is usual
_LARGE_CLASS = 300  # pictures; a class of its own measure
_GROUP = 0.04  # share of all pictures that a group of outliers may have
_REFERENCE = 4000  # pictures to which all are compared
_BLOCK = 2000  # compared at once: 32 MB of distances
_LEAST_NEIGHBOUR = 5
_DIMS = 32  # principal components kept
_FAR = 3.0  # deviations of the logarithm of the distance
_NARROW = 0.02  # least deviation; below it all pictures are alike
_ROUNDS = 3
_MOST = 0.15  # share of pictures; more are not outliers but another kind of set


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

    def __init__(self, describer: Describer):
        self._describer = describer

    def findings(self, survey: Survey) -> Iterable[Finding]:
        readable = [i for i, p in enumerate(survey.pictures) if p.facts and _shows(p.facts)]
        if len(readable) < LEAST:
            return
        features = self._features(survey, readable)
        labels = [survey.pictures[i].label for i in readable]
        far = np.zeros(len(readable), bool)
        for members in _crowds(labels):
            far[members] = far_away(features[members])
        if far.any():
            unlike = [i for i, alone in zip(readable, far, strict=True) if alone]
            remark = f"Compared by their {self._describer.name}."
            yield Finding(self.kinds[0], tuple(_marks(survey, readable, unlike)), remark)

    def _features(
        self, survey: Survey, readable: Sequence[int]
    ) -> Float32[np.ndarray, "pictures dims"]:
        """Written into one array block by block: of a large set there is no room for two."""
        features = np.empty((0, 0), np.float32)
        end = 0
        for pictures, block in described(self._describer, _WithoutBars(survey), readable):
            if not end:
                features = np.empty((len(readable), block.shape[1]), np.float32)
            features[end : end + len(pictures)] = block
            end += len(pictures)
        return features


def _shows(facts: Facts) -> bool:
    """Enough to be compared by tones: drawings and tiny pictures differ by their strokes alone."""
    return facts.kind != "drawing" and min(facts.height, facts.width) >= LEAST_PX


@dataclass(frozen=True)
class _WithoutBars(Thumbnails):
    """Bars are a finding of their own, and white ones hide how dark a picture is."""

    survey: Survey

    def jpeg(self, picture: int) -> bytes:
        return self.survey.thumbnails.jpeg(picture)

    def raster(self, picture: int) -> Raster:
        whole = self.survey.thumbnails.raster(picture)
        facts = self.survey.pictures[picture].facts
        if facts is None or facts.box is None:
            return whole
        down, across = whole.shape[0] / facts.height, whole.shape[1] / facts.width
        left, top, right, bottom = facts.box
        # Rounded inwards, away from the blur between picture and bar.
        inside = whole[
            ceil(top * down) : int(bottom * down), ceil(left * across) : int(right * across)
        ]
        return inside if inside.size else whole


def _crowds(labels: Sequence[str | None]) -> Iterator[Int[np.ndarray, " members"]]:
    """Large classes apart and all others together, where they are enough to compare."""
    names, numbers = np.unique([label or "" for label in labels], return_inverse=True)
    sizes = np.bincount(numbers, minlength=len(names))
    large = np.flatnonzero(sizes >= _LARGE_CLASS)
    rest = np.flatnonzero(~np.isin(numbers, large))
    crowds = [np.flatnonzero(numbers == number) for number in large]
    yield from (crowd for crowd in (*crowds, rest) if len(crowd) >= LEAST)


def far_away(features: Float32[np.ndarray, "pictures dims"]) -> Bool[np.ndarray, " pictures"]:
    """Which rows are unlike the others.

    Those found are no longer anybody's neighbours when the rest is looked at again, so several
    groups of outliers cannot make each other look usual.
    """
    random = np.random.default_rng(0)
    far = np.zeros(len(features), bool)
    for _ in range(_ROUNDS):
        usual = np.flatnonzero(~far)
        reference = np.sort(random.permutation(usual)[:_REFERENCE])
        points = _reduced(features, reference)
        neighbour = max(_LEAST_NEIGHBOUR, round(_GROUP * len(reference)))
        logarithm = np.log(_distances(points, points[reference], neighbour))
        # The upper part of the distribution only: it is wider than the lower one, the more so in
        # sets of mixed content. 84 % is one deviation above the mean of a normal distribution.
        middle, upper = np.percentile(logarithm[usual], (50, 84))
        before, far = far, logarithm > middle + _FAR * max(upper - middle, _NARROW)
        if (far == before).all() or far.mean() > _MOST:
            break
    return far if far.mean() <= _MOST else np.zeros(len(features), bool)


def _reduced(features: Float32[np.ndarray, "pictures dims"], reference: np.ndarray) -> np.ndarray:
    """The principal components: float32 (pictures, at most _DIMS)."""
    some = features[reference]
    mean = some.mean(0)
    _, vectors = np.linalg.eigh(np.cov((some - mean).T))
    axes = vectors[:, ::-1][:, :_DIMS].astype(np.float32)
    return np.asarray(features @ axes - mean @ axes)


def _distances(points: np.ndarray, reference: np.ndarray, neighbour: int) -> np.ndarray:
    """From each point to its neighbour of that rank: float32 (points,)."""
    squares = (reference**2).sum(1)
    found = np.empty(len(points), np.float32)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        squared = (block**2).sum(1)[:, None] + squares - 2 * block @ reference.T
        squared.partition(neighbour, 1)
        found[start : start + _BLOCK] = squared[:, neighbour]
    return np.sqrt(np.maximum(found, 1e-8))


def _marks(survey: Survey, readable: Sequence[int], unlike: Sequence[int]) -> Iterator[Mark]:
    facts = [one for i in readable if (one := survey.pictures[i].facts)]
    brightness = [one.brightness for one in facts]
    usual = median(brightness)
    spread = median(abs(value - usual) for value in brightness)
    for index in unlike:
        one = survey.pictures[index].facts
        assert one is not None
        yield Mark(index, _detail(one, usual, max(3 * spread, 30)))


def _detail(facts: Facts, usual: float, much: float) -> str:
    if facts.brightness < usual - much:
        return "much darker than the others"
    if facts.brightness > usual + much:
        return "much brighter than the others"
    return "unlike the others"
