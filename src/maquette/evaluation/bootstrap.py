"""95 % intervals by resampling pictures, in forms that stay cheap where a statistic is not.

Notable: a Fréchet distance is resampled in closed form. Drawing pictures with replacement would not
only cost a decomposition each time: repeated pictures shrink the covariance, so that resampled
distances lie above the distance itself and their percentiles may not even hold it. Where nearest
neighbours count, pictures are drawn without replacement: that of a repeated picture is itself.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from maquette.evaluation.blocks import row_blocks

DEVIATIONS = 1.959964  # of a normal distribution on either side hold 95 %
_PARTS = 4
_REPEATS = 8

Weights = Float64[Tensor, "resamples count"]  # non-negative, each row adds up to 1
Values = Float64[Tensor, "resamples"]

PerPicture = Float64[Tensor, "_"]
Indices = Int64[Tensor, "_"]


class Estimate(NamedTuple):
    """A number, its standard error and the ends of its 95 % interval."""

    value: float
    error: float
    low: float
    high: float


def bootstrap_interval(
    statistic: Callable[[Weights], Values], count: int, *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Percentile interval (Efron 1979) of a statistic that can be computed from weights.

    A resample of `count` pictures is how often each was drawn, divided by count; `statistic` gets
    many resamples at once: a mean of values is `lambda weights: weights @ values`. The value is
    that of equal weights. Only for statistics that repeated pictures do not bias.
    """
    random = np.random.default_rng(seed)
    equal = torch.full((1, count), 1 / count, dtype=torch.float64)
    values = torch.empty(resamples, dtype=torch.float64)
    for block in row_blocks(resamples, count):
        drawn = random.multinomial(count, equal[0].numpy(), len(values[block]))
        values[block] = statistic(torch.from_numpy(drawn / count))
    low, high = torch.quantile(values, values.new_tensor([0.025, 0.975])).tolist()
    return Estimate(float(statistic(equal)), float(values.std()), low, high)


def jackknife_interval(value: float, *influences: PerPicture) -> Estimate:
    """value +- 1.96 standard errors by the infinitesimal jackknife (Efron 1982, section 6.3).

    One tensor of influences for each independently drawn set: how the value changes as a picture's
    weight grows, times the number of pictures; a constant added to all of a set changes nothing.
    The limit of the bootstrap for small changes of the weights. Like every jackknife it is
    conservative (Efron and Stein 1981): up to sqrt(2) too wide where influences cancel on average.
    """
    error = math.sqrt(sum(float(i.var()) / len(i) for i in influences))
    return Estimate(value, error, value - DEVIATIONS * error, value + DEVIATIONS * error)


def subsampling_errors(
    statistics: Callable[[Indices, Indices], Sequence[float]],
    counts: tuple[int, int],
    *,
    fewest: int,
    seed: int = 0,
) -> list[float]:
    """Standard errors of statistics of two sets, from how they differ between random quarters.

    Politis and Romano 1994: without replacement, a quarter's variance is four times the whole's, of
    any statistic whose variance falls with the number of pictures. Needed for nearest neighbours,
    where the bootstrap fails (Abadie and Imbens 2008) and leaving one out gives twice the error
    (measured). `statistics` gets the pictures of each set to use; never fewer than `fewest`: small
    sets are halved instead, and where even halves are too small the errors are 0. Costs about as
    much as two evaluations of a statistic that takes the square of the number of pictures.
    """
    parts = min(_PARTS, min(counts) // fewest)
    if parts < 2:
        return [0.0] * len(statistics(*(torch.arange(count) for count in counts)))
    random = np.random.default_rng(seed)
    variances = []
    for _ in range(_REPEATS):
        shuffled = [torch.from_numpy(random.permutation(count)) for count in counts]
        pieces = zip(*(order.tensor_split(parts) for order in shuffled), strict=True)
        variances.append(np.var([statistics(x, y) for x, y in pieces], axis=0, ddof=1) / parts)
    return [float(error) for error in np.sqrt(np.mean(variances, axis=0))]
