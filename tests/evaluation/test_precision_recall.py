"""Precision, recall, density and coverage against scikit-learn's neighbours, one ball at a time."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from maquette.evaluation.precision_recall import density_coverage, precision_recall


def plainly(real: np.ndarray, generated: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """The definitions: precision, recall, density, coverage."""

    def radii(x: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1]  # without itself

    distances = pairwise_distances(real, generated)
    in_real = distances <= radii(real)[:, None]
    in_generated = distances <= radii(generated)[None]
    return (
        in_real.any(0).mean(),
        in_generated.any(1).mean(),
        in_real.sum(0).mean() / k,
        in_real.any(1).mean(),
    )


def features(count: int, width: int, seed: int) -> torch.Tensor:
    return torch.relu(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize(
    ("n", "m", "width"), [(200, 200, 8), (300, 120, 4), (40, 30, 64), (9, 8, 512)]
)
@pytest.mark.parametrize("entries", [2**23, 700])  # the second: in many blocks
def test_agrees_with_the_definitions(
    n: int, m: int, width: int, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maquette.evaluation.blocks._MOST_ENTRIES", entries)
    real, generated = features(n, width, seed=0), 0.9 * features(m, width, seed=1) + 0.1
    pair = real.double().numpy(), generated.double().numpy()
    first, second = precision_recall(real, generated), density_coverage(real, generated)
    expected = plainly(*pair, k=3)[:2]
    assert (first.precision.value, first.recall.value) == pytest.approx(expected, abs=1e-12)
    expected = plainly(*pair, k=5)[2:]
    assert (second.density.value, second.coverage.value) == pytest.approx(expected, abs=1e-12)
    for estimate in (*first, *second):
        assert 0 <= estimate.low <= estimate.value <= estimate.high


@pytest.mark.parametrize("count", [40, 800])
def test_agrees_on_real_pictures(count: int) -> None:
    """Handwritten digits: fewer than their 64 pixels, and more."""
    digits = torch.from_numpy(load_digits().data)
    real, generated = digits[:count], digits[-count:]
    found = precision_recall(real, generated)
    expected = plainly(real.numpy(), generated.numpy(), k=3)
    assert (found.precision.value, found.recall.value) == pytest.approx(expected[:2], abs=1e-12)


def test_they_tell_missing_quality_from_missing_variety() -> None:
    real, alike = features(400, 8, seed=0), features(400, 8, seed=1)
    few, far = alike[:4].repeat(100, 1) + 0.01 * features(400, 8, 2), alike + 5
    for measure in (precision_recall, density_coverage):
        honest, collapsed, bad = (measure(real, x) for x in (alike, few, far))
        assert honest[0].value > 0.6 and honest[1].value > 0.6
        assert collapsed[0].value > 0.6 and collapsed[1].value < 0.15
        assert bad[0].value == bad[1].value == 0


def test_copies_lie_in_the_balls_even_of_radius_zero() -> None:
    """Pictures that are there k + 1 times: the distances are 0 but for rounding."""
    real = (1000 + features(20, 512, seed=0)).repeat(6, 1)
    shuffled = real[torch.randperm(120, generator=torch.Generator().manual_seed(0))]
    found = precision_recall(real, shuffled)
    assert (found.precision.value, found.recall.value) == (1, 1)
    assert density_coverage(real, shuffled).coverage.value == 1


def test_for_one_distribution_density_is_1_and_coverage_as_published() -> None:
    """Naeem et al. 2020, section 3.3: 1 and, for equal numbers, nearly 1 - 2^-k."""
    found = [
        density_coverage(features(300, 6, 2 * i), features(300, 6, 2 * i + 1)) for i in range(20)
    ]
    assert np.mean([f.density.value for f in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([f.coverage.value for f in found]) == pytest.approx(1 - 2**-5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_intervals_hold_the_mean_over_draws_of_both_sets(shift: float) -> None:
    """Nearly: binomial ones, for balls as they are, hold it in 71 to 93 % of draws."""
    found = [
        (*precision_recall(x, y), *density_coverage(x, y))
        for x, y in (
            (features(200, 8, 2 * i), features(200, 8, 2 * i + 1) + shift) for i in range(200)
        )
    ]
    for kind in zip(*found, strict=True):
        mean = np.mean([e.value for e in kind])
        covered = np.mean([e.low <= mean <= e.high for e in kind])
        assert 0.86 <= covered <= 0.99


def test_intervals_follow_their_seed_and_sets_too_small_to_split_still_have_one() -> None:
    pair = features(100, 8, 0), features(100, 8, 1)
    assert precision_recall(*pair) == precision_recall(*pair) != precision_recall(*pair, seed=1)
    few = precision_recall(features(6, 8, 0), features(6, 8, 1)).precision
    assert few.high - few.low > 0.3
