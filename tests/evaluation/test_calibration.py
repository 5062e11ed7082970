"""Calibration error against torchmetrics, and the temperature against a search by scipy."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torchmetrics.functional.classification import multiclass_calibration_error

from maquette.evaluation.calibration import at_temperature, calibration, fit_temperature


def drawn(count: int, sharpness: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels drawn from the softmax of logits / sharpness."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, 6)) * 2
    chances = torch.from_numpy(logits).softmax(1).numpy().cumsum(1)
    labels = (random.random((count, 1)) > chances[:, :-1]).sum(1)
    return torch.from_numpy(logits) * sharpness, torch.from_numpy(labels)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("bins", [5, 15])
def test_agrees_with_torchmetrics(sharpness: float, bins: int) -> None:
    logits, labels = drawn(700, sharpness)
    expected = multiclass_calibration_error(logits.softmax(1), labels, 6, n_bins=bins, norm="l1")
    found = calibration(logits.softmax(1), labels, bins=bins)
    assert found.error == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_table_adds_up_to_the_error(adaptive: bool) -> None:
    logits, labels = drawn(1000, 2.0)
    probabilities = logits.softmax(1)
    found = calibration(probabilities, labels, adaptive=adaptive)
    rows = found.bins
    assert sum(row.count for row in rows) == found.count == 1000
    gaps = [row.count * abs(row.accuracy - row.confidence) / 1000 for row in rows]
    assert sum(gaps) == pytest.approx(found.error)
    assert [row.confidence for row in rows] == sorted(row.confidence for row in rows)
    assert all(row.low <= row.accuracy <= row.high for row in rows)
    right = (probabilities.argmax(1) == labels).float().mean().item()
    assert sum(row.count * row.accuracy for row in rows) / 1000 == pytest.approx(right)


def test_adaptive_bins_hold_equally_many() -> None:
    logits, labels = drawn(100, 1.0)
    counts = [row.count for row in calibration(logits.softmax(1), labels, adaptive=True).bins]
    assert len(counts) == 15
    assert set(counts) == {6, 7}


@pytest.mark.parametrize("count", [100, 500])
def test_true_confidences_err_by_chance_alone_and_false_ones_by_more(count: int) -> None:
    true = [calibration(x.softmax(1), y) for x, y in (drawn(count, 1.0, s) for s in range(40))]
    errors = [found.error for found in true]
    assert np.mean(errors) == pytest.approx(np.mean([t.faultless for t in true]), rel=0.15)
    assert np.mean([t.error < t.faultless_high for t in true]) >= 0.85
    logits, labels = drawn(count, 3.0)
    false = calibration(logits.softmax(1), labels)
    assert false.error > 1.3 * false.faultless_high


def test_the_same_seed_gives_the_same_chance() -> None:
    logits, labels = drawn(50, 1.0)
    first, again, other = (calibration(logits.softmax(1), labels, seed=s) for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 4.0])
def test_the_temperature_is_the_one_that_scipy_finds(sharpness: float) -> None:
    logits, labels = drawn(2000, sharpness)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return torch.nn.functional.cross_entropy(scaled, labels).item()

    expected = minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9})
    found = fit_temperature(logits, labels)
    assert np.log(found.value) == pytest.approx(expected.x, abs=1e-4)
    assert found.value == pytest.approx(sharpness, rel=0.1)
    assert found.after == pytest.approx(expected.fun, rel=1e-9)
    assert found.before == pytest.approx(loss(0))
    better = calibration(at_temperature(logits, found.value), labels)
    assert better.error < better.faultless_high


def test_probabilities_of_zero_and_faultless_answers_give_numbers() -> None:
    labels = torch.arange(12) % 3
    faultless = torch.eye(3)[labels]
    sharper = fit_temperature(faultless * 2, labels)
    assert sharper.value < 0.2 and sharper.after < 1e-12 < sharper.before
    assert fit_temperature(faultless.log(), labels).after == 0
    sometimes_wrong = faultless[[1, *range(1, 12)]]
    found = fit_temperature(sometimes_wrong.log(), labels)
    assert found.value == pytest.approx(100)
    assert found.after < found.before < np.inf


def test_a_temperature_changes_no_answer() -> None:
    logits, _ = drawn(50, 1.0)
    for temperature in (0.1, 10):
        assert (at_temperature(logits, temperature).argmax(1) == logits.argmax(1)).all()
