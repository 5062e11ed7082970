"""What a classifier takes for what, drawn for two classes and for hundreds."""

import pytest
import torch
from sklearn.metrics import confusion_matrix

from conftest import random_pixels
from maquette.core.images import ImageSpec
from maquette.evaluation.evidence import Answers
from maquette.runs.confusion import confusion_picture, mix_ups
from maquette.runs.reliability import reliability_picture


def answers(classes: int, count: int = 60, right: float = 2.0, channels: int = 1) -> Answers:
    random = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, (count,), generator=random)
    logits = torch.randn(count, classes, generator=random)
    logits[torch.arange(count), labels] += right
    names = tuple(f"class ${i}$ with a long name" for i in range(classes))
    pixels = random_pixels(count, ImageSpec(channels, 8, 12), seed=0)
    return Answers(pixels, logits, labels, 1.5, False, names)


def test_mix_ups_are_those_of_the_confusion_matrix():
    given = answers(4)
    matrix = confusion_matrix(given.labels, given.logits.argmax(1))
    found = mix_ups(given, most=100)
    assert sum(pair.count for pair in found) == matrix.sum() - matrix.trace()
    names = list(given.classes)
    for pair in found:
        row, column = names.index(pair.true), names.index(pair.answered)
        assert (pair.count, pair.of) == (matrix[row, column], matrix[row].sum())
    assert [pair.count for pair in found] == sorted((p.count for p in found), reverse=True)


def test_examples_are_the_surest_mistakes():
    given = answers(2)
    (worst, *_) = mix_ups(given)
    true = given.classes.index(worst.true)
    rows = ((given.labels == true) & (given.logits.argmax(1) != true)).nonzero()[:, 0]
    surest = rows[given.logits.softmax(1)[rows].max(1).values.argmax()]
    assert torch.equal(worst.examples[0], given.pixels[surest])


@pytest.mark.parametrize(
    ("classes", "right", "channels"), [(2, 2.0, 1), (30, 2.0, 3), (345, 2.0, 1), (3, 99.0, 1)]
)
def test_there_is_a_picture_whatever_the_number_of_classes(classes, right, channels):
    picture = confusion_picture(answers(classes, right=right, channels=channels))
    assert picture.mode == "RGB" and picture.width == 1170
    assert len(picture.getcolors(1 << 24)) > 10


def test_the_reliability_diagram_is_drawn():
    assert reliability_picture(answers(5)).size == (1170, 650)
