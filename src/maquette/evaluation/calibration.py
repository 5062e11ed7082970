"""Can a classifier's confidence be believed? Calibration error, reliability table, temperature.

Notable: the calibration error is never 0, for a bin of few pictures misses its confidence by
chance. What a faultlessly calibrated classifier would show with as many pictures stands beside it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from maquette.core.images import Labels, Scalar
from maquette.evaluation.intervals import wilson_interval

_DRAWS = 1000
_SHARPEST, _FLATTEST = 0.01, 100.0  # temperatures
_HALVINGS = 60
_LEAST_LOG_PROBABILITY = (
    -745.0
)  # of the smallest float64; log 0 times probability 0 is not a number


@dataclass(frozen=True)
class ReliabilityBin:
    """Pictures answered with about the same confidence, and how many of the answers were right."""

    confidence: float  # mean
    accuracy: float
    low: float  # of the accuracy, Wilson's 95 % interval
    high: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error in [0, 1], and the table a reliability diagram is drawn from."""

    error: float
    faultless: float  # mean error by chance alone, were every confidence true
    faultless_high: float  # its 95th percentile: an error below it is no evidence of a fault
    bins: tuple[ReliabilityBin, ...]  # those with pictures, by confidence
    count: int


def calibration(
    probabilities: Float[Tensor, "batch classes"],
    labels: Labels,
    *,
    bins: int = 15,
    adaptive: bool = False,
    seed: int = 0,
) -> Calibration:
    """sum_b n_b / n |accuracy_b - confidence_b| over bins of the answered class's probability.

    Guo et al. 2017, eq. 3 (15 bins of equal width); with `adaptive` bins of equally many pictures
    (Nguyen and O'Connor 2015), which leaves none of them to a few pictures. The error by chance:
    the answers drawn anew as often right as their confidence says (Bröcker and Smith 2007).
    """
    confidence, answers = (t.cpu() for t in probabilities.double().max(1))
    right = (answers == labels.cpu()).double()
    order = confidence.argsort(stable=True)
    confidence, right = confidence[order], right[order]
    if adaptive:
        parts = torch.arange(len(right)) * bins // len(right)
    else:  # (0, 1/15], (1/15, 2/15] ...
        parts = (confidence * bins).ceil().long().clamp(1, bins) - 1
    _, where, counts = torch.unique(parts, return_inverse=True, return_counts=True)
    sums = confidence.new_zeros(2, len(counts))
    sums.index_add_(1, where, torch.stack([confidence, right]))
    random = np.random.default_rng(seed)
    by_chance = []
    for _ in range(_DRAWS):
        drawn = torch.from_numpy(random.random(len(right))) < confidence
        hits = torch.bincount(where, drawn.double(), minlength=len(counts))
        by_chance.append(_error(sums[0], hits, len(right)))
    return Calibration(
        error=_error(sums[0], sums[1], len(right)),
        faultless=float(np.mean(by_chance)),
        faultless_high=float(np.quantile(by_chance, 0.95)),
        bins=tuple(_bin(*row) for row in torch.stack([*sums, counts.double()], dim=1).tolist()),
        count=len(right),
    )


class Temperature(NamedTuple):
    """One number that logits are divided by: above 1 for a classifier too sure of itself."""

    value: float
    before: float  # mean negative log-likelihood in nats, as given
    after: float  # the same, at this temperature


def fit_temperature(logits: Float[Tensor, "batch classes"], labels: Labels) -> Temperature:
    """The temperature with the least negative log-likelihood; fit it on held-out pictures.

    Guo et al. 2017, section 4.2. Log-probabilities serve as logits. The likelihood is concave in
    1 / temperature, so its slope has one zero, found by halving between temperatures 0.01 and 100.
    Of faultless answers the lower the better, down to 0.01 or to where the loss is 0 in float64.
    """
    logits, labels = _normalised(logits), labels.long()
    right = logits.gather(1, labels[:, None])[:, 0]
    low, high = np.log(_SHARPEST), np.log(_FLATTEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        probabilities = (logits / np.exp(middle)).softmax(1)
        too_flat = float((right - (probabilities * logits).sum(1)).mean()) > 0
        low, high = (low, middle) if too_flat else (middle, high)
    value = float(np.exp((low + high) / 2))
    before, after = (_loss(logits / t, labels).item() for t in (1.0, value))
    return Temperature(value, before, after)


def at_temperature(
    logits: Float[Tensor, "batch classes"], temperature: float
) -> Float[Tensor, "batch classes"]:
    """Probabilities; the order of the answers stays."""
    return (logits / temperature).softmax(1)


def _loss(logits: Float64[Tensor, "batch classes"], labels: Labels) -> Scalar:
    return torch.nn.functional.cross_entropy(logits, labels)


def _normalised(logits: Float[Tensor, "batch classes"]) -> Float64[Tensor, "batch classes"]:
    return logits.double().log_softmax(1).clamp(min=_LEAST_LOG_PROBABILITY)


def _error(
    confidences: Float64[Tensor, " bins"], hits: Float64[Tensor, " bins"], count: int
) -> float:
    return ((hits - confidences).abs().sum() / count).item()


def _bin(confidence: float, right: float, count: float) -> ReliabilityBin:
    """From sums over the pictures of a bin."""
    return ReliabilityBin(
        confidence / count,
        right / count,
        *wilson_interval(int(right), int(count)),
        count=int(count),
    )
