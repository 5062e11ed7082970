"""Fréchet distance against scipy's matrix square root and torchmetrics; its interval by drawing."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits
from torchmetrics.image.fid import FrechetInceptionDistance

from maquette.evaluation.frechet import (
    Moments,
    frechet,
    frechet_between,
    frechet_distance,
    frechet_influences,
    moments,
)

pytestmark = pytest.mark.filterwarnings("ignore:Matrix is singular")  # scipy, of features all 0


def textbook(real: np.ndarray, generated: np.ndarray) -> float:
    shift = real.mean(0) - generated.mean(0)
    a, b = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    return float(shift @ shift + np.trace(a + b - 2 * sqrtm(a @ b).real))


def by_torchmetrics(real: torch.Tensor, generated: torch.Tensor) -> float:
    """The features are its "pictures" of 1 x 1 px."""
    extractor = torch.nn.Flatten()
    extractor.num_features = real.shape[1]
    metric = FrechetInceptionDistance(feature=extractor).set_dtype(torch.float64)
    metric.update(real[:, :, None, None], real=True)
    metric.update(generated[:, :, None, None], real=False)
    return float(metric.compute())


def gaussian(count: int, width: int, seed: int) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)).double()


def feature_like(count: int, width: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Skewed and correlated as features of a network are, with some that never fire."""
    mixing = torch.randn(width, width, generator=torch.Generator().manual_seed(1)) / width**0.5
    random = torch.Generator().manual_seed(seed)
    features = torch.relu(torch.randn(count, width, generator=random) @ mixing + shift).double()
    features[:, ::10] = 0
    return features


@pytest.mark.parametrize(
    ("n", "m", "width"),
    [(300, 300, 20), (300, 200, 20), (50, 40, 64), (30, 200, 64), (200, 30, 64)],
)
def test_agrees_with_the_textbook_and_torchmetrics(n: int, m: int, width: int) -> None:
    for real, generated in [
        (gaussian(n, width, seed=0), gaussian(m, width, seed=1) * 1.5 + 0.3),
        (feature_like(n, width, seed=0), feature_like(m, width, seed=1, shift=0.2)),
    ]:
        ours = frechet_distance(real, generated)
        assert ours == pytest.approx(textbook(real.numpy(), generated.numpy()), rel=1e-5)
        assert ours == pytest.approx(by_torchmetrics(real, generated), rel=1e-5)
        assert ours == pytest.approx(frechet_between(moments(real), moments(generated)), rel=1e-6)
        assert ours == pytest.approx(frechet(real, generated).value, rel=1e-9)


@pytest.mark.parametrize("count", [40, 800])
def test_agrees_on_real_pictures(count: int) -> None:
    """Handwritten digits: fewer than their 64 pixels, and more; some pixels are never used."""
    digits = torch.from_numpy(load_digits().data)
    real, generated = digits[:count], digits[-count:]
    ours = frechet_distance(real, generated)
    assert ours == pytest.approx(textbook(real.numpy(), generated.numpy()), rel=1e-4)
    assert ours == pytest.approx(by_torchmetrics(real, generated), rel=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(1500)  # minutes in scipy alone
@pytest.mark.parametrize("count", [300, 3000])
def test_agrees_with_the_textbook_at_the_width_of_inception(count: int) -> None:
    real, generated = feature_like(count, 2048, seed=0), feature_like(count, 2048, 1, shift=0.1)
    ours = frechet_distance(real, generated)
    assert ours == pytest.approx(textbook(real.numpy(), generated.numpy()), rel=1e-4)


def test_known_in_closed_form_on_a_line() -> None:
    """Along one axis it is (m1 - m2)^2 + (s1 - s2)^2."""
    line = torch.tensor([[-1.0, 0.0], [1.0, 0.0]]) / 2**0.5  # mean 0, deviation 1
    real, generated = 3 * line, line + torch.tensor([5.0, 0.0])
    assert frechet_distance(real, generated) == pytest.approx(25 + 4, rel=1e-6)


def test_fewer_pictures_than_features_still_give_a_number() -> None:
    features = torch.randn(30, 64, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(features, features + 1) == pytest.approx(64, rel=1e-4)


@pytest.mark.parametrize(("n", "m", "width"), [(40, 30, 16), (20, 60, 32), (20, 25, 64)])
def test_influences_are_derivatives(n: int, m: int, width: int) -> None:
    """Against weighting one picture a little more and a little less."""
    real, generated = gaussian(n, width, seed=0), gaussian(m, width, seed=1) * 1.5 + 0.3
    _, influences = frechet_influences(real, generated)

    def weighted(features: torch.Tensor, picture: int, by: float) -> Moments:
        weights = torch.ones(len(features)).double()
        weights[picture] += by
        weights /= weights.sum()
        centred = features - weights @ features
        covariance = (centred.T * weights) @ centred * len(features) / (len(features) - 1)
        return Moments(weights @ features, covariance, len(features))

    step = 1e-3
    for i in (0, 7):
        up, down = (
            frechet_between(weighted(real, i, s), moments(generated)) for s in (step, -step)
        )
        expected = float(influences.real[i] - influences.real.mean())
        assert n * (up - down) / (2 * step) == pytest.approx(expected, rel=1e-2, abs=1e-3)
        up, down = (
            frechet_between(moments(real), weighted(generated, i, s)) for s in (step, -step)
        )
        expected = float(influences.generated[i] - influences.generated.mean())
        assert m * (up - down) / (2 * step) == pytest.approx(expected, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("count", [40, 400])
def test_the_interval_holds_the_mean_of_many_draws(count: int, shift: float) -> None:
    """At least 95 %, and not by being endless: at most 1.6 times as long as it need be."""
    found = [
        frechet(feature_like(count, 24, 2 * i), feature_like(count, 24, 2 * i + 1, shift))
        for i in range(200)
    ]
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    covered = np.mean([f.low <= values.mean() <= f.high for f in found])
    assert covered >= 0.92
    assert 0.9 < np.sqrt(np.mean(errors**2)) / values.std() < 1.6
    assert all(0 <= f.low <= f.value for f in found)
