"""Temperatures that are fair, and intervals that hold."""

import numpy as np
import pytest
import torch

from maquette.evaluation.calibration import at_temperature, calibration, fit_temperature
from maquette.evaluation.confidence import (
    best_temperature,
    calibration_interval,
    cross_fitted,
    fair_temperature,
)


def answers(count: int, too_sure: float, seed: int = 0):
    """Logits `too_sure` times too large, and labels as the smaller ones say."""
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, 4, generator=random)
    labels = torch.multinomial(logits.softmax(1), 1, generator=random)[:, 0]
    return too_sure * logits, labels


def test_with_mistakes_the_fitted_temperature_is_taken():
    for too_sure in (0.5, 2.0):
        logits, labels = answers(2000, too_sure)
        assert fair_temperature(logits, labels) == fit_temperature(logits, labels).value
        assert fair_temperature(logits, labels) == pytest.approx(too_sure, rel=0.1)


def test_without_mistakes_it_becomes_no_surer():
    logits, labels = torch.eye(4).repeat(10, 1), torch.arange(4).repeat(10)
    assert fit_temperature(logits, labels).value < 0.05
    assert fair_temperature(logits, labels) == 1


def test_cross_fitting_knows_nothing_of_the_pictures_it_judges():
    logits, labels = answers(400, 3.0)
    found = cross_fitted(logits, labels)
    halves = _temperature(logits, found).round(decimals=3)
    assert len(halves.unique()) == 2
    changed = labels.clone()
    first = halves == halves[0]
    changed[first] = (changed[first] + 1) % 4  # its own labels do not change its probabilities
    assert torch.allclose(cross_fitted(logits, changed)[first], found[first])
    assert not torch.allclose(cross_fitted(logits, changed)[~first], found[~first])
    assert calibration(found, labels).error < calibration(logits.softmax(1), labels).error / 3


def _temperature(logits: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Differences of logits over differences of log-probabilities, a row each."""
    log = probabilities.log()
    return (logits[:, 0] - logits[:, 1]) / (log[:, 0] - log[:, 1])


def test_the_interval_of_a_temperature_is_that_of_a_bootstrap():
    logits, labels = answers(300, 2.0)
    found = best_temperature(logits, labels)
    random = np.random.default_rng(0)
    drawn = [torch.from_numpy(random.integers(0, 300, 300)) for _ in range(150)]
    resampled = np.log([fit_temperature(logits[rows], labels[rows]).value for rows in drawn])
    low, high = np.exp(np.log(found.value) + np.array([-1.96, 1.96]) * resampled.std())
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.05)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("too_sure", [1.0, 2.0])
def test_the_interval_of_the_calibration_error_holds_the_truth(too_sure):
    many_logits, many_labels = answers(100_000, too_sure, seed=1)
    truth = calibration(many_logits.softmax(1), many_labels).error
    held = 0
    for seed in range(20):
        logits, labels = answers(300, too_sure, seed + 2)
        probabilities = at_temperature(logits, 1.0)
        interval = calibration_interval(probabilities, labels)
        error = calibration(probabilities, labels).error
        assert interval.low <= error <= interval.high
        held += interval.low <= truth <= interval.high
    assert held >= 18
