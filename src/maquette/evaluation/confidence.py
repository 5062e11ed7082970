"""How sure the numbers about confidence are, and temperatures that are fair to use and to judge.

Notable: a temperature flatters the pictures it was fitted on, and one fitted on pictures without
mistakes is as certain as numbers allow.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Labels
from maquette.core.randomness import shuffled
from maquette.evaluation.bootstrap import DEVIATIONS, Estimate, bootstrap_interval
from maquette.evaluation.calibration import at_temperature, fit_temperature

BINS = 15
FEWEST_MISTAKES = 5  # from which to learn that a classifier may be surer of itself

Logits = Float[Tensor, "batch classes"]


def fair_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature to answer with from now on, fitted on these held-out pictures.

    Below 1, which makes answers surer, only where five mistakes or more say how sure to be: without
    any, the likelihood is best at no doubt at all.
    """
    found = fit_temperature(logits, labels).value
    mistakes = int((logits.argmax(1) != labels).sum())
    return found if mistakes >= FEWEST_MISTAKES else max(1.0, found)


def cross_fitted(logits: Logits, labels: Labels) -> Logits:
    """Probabilities of each half of the pictures at the temperature fitted on the other half.

    The halves are drawn at random, the same every time. Needs two pictures.
    """
    halves = shuffled(len(logits), "halves of the answers").tensor_split(2)
    found = torch.empty_like(logits)
    for judged, fitted in (halves, halves[::-1]):
        temperature = fair_temperature(logits[fitted], labels[fitted])
        found[judged] = at_temperature(logits[judged], temperature)
    return found


class Interval(NamedTuple):
    """Where a number lies, 95 %."""

    low: float
    high: float


def calibration_interval(probabilities: Logits, labels: Labels) -> Interval:
    """Of the expected calibration error of `calibration` in 15 bins of equal width.

    Below, the error less what resampling moves the bins by, as |a| - |b| <= |a - b|: 0 is inside
    where there is no fault. Above, the bootstrap's percentile, which repeated pictures push up.
    """
    confidence, answers = (t.cpu() for t in probabilities.double().max(1))
    missed = (answers == labels.cpu()).double() - confidence
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    each = missed.new_zeros(len(missed), BINS).scatter_(1, bins[:, None], missed[:, None])
    found = bootstrap_interval(lambda weights: (weights @ each).abs().sum(1), len(each))
    moved = bootstrap_interval(lambda w: (w @ each - each.mean(0)).abs().sum(1), len(each))
    return Interval(max(0.0, found.value - moved.high), min(1.0, found.high))


def best_temperature(logits: Logits, labels: Labels) -> Estimate:
    """`fit_temperature` with a 95 % interval: on a logarithmic scale, by the sandwich estimator.

    Huber 1967: b = 1 / temperature makes the mean of g = z_label - sum_k p_k z_k vanish, z the
    logits and p their softmax at b; its slope in b is minus the mean variance of z under p. Without
    doubt left in any answer there is nothing to estimate from, and the interval is the number.
    """
    value = fit_temperature(logits, labels).value
    z = logits.double()
    p = (z / value).softmax(1)
    mean = (p * z).sum(1)
    slope = float(((p * z.square()).sum(1) - mean.square()).mean())
    g = z.gather(1, labels.long()[:, None])[:, 0] - mean
    scatter = float(g.square().mean() / len(g)) ** 0.5
    error = value * scatter / slope if slope > 0 else 0.0  # of the logarithm
    reach = float(torch.tensor(DEVIATIONS * error).exp())
    return Estimate(value, value * error, value / reach, value * reach)
