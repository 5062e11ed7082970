"""Intervals against scipy's bootstrap and the textbook error of a mean."""

import numpy as np
import pytest
import scipy.stats
import torch

from maquette.evaluation.bootstrap import bootstrap_interval, jackknife_interval, subsampling_errors

VALUES = torch.from_numpy(np.random.default_rng(0).exponential(size=80))


def test_a_mean_agrees_with_scipy() -> None:
    ours = bootstrap_interval(lambda weights: weights @ VALUES, 80, resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (VALUES.numpy(),), np.mean, n_resamples=20_000, method="percentile", rng=0
    )
    assert ours.value == pytest.approx(float(VALUES.mean()), rel=1e-12)
    assert ours.error == pytest.approx(theirs.standard_error, rel=0.03)
    interval = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), rel=0.01)


def test_it_repeats_itself_and_follows_its_seed() -> None:
    first, again, other = (
        bootstrap_interval(lambda weights: weights @ VALUES, 80, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_many_pictures_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_interval(lambda weights: weights @ VALUES, 80)
    heights = []

    def mean(weights: torch.Tensor) -> torch.Tensor:
        heights.append(len(weights))
        return weights @ VALUES

    monkeypatch.setattr("maquette.evaluation.blocks._MOST_ENTRIES", 800)
    assert bootstrap_interval(mean, 80) == whole
    assert max(heights) == 10


def test_the_jackknife_of_a_difference_of_means_is_the_textbook() -> None:
    a, b = VALUES[:30], VALUES[30:]
    estimate = jackknife_interval(float(a.mean() - b.mean()), a + 7, -b)
    expected = float(a.var() / 30 + b.var() / 50) ** 0.5
    assert estimate.error == pytest.approx(expected, rel=1e-12)
    assert estimate.high - estimate.value == pytest.approx(1.96 * expected, rel=1e-4)
    assert estimate.value - estimate.low == pytest.approx(1.96 * expected, rel=1e-4)


def test_subsampling_finds_the_error_of_a_difference_of_means() -> None:
    a, b = torch.randn(400, generator=torch.Generator().manual_seed(0)), VALUES.repeat(3)

    def statistics(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        assert len(x) >= 100 and len(y) >= 60
        return float(a[x].mean() - b[y].mean()), float(a[x].mean())

    found = subsampling_errors(statistics, (400, 240), fewest=4)
    expected = [float(a.var() / 400 + b.var() / 240) ** 0.5, float(a.var() / 400) ** 0.5]
    assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(("fewest", "sizes"), [(4, {5}), (8, {10}), (11, {20})])
def test_pieces_are_never_smaller_than_asked(fewest: int, sizes: set[int]) -> None:
    seen = set()

    def statistics(x: torch.Tensor, y: torch.Tensor) -> tuple[float]:
        seen.update({len(x), len(y)})
        return (float(x.double().mean()),)

    (error,) = subsampling_errors(statistics, (20, 20), fewest=fewest)
    assert seen == sizes
    assert (error == 0) == (sizes == {20})
