"""Scores against scikit-learn and the definition of MAP@3, intervals against the bootstrap."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score

from maquette.evaluation.classification import classification


def answers(count: int, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Somewhat better than chance, classes unequally frequent."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) ** 2 * classes).astype(int)
    scores = random.normal(size=(count, classes))
    scores[np.arange(count), labels] += 1.5
    return torch.from_numpy(scores).softmax(1), torch.from_numpy(labels)


def average_precision_at_3(probabilities: torch.Tensor, labels: torch.Tensor) -> list[float]:
    """Kaggle's, picture by picture."""
    values = []
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        first = sorted(range(len(row)), key=lambda c: -row[c])[:3]
        values.append(1 / (first.index(label) + 1) if label in first else 0.0)
    return values


@given(st.integers(1, 60), st.integers(2, 9), st.integers(0, 10**6))
def test_agrees_with_scikit_learn(count: int, classes: int, seed: int) -> None:
    probabilities, labels = answers(count, classes, seed)
    found = classification(probabilities, labels)
    known = range(classes)
    answered = probabilities.argmax(1)
    assert found.top_1.value == pytest.approx(accuracy_score(labels, answered))
    if classes > 3:
        expected = top_k_accuracy_score(labels, probabilities.numpy(), k=3, labels=known)
        assert found.top_3.value == pytest.approx(expected)
    else:
        assert found.top_3.value == 1
    assert found.map_3.value == pytest.approx(
        np.mean(average_precision_at_3(probabilities, labels))
    )
    assert (found.confusion.numpy() == confusion_matrix(labels, answered, labels=known)).all()
    assert found.count == count


def test_floors_are_what_constant_and_random_answers_score() -> None:
    _, labels = answers(400, 8, seed=0)
    found = classification(torch.rand(400, 8), labels)
    frequent = torch.bincount(labels, minlength=8).argsort(descending=True, stable=True)
    constant = torch.zeros(400, 8)
    constant[:, frequent[:3]] = torch.tensor([0.5, 0.3, 0.2])
    always = classification(constant, labels)
    random = torch.Generator().manual_seed(0)
    many = [classification(torch.rand(400, 8, generator=random), labels) for _ in range(100)]
    for name in ("top_1", "top_3", "map_3"):
        ours = getattr(found, name)
        assert ours.most_frequent == pytest.approx(getattr(always, name).value)
        guessed = np.mean([getattr(one, name).value for one in many])
        assert ours.guessing == pytest.approx(guessed, abs=0.01)


def test_the_interval_of_map_3_is_a_little_wider_than_the_bootstrap() -> None:
    probabilities, labels = answers(300, 10, seed=1)
    values = np.array(average_precision_at_3(probabilities, labels))
    random = np.random.default_rng(0)
    means = [random.choice(values, len(values)).mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    ours = classification(probabilities, labels).map_3
    assert ours.low < ours.value < ours.high
    assert 1 <= (ours.high - ours.low) / (high - low) < 1.25


def test_a_faultless_classifier_is_not_certain() -> None:
    labels = torch.arange(20) % 5
    found = classification(torch.eye(5)[labels], labels)
    for score in (found.top_1, found.top_3, found.map_3):
        assert (score.value, score.high) == (1, 1)
        assert 0.8 < score.low < 0.9
    assert found.confusion.tolist() == (4 * torch.eye(5)).tolist()


def test_equal_probabilities_count_in_the_order_of_the_classes() -> None:
    found = classification(torch.full((5, 5), 0.2), torch.arange(5))
    assert (found.top_1.value, found.top_3.value) == pytest.approx((0.2, 0.6))
    assert found.confusion[:, 0].tolist() == [1] * 5
