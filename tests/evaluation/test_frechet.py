"""Fréchet distance against the textbook formula with scipy's matrix square root."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from maquette.evaluation.frechet import frechet_distance


def textbook(real: np.ndarray, generated: np.ndarray) -> float:
    shift = real.mean(0) - generated.mean(0)
    a, b = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    return float(shift @ shift + np.trace(a + b - 2 * sqrtm(a @ b).real))


@pytest.mark.parametrize(("n", "m"), [(300, 300), (300, 200)])
def test_agrees_with_the_textbook(n: int, m: int) -> None:
    random = np.random.default_rng(0)
    mixing = random.normal(size=(20, 20))
    real = random.normal(size=(n, 20)) @ mixing
    generated = random.normal(size=(m, 20)) * 1.5 + 0.3
    ours = frechet_distance(torch.from_numpy(real), torch.from_numpy(generated))
    assert ours == pytest.approx(textbook(real, generated), rel=1e-9)


def test_known_in_closed_form_on_a_line() -> None:
    """Along one axis it is (m1 - m2)^2 + (s1 - s2)^2."""
    line = torch.tensor([[-1.0, 0.0], [1.0, 0.0]]) / 2**0.5  # mean 0, deviation 1
    real, generated = 3 * line, line + torch.tensor([5.0, 0.0])
    assert frechet_distance(real, generated) == pytest.approx(25 + 4, rel=1e-6)


def test_fewer_pictures_than_features_still_give_a_number() -> None:
    features = torch.randn(30, 64, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(features, features + 1) == pytest.approx(64, rel=1e-4)
