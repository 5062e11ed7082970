"""Each class is compared with its own reals."""

import pytest
import torch

from maquette.evaluation.class_frechet import class_frechet
from maquette.evaluation.frechet import frechet_distance


def test_each_class_is_compared_with_its_own() -> None:
    random = torch.Generator().manual_seed(0)
    labels, asked = torch.arange(90) % 3, torch.arange(60) % 3
    real = torch.randn(90, 4, generator=random) + labels[:, None]
    generated = torch.randn(60, 4, generator=random) + asked[:, None]
    generated[asked == 2] += 5
    found = class_frechet(real, labels, generated, asked)
    assert found[1] == frechet_distance(real[1::3], generated[1::3])
    assert max(found[0], found[1]) < 2 < 50 < found[2]


def test_classes_too_small_to_have_a_spread_are_left_out() -> None:
    features = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    found = class_frechet(
        features, torch.tensor([0, 0, 1, 2, 2]), features, torch.tensor([0, 0, 1, 1, 2])
    )
    assert found == {0: pytest.approx(0, abs=1e-6)}
