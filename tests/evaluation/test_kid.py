"""KID against scikit-learn's polynomial kernel and torchmetrics; its interval by drawing again."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics.pairwise import polynomial_kernel
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from maquette.evaluation.bootstrap import Estimate
from maquette.evaluation.kid import kernel_distance, kid


def plainly(real: np.ndarray, generated: np.ndarray, subsets: int, size: int) -> np.ndarray:
    """The published estimator, one subset after the other."""
    random = np.random.default_rng(0)
    size = min(size, len(real), len(generated))
    values = []
    for _ in range(subsets):
        x = real[random.choice(len(real), size, False)]
        y = generated[random.choice(len(generated), size, False)]
        values.append(unbiased(x, y))
    return np.array(values)


def unbiased(x: np.ndarray, y: np.ndarray) -> float:
    xx, yy, xy = (polynomial_kernel(*p, degree=3, coef0=1) for p in ((x, x), (y, y), (x, y)))
    among_x, among_y = (k[~np.eye(len(k), dtype=bool)].mean() for k in (xx, yy))
    return float(among_x + among_y - 2 * xy.mean())


def features(count: int, seed: int, shift: float = 0.0, width: int = 64) -> torch.Tensor:
    """Clusters, few strong directions and a ReLU, as in the features of a network."""
    world = torch.Generator().manual_seed(100)
    clusters = 0.7 * torch.randn(8, width, generator=world)
    mixing = torch.randn(10, width, generator=world) / 10**0.5
    direction = torch.randn(width, generator=world)
    random = torch.Generator().manual_seed(seed)
    centres = clusters[torch.randint(8, (count,), generator=random)]
    strong = torch.randn(count, 10, generator=random) @ mixing
    weak = 0.3 * torch.randn(count, width, generator=random)
    return torch.relu(centres + strong + weak + shift * direction).double()


@pytest.mark.parametrize(("n", "m"), [(60, 60), (150, 40), (20, 90), (4, 4)])
@pytest.mark.parametrize("entries", [2**23, 500])  # the second: in many blocks
def test_every_pair_is_used_once(
    n: int, m: int, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maquette.evaluation.blocks._MOST_ENTRIES", entries)
    real, generated = features(n, seed=0), features(m, seed=1, shift=0.2)
    estimate = kid(real, generated)
    assert estimate.value == pytest.approx(unbiased(real.numpy(), generated.numpy()), rel=1e-9)
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.error > 0


@pytest.mark.parametrize("count", [50, 300])
def test_agrees_with_torchmetrics(count: int) -> None:
    """Fewer pictures than features, and more; its subset is the whole set."""
    digits = torch.from_numpy(load_digits().data)
    for real, generated in [
        (features(count, seed=0), features(count, seed=1, shift=0.2)),
        (digits[:count] / 16, digits[-count:] / 16),
    ]:
        theirs = by_torchmetrics(real, generated)
        assert kid(real, generated).value == pytest.approx(theirs, rel=1e-4)
        ours = kernel_distance(real, generated, subsets=1, subset_size=count)
        assert ours.mean == pytest.approx(theirs, rel=1e-4)


def by_torchmetrics(real: torch.Tensor, generated: torch.Tensor) -> float:
    extractor = torch.nn.Flatten()
    extractor.num_features = real.shape[1]
    metric = KernelInceptionDistance(feature=extractor, subsets=1, subset_size=len(real))
    metric.set_dtype(torch.float64)
    metric.update(real[:, :, None, None], real=True)
    metric.update(generated[:, :, None, None], real=False)
    return float(metric.compute()[0])


def test_subsets_agree_with_torchmetrics() -> None:
    """Its estimator on the subsets that we draw."""
    real, generated = features(120, seed=0), features(100, seed=1, shift=0.2)
    random = np.random.default_rng(7)
    theirs = [
        poly_mmd(*(x[torch.from_numpy(random.choice(len(x), 50, replace=False))] for x in pair))
        for pair in [(real, generated)] * 20
    ]
    ours = kernel_distance(real, generated, subsets=20, subset_size=50, seed=7)
    assert ours.mean == pytest.approx(float(torch.stack(theirs).mean()), rel=1e-4)


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


def test_pictures_all_alike_are_at_a_certain_distance() -> None:
    estimate = kid(torch.zeros(5, 3), torch.ones(6, 3))
    assert estimate == pytest.approx((1 + 8 - 2, 0, 7, 7), abs=1e-6)
    assert kid(torch.ones(5, 3), torch.ones(6, 3)) == pytest.approx((0, 0, 0, 0), abs=1e-6)


def drawn_again(
    n: int, m: int, shift: float, width: int, times: int
) -> tuple[list[Estimate], float]:
    """Estimates from new draws each time, and what they estimate: exactly 0, or their mean."""
    found = [
        kid(features(n, 2 * i, width=width), features(m, 2 * i + 1, shift, width))
        for i in range(times)
    ]
    return found, float(np.mean([f.value for f in found])) if shift else 0.0


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_the_error_is_that_of_repeated_draws(shift: float) -> None:
    found, _ = drawn_again(60, 90, shift, width=16, times=400)
    ratio = np.sqrt(np.mean([f.error**2 for f in found])) / np.std([f.value for f in found])
    assert 0.9 < ratio < 1.4  # above 1 for equal sets, where nothing goes below 0


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.15, 0.5])  # equal, hardly, clearly, very different
@pytest.mark.parametrize(
    ("n", "m", "width"),
    [(30, 30, 64), (100, 100, 64), (100, 400, 64), (300, 300, 64), (80, 80, 512)],
)
def test_the_interval_holds_the_true_distance_in_95_percent_of_draws(
    n: int, m: int, width: int, shift: float
) -> None:
    found, true = drawn_again(n, m, shift, width, times=800)
    covered = np.mean([f.low <= true <= f.high for f in found])
    assert covered == pytest.approx(0.95, abs=0.035)  # 0.03, and 0.005 for chance in 800 draws
