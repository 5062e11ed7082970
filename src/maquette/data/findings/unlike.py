"""Pictures that look like examples of what is not wanted, such as streets among landscapes.

Nobody has said which pictures of the set are wanted, so examples are told from the set itself,
where most are (learning from positive and unlabelled examples; Bekker & Davis 2020, "Learning from
positive and unlabeled data: a survey", section 5.1, two steps). What is found among the pictures
then counts as an example too, and all is learned again. Where "like" begins is read off the
examples, each judged by a classifier that has not seen it: all but the least typical are to be
found, unless wanted pictures come as near, as with features that see too little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from maquette.core.errors import DatasetError
from maquette.data.findings.features import Describer, described
from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.pictures.content import Raster

LEAST_EXAMPLES = 5
_SAMPLE = 4000  # pictures that are learned from
_ROUNDS = 5
_RIDGE = 1.0  # times the mean variance of a feature
_MISSED = 0.05  # share of the examples that may be judged unlike the others
# While learning, a picture more like the examples than these shares of them are is no longer taken
# for a wanted one, and from the second on for an example.
_DOUBTFUL, _SURE = 0.15, 0.3
_FAR = 3.0  # standard deviations of wanted pictures
_MIDDLE = 0.5  # between a usual picture, 0, and a usual example, 1
_MOST = 0.5  # share of the pictures that may be like the examples
_NEARLY = 0.15  # this much below where "like" begins a picture is borderline


class Unlike(Check):
    """What is like the examples, and apart from it what may be."""

    kinds = (
        Kind(
            "unlike",
            "warning",
            "Like what is not wanted",
            "These pictures look like the examples given of what is not wanted.",
            "left out",
        ),
        Kind(
            "unlike-borderline",
            "note",
            "Perhaps not wanted",
            "These pictures look a little like the examples given of what is not wanted: look at "
            "them.",
            "kept",
        ),
    )

    def __init__(self, describer: Describer, examples: Sequence[Raster]):
        """`examples`: thumbnails; DatasetError for fewer than LEAST_EXAMPLES."""
        if len(examples) < LEAST_EXAMPLES:
            raise DatasetError(
                f"too few examples of what is not wanted ({len(examples)}): at least "
                f"{LEAST_EXAMPLES} are needed, and 30 or more do well"
            )
        self._describer = describer
        self._examples = examples

    def findings(self, survey: Survey) -> Iterable[Finding]:
        readable = [i for i, picture in enumerate(survey.pictures) if picture.facts is not None]
        if not readable:
            return
        chosen = np.random.default_rng(0).permutation(len(readable))[:_SAMPLE]
        sample = [readable[place] for place in np.sort(chosen).tolist()]
        blocks = described(self._describer, survey.thumbnails, sample)
        pictures = np.concatenate([features for _, features in blocks])
        likeness, values = learned(self._describer.describe(iter(self._examples)), pictures)
        found = dict(zip(sample, values.tolist(), strict=True))
        rest = sorted(set(readable) - set(sample))
        for block, features in described(self._describer, survey.thumbnails, rest):
            found.update(zip(block, likeness.of(features).tolist(), strict=True))
        yield from self._told(found, likeness)

    def _told(self, found: dict[int, float], likeness: "Likeness") -> Iterable[Finding]:
        unlike, borderline = self.kinds
        like = [i for i, value in found.items() if value >= likeness.least]
        nearly = [i for i, value in found.items() if -_NEARLY <= value - likeness.least < 0]
        remark = f"Compared with {len(self._examples)} examples by {self._describer.name}"
        if likeness.apart and len(like) <= _MOST * len(found):
            told = [(unlike, like, f"{remark}."), (borderline, nearly, f"{remark}.")]
        else:
            why = "too many other pictures are as near, so all are kept"
            told = [(borderline, like, f"{remark}: {why}.")]
        for kind, pictures, remark in told:
            if pictures:
                yield Finding(kind, _marks(found, pictures), remark)


@dataclass(frozen=True)
class Likeness:
    """How like the examples a picture is: about 0 for a usual picture, 1 for a usual example."""

    weights: Float[np.ndarray, " dims"]
    constant: float
    least: float  # from here on it is like them
    apart: bool  # whether pictures that are wanted hardly come as near

    def of(self, features: Float32[np.ndarray, "pictures dims"]) -> Float[np.ndarray, " pictures"]:
        values: np.ndarray = features @ self.weights + self.constant
        return values


def learned(
    examples: Float32[np.ndarray, "examples dims"], pictures: Float32[np.ndarray, "pictures dims"]
) -> tuple[Likeness, Float[np.ndarray, " pictures"]]:
    """What tells the examples from the pictures, and how like them each picture is."""
    features = np.concatenate([examples, pictures]).astype(np.float64)
    known = np.arange(len(features)) < len(examples)
    positive, counted = known, np.ones(len(features), bool)
    for _ in range(_ROUNDS):
        weights, constant, values = regression(features, positive, counted)
        doubtful, sure = np.quantile(values[known], (_DOUBTFUL, _SURE))
        usual = float(np.median(values[~known]))  # half of the set at least is wanted
        positive = known | (values > max(sure, usual))
        counted = positive | (values <= max(doubtful, usual))
    least = max(float(np.quantile(values[known], _MISSED)), _MIDDLE)
    apart = _chance(values[counted & ~positive]) < least
    return Likeness(weights, constant, least, apart), values[~known]


def _chance(values: Float[np.ndarray, " pictures"]) -> float:
    """What wanted pictures hardly reach. Those below the median tell, as no others are there."""
    usual = float(np.median(values))
    below = values[values <= usual]
    return usual + _FAR * float(np.sqrt(np.mean((below - usual) ** 2)))


def regression(
    features: Float[np.ndarray, "n dims"],
    positive: Bool[np.ndarray, " n"],
    counted: Bool[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, " dims"], float, Float[np.ndarray, " n"]]:
    """Ridge regression on 1 for positive and 0 for other rows, both kinds weighing the same.

    Weights, constant, and what is predicted for each row by the others: f, or for rows counted,
    (f - h y) / (1 - h) with the leverage h (Allen 1974, "The relationship between variable
    selection and data augmentation", PRESS).
    """
    share = np.where(positive, 1 / positive.sum(), 1 / (counted & ~positive).sum()) * counted / 2
    centred = features - share @ features
    covariance = (centred * share[:, None]).T @ centred
    ridge = _RIDGE * np.trace(covariance) / len(covariance) + 1e-12
    inverse = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
    weights = inverse @ (centred.T @ (share * (positive - 0.5)))
    constant = 0.5 - float(share @ features @ weights)
    leverage = share * (1 + ((centred @ inverse) * centred).sum(1))
    values = (features @ weights + constant - leverage * positive) / (1 - leverage)
    return weights, constant, values


def _marks(found: dict[int, float], indices: list[int]) -> tuple[Mark, ...]:
    return tuple(Mark(index, f"likeness {found[index]:.2f}") for index in sorted(indices))
