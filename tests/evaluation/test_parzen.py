"""Parzen windows against scikit-learn's kernel density, and what the bandwidth search does.

One leaf for all: the tree of scikit-learn 1.9.1 goes wrong in many dimensions (issues 7492, 27186;
here by 19,606 nats, where scipy's logsumexp and ours agree to 1e-11).
"""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KernelDensity

from maquette.evaluation import parzen
from maquette.evaluation.parzen import SIGMAS, log_likelihoods, logarithmic_grid, parzen_window
from scenes import scenes

GENERATED, VALIDATION, TEST = (
    scenes(n, seed=s, size=(12, 16)) for n, s in [(90, 0), (40, 1), (70, 2)]
)


def points(pixels: torch.Tensor) -> np.ndarray:
    return pixels.flatten(1).double().numpy() / 255


def density(sigma: float) -> KernelDensity:
    return KernelDensity(bandwidth=sigma, leaf_size=len(GENERATED)).fit(points(GENERATED))


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
def test_agrees_with_scikit_learn(sigma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parzen, "_ROWS_AT_ONCE", 32)  # several blocks, the last one short
    expected = density(sigma).score_samples(points(TEST))
    ours = log_likelihoods(TEST, GENERATED, [sigma])[0]
    assert ours.numpy() == pytest.approx(expected, rel=1e-6)


def test_a_picture_far_from_every_window_is_unlikely_not_impossible() -> None:
    black, white = (
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8),
        torch.full((3, 3, 64, 64), 255).byte(),
    )
    found = log_likelihoods(white, black, [0.01])
    dims = 3 * 64 * 64
    expected = -dims / (2 * 0.01**2) - dims / 2 * math.log(2 * math.pi * 0.01**2)
    assert found[0].tolist() == pytest.approx([expected] * 3, rel=1e-12)


def test_the_bandwidth_is_the_best_for_validation_and_the_value_for_test() -> None:
    found = parzen_window(GENERATED, VALIDATION, TEST)
    by_hand = [density(s).score(points(VALIDATION)) / len(VALIDATION) for s in SIGMAS]
    assert found.validation == pytest.approx(by_hand, rel=1e-6)
    assert found.sigma == SIGMAS[int(np.argmax(by_hand))]
    assert not found.at_end_of_grid
    scores = density(found.sigma).score_samples(points(TEST))
    assert found.value == pytest.approx(scores.mean(), rel=1e-6)
    assert found.error == pytest.approx(scores.std(ddof=1) / math.sqrt(70), rel=1e-6)
    assert found.count == 70


def test_a_grid_that_ends_too_early_is_told() -> None:
    assert parzen_window(
        GENERATED, VALIDATION, TEST, logarithmic_grid(0.01, 0.05, 3)
    ).at_end_of_grid
    assert parzen_window(GENERATED, VALIDATION, TEST, logarithmic_grid(0.6, 2.0, 3)).at_end_of_grid


def test_alike_pictures_beat_noise() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).integers(0, 256, GENERATED.shape, np.uint8))
    alike, unlike = (parzen_window(g, VALIDATION, TEST) for g in (GENERATED, noise))
    assert alike.value > unlike.value + 10 * (alike.error + unlike.error)


def test_the_grid_is_logarithmic() -> None:
    assert logarithmic_grid(0.1, 1, 10) == pytest.approx(np.logspace(-1, 0, 10))
