"""KID against scikit-learn's polynomial kernel, and what unbiased means."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from maquette.evaluation.kid import kernel_distance


def plainly(real: np.ndarray, generated: np.ndarray, subsets: int, size: int) -> np.ndarray:
    """The published estimator, one subset after the other."""
    random = np.random.default_rng(0)
    size = min(size, len(real), len(generated))
    values = []
    for _ in range(subsets):
        x = real[random.choice(len(real), size, False)]
        y = generated[random.choice(len(generated), size, False)]
        xx, yy, xy = (polynomial_kernel(*p, degree=3, coef0=1) for p in ((x, x), (y, y), (x, y)))
        others = ~np.eye(size, dtype=bool)
        values.append(xx[others].mean() + yy[others].mean() - 2 * xy.mean())
    return np.array(values)


@pytest.mark.parametrize(("n", "m", "size"), [(120, 120, 50), (120, 40, 500)])
def test_agrees_with_the_plain_estimator(n: int, m: int, size: int) -> None:
    random = np.random.default_rng(1)
    real, generated = random.normal(size=(n, 32)), random.normal(size=(m, 32)) * 1.2 + 0.5
    ours = kernel_distance(
        torch.from_numpy(real), torch.from_numpy(generated), subsets=20, subset_size=size
    )
    expected = plainly(real, generated, 20, size)
    assert ours.mean == pytest.approx(expected.mean(), rel=1e-9)
    assert ours.error == pytest.approx(expected.std(), rel=1e-6, abs=1e-12)


def test_two_samples_of_one_distribution_scatter_around_zero() -> None:
    random = torch.Generator().manual_seed(0)
    means = [
        kernel_distance(
            torch.randn(60, 16, generator=random), torch.randn(60, 16, generator=random), subsets=1
        ).mean
        for _ in range(100)
    ]
    standard_error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means)) < 3 * standard_error
    assert min(means) < 0 < max(means)
