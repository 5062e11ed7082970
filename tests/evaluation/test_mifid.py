"""MiFID against torchmetrics with its arguments swapped; who copies is found out."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity
from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance

from maquette.evaluation.frechet import frechet
from maquette.evaluation.mifid import memorisation_distances, mifid


def features(count: int, seed: int, spread: float = 1.0) -> torch.Tensor:
    """All in one corner, as a network's features are: cosine distances of about spread^2 / 5."""
    random = torch.Generator().manual_seed(seed)
    return torch.relu(2 + spread * torch.randn(count, 32, generator=random)).double()


def by_torchmetrics(training: torch.Tensor, generated: torch.Tensor) -> float:
    """Its "real" and "fake" are transposed in 1.9: we call generated what it takes as real."""
    extractor = torch.nn.Flatten()
    metric = MemorizationInformedFrechetInceptionDistance(feature=extractor)
    metric.update(generated[:, :, None, None], real=True)
    metric.update(training[:, :, None, None], real=False)
    return float(metric.compute())


@pytest.mark.parametrize(("n", "m"), [(200, 200), (300, 100), (25, 20)])
@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0, 3.0])
def test_agrees_with_torchmetrics(n: int, m: int, spread: float) -> None:
    training, generated = features(n, 0, spread), features(m, 1, spread) * 1.1
    generated[3] = 0  # points nowhere
    found = mifid(training, generated, training)
    assert found.estimate.value == pytest.approx(by_torchmetrics(training, generated), rel=1e-4)
    assert found.memorised == (found.distance < 0.1)


def test_both_sides_of_the_threshold_are_tested_above() -> None:
    memorised = [
        mifid(*[features(200, s, spread) for s in (0, 1, 0)]).memorised for spread in (0.3, 3)
    ]
    assert memorised == [True, False]


def test_the_nearest_training_picture_of_each_generated_one() -> None:
    training, generated = features(70, 0), features(40, 1)
    expected = 1 - np.abs(cosine_similarity(generated.numpy(), training.numpy())).max(1)
    assert memorisation_distances(training, generated).numpy() == pytest.approx(expected, abs=1e-12)


def test_a_generator_that_copies_scores_terribly() -> None:
    """50 of 600, again and again: with the sets transposed, most of the 550 others look new."""
    training, held_out, honest = features(600, 0), features(600, 1), features(600, 2)
    copies = training[:50].repeat(12, 1)
    for real in (training, held_out):
        honestly = mifid(real, honest, training).estimate.value
        copied = mifid(real, copies, training)
        assert copied.distance < 1e-9
        assert copied.estimate.value > 1e6 * honestly
        assert copied.estimate.low > honestly


def test_a_copy_of_everything_is_no_better() -> None:
    """Its Fréchet distance is 0, and the published product would be too."""
    training = features(600, 0)
    honestly = mifid(training, features(600, 2), training).estimate.value
    for copies in (training, training.flip(0), training * 1.0001):
        assert mifid(training, copies, training).estimate.value > 1e3 * honestly


def test_near_copies_are_multiplied_up() -> None:
    training, held_out, honest = features(300, 0), features(300, 1), features(300, 2)
    near = training + 0.3 * (features(300, 3) - 2)
    assert (
        mifid(held_out, near, training).estimate.value
        > 5 * mifid(held_out, honest, training).estimate.value
    )


def test_without_memorisation_it_is_the_frechet_distance() -> None:
    real, generated = features(200, 0, 3.0), features(200, 1, 3.0) + 0.5
    assert mifid(real, generated, real).estimate == frechet(real, generated)


def test_the_interval_holds_the_mean_of_many_draws_of_one_training_set() -> None:
    training = features(150, 0, 0.5)
    found = [
        mifid(features(150, 2 * i + 2, 0.5), 1.2 * features(150, 2 * i + 1, 0.5), training).estimate
        for i in range(200)
    ]
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    assert np.mean([f.low <= values.mean() <= f.high for f in found]) >= 0.92
    assert 0.9 < np.sqrt(np.mean(errors**2)) / values.std() < 1.6
