"""Kernel distance (KID) between two sets of features: unbiased, so fit for small sets."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor


class KernelDistance(NamedTuple):
    """The mean over subsets and their standard deviation.

    The deviation is the standard error of one subset's estimate, and what the field prints after
    "±". It shrinks to nothing when a subset is the whole set: then it says nothing.
    """

    mean: float
    error: float


def kernel_distance(
    real: Float[Tensor, "n features"],
    generated: Float[Tensor, "m features"],
    *,
    subsets: int = 100,
    subset_size: int = 500,
    seed: int = 0,
) -> KernelDistance:
    """Unbiased squared MMD with k(x, y) = (x.y / d + 1)^3, averaged over random subsets.

    Bińkowski et al. 2018, section 4 (the kernel, the averaging over blocks), with the unbiased
    estimator of Gretton et al. 2012 (eq. 3). In float64. 0 on average for two sets of one
    distribution, so small negative values are right. Subsets are drawn without replacement and hold
    at most as many pictures as the smaller set, which needs two.
    """
    random = np.random.default_rng(seed)
    size = min(subset_size, len(real), len(generated))
    assert size > 1
    real, generated = real.double(), generated.double()
    values = []
    for _ in range(subsets):
        x = real[torch.from_numpy(random.choice(len(real), size, replace=False))]
        y = generated[torch.from_numpy(random.choice(len(generated), size, replace=False))]
        values.append(_squared_mmd(x, y))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _squared_mmd(x: Float64[Tensor, "n d"], y: Float64[Tensor, "n d"]) -> float:
    """Gretton et al. 2012, eq. 3: a picture is never compared with itself within its set."""
    count = len(x)
    within = sum(
        (k.sum() - k.trace()) / (count * (count - 1)) for k in (_cubic(x, x), _cubic(y, y))
    )
    return float(within - 2 * _cubic(x, y).mean())


def _cubic(x: Float64[Tensor, "n d"], y: Float64[Tensor, "m d"]) -> Float64[Tensor, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3
