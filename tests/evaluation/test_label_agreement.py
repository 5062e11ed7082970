"""The reader can read real digits, and agreement is what it says it is."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from maquette.core.errors import DatasetError
from maquette.evaluation.evidence import Evidence, Seen
from maquette.evaluation.label_agreement import (
    Reader,
    class_spread,
    label_agreement,
    train_reader,
)
from maquette.evaluation.metrics.classes import ClassSpread, LabelAgreement, spread_inside_classes


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """1797 handwritten digits of 8x8 pixels, enlarged to 32."""
    pictures, labels = load_digits(return_X_y=True)
    small = (pictures.reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    large = [Image.fromarray(p).resize((32, 32), Image.Resampling.LANCZOS) for p in small]
    return torch.from_numpy(np.stack(large))[:, None], torch.from_numpy(labels)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return train_reader(*digits())


def test_it_reads_digits_it_has_not_seen(reader: Reader) -> None:
    assert reader.held_out_accuracy >= 0.97


def test_agreement_counts_the_pictures_that_show_what_was_asked(reader: Reader) -> None:
    pixels, labels = digits()
    pixels, labels = pixels[:200], reader.read(pixels[:200])
    asked = torch.where(torch.arange(200) < 150, labels, (labels + 1) % 10)
    found = label_agreement(reader, pixels, asked)
    assert (found.value, found.count) == (0.75, 200)
    assert found.low is not None and found.high is not None
    assert 0.68 < found.low < 0.75 < found.high < 0.81
    assert found.floor == 0.1
    assert found.ceiling == reader.held_out_accuracy


def test_the_held_out_accuracy_knows_unreadable_labels() -> None:
    pixels, labels = digits()
    shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    assert train_reader(pixels, shuffled).held_out_accuracy < 0.2


@pytest.mark.parametrize("labels", [[0] * 20, [0] * 17 + [1] * 3])
def test_too_few_to_learn_from_is_said_in_one_sentence(labels: list[int]) -> None:
    with pytest.raises(DatasetError, match="at least 5 pictures"):
        train_reader(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.tensor(labels))


def test_pictures_without_a_label_are_no_class_of_their_own() -> None:
    """Some families learn from them; the reader must not."""
    pixels, labels = (part[:600] for part in digits())
    some = torch.where(torch.arange(600) % 3 == 0, -1, labels)
    features = torch.zeros(600, 2)
    part = slice(0, 400)
    made = Seen(pixels[400:], features[400:], labels[400:])
    learnt = Seen(pixels[part], features[part], some[part])
    evidence = Evidence(made, made, learnt, made, features[part], "", "toy", tuple("0123456789"))
    (found,) = LabelAgreement().measure(evidence)
    assert found.floor == 0.1 and found.value > 0.8
    (spread,) = ClassSpread().measure(evidence)
    assert 0.8 < spread.value < 1.2


def test_spread_is_measured_class_by_class() -> None:
    pixels, labels = digits()
    generated = pixels.clone()
    generated[labels == 3] = pixels[labels == 3][0]
    spreads = class_spread(pixels, labels, generated, labels)
    values = {label: spread.value for label, spread in spreads.items()}
    assert values == {c: pytest.approx(0 if c == 3 else 1) for c in range(10)}
    assert spreads[3].high == 0
    assert set(class_spread(pixels, labels, generated[labels == 5], labels[labels == 5])) == {5}


def textures(count: int, contrast: float, random: torch.Generator) -> torch.Tensor:
    """Pictures that share most of how they differ, and have a frame that never changes."""
    shared = torch.randn(count, 1, 1, 1, generator=random)
    own = torch.randn(count, 1, 6, 6, generator=random)
    inner = (128 + contrast * (20 * shared + 10 * own)).clamp(0, 255)
    return torch.nn.functional.pad(inner, (1, 1, 1, 1)).byte()


def test_the_interval_of_a_spread_is_the_jackknife() -> None:
    """Against leaving out each picture in turn."""
    random = torch.Generator().manual_seed(0)
    real, made = textures(40, 1.5, random), textures(30, 1.0, random)

    def spread(ours: torch.Tensor, theirs: torch.Tensor) -> float:
        labels = [torch.zeros(len(x), dtype=torch.long) for x in (ours, theirs)]
        return class_spread(ours, labels[0], theirs, labels[1])[0].value

    def scatter(values: list[float]) -> float:
        found = torch.tensor(values, dtype=torch.float64)
        return float((found - found.mean()).square().sum()) * (len(found) - 1) / len(found)

    rest = [[j for j in range(40) if j != i] for i in range(40)]
    of_real = scatter([spread(real[rows], made) for rows in rest])
    rest = [[j for j in range(30) if j != i] for i in range(30)]
    of_made = scatter([spread(real, made[rows]) for rows in rest])
    labels = torch.zeros(40, dtype=torch.long), torch.zeros(30, dtype=torch.long)
    error = class_spread(real, labels[0], made, labels[1])[0].error
    assert error == pytest.approx((of_real + of_made) ** 0.5, rel=0.02)


def test_the_mean_spread_is_held_by_its_interval() -> None:
    random, found = torch.Generator().manual_seed(0), []
    labels = torch.arange(60) % 3
    for _ in range(150):
        real, made = textures(60, 1.5, random), textures(60, 1.0, random)
        spreads = class_spread(real, labels, made, labels)
        found.append(spread_inside_classes(spreads, ("a", "b", "c"), 60))
    average = sum(one.value for one in found) / len(found)
    held = sum(one.low <= average <= one.high for one in found) / len(found)
    assert 0.88 <= held <= 0.99
    assert average == pytest.approx(1 / 1.5, rel=0.1)
