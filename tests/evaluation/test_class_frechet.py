"""Each class is compared with its own reals; the mean over classes says how sure it is."""

import pytest
import torch

from maquette.evaluation.class_frechet import class_frechet
from maquette.evaluation.evidence import Evidence, Seen
from maquette.evaluation.frechet import frechet
from maquette.evaluation.metrics.classes import ClassFrechet


def test_each_class_is_compared_with_its_own() -> None:
    random = torch.Generator().manual_seed(0)
    labels, asked = torch.arange(90) % 3, torch.arange(60) % 3
    real = torch.randn(90, 4, generator=random) + labels[:, None]
    generated = torch.randn(60, 4, generator=random) + asked[:, None]
    generated[asked == 2] += 5
    found = class_frechet(real, labels, generated, asked)
    assert found[1] == frechet(real[1::3], generated[1::3])
    assert max(found[0].value, found[1].value) < 2 < 50 < found[2].value


def test_classes_too_small_to_have_a_spread_are_left_out() -> None:
    features = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    found = class_frechet(
        features, torch.tensor([0, 0, 1, 2, 2]), features, torch.tensor([0, 0, 1, 1, 2])
    )
    assert found.keys() == {0}
    assert found[0].value == pytest.approx(0, abs=1e-6)


def seen(features: torch.Tensor) -> Seen:
    """Pictures of which the first feature is the class."""
    blank = torch.zeros(len(features), 1, 4, 4, dtype=torch.uint8)
    return Seen(blank, features, features[:, 0].long())


def evidence(seed: int) -> Evidence:
    """Two classes; the second is drawn away from its own."""
    random = torch.Generator().manual_seed(seed)

    def drawn(count: int, shift: float) -> Seen:
        label = torch.arange(count) % 2
        features = torch.randn(count, 3, generator=random) + shift * label[:, None]
        return seen(torch.cat([label[:, None].float(), features], 1))

    return Evidence(
        drawn(120, 1.5), drawn(120, 9.0), drawn(200, 0.0), drawn(40, 0.0), torch.zeros(200, 4),
        features="", network="toy", classes=("cat", "dog"),
    )  # fmt: skip


def test_the_mean_over_classes_is_held_by_its_interval() -> None:
    found = [next(iter(ClassFrechet().measure(evidence(seed)))) for seed in range(60)]
    assert "farthest from its real pictures: dog" in found[0].note
    values = torch.tensor([one.value for one in found])
    assert found[0].ceiling < values.min() and values.max() < found[0].floor
    average = float(values.mean())
    held = [one.low <= average <= one.high for one in found]
    assert 0.87 <= sum(held) / len(held) <= 1
