"""The reader can read real digits, and agreement is what it says it is."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from maquette.core.errors import DatasetError
from maquette.evaluation.label_agreement import (
    Reader,
    class_spread,
    label_agreement,
    train_reader,
)


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


def test_spread_is_measured_class_by_class() -> None:
    pixels, labels = digits()
    generated = pixels.clone()
    generated[labels == 3] = pixels[labels == 3][0]
    spreads = class_spread(pixels, labels, generated, labels)
    assert spreads == {c: pytest.approx(0 if c == 3 else 1) for c in range(10)}
    assert set(class_spread(pixels, labels, generated[labels == 5], labels[labels == 5])) == {5}
