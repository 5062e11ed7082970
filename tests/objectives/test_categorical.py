"""The losses over K classes and "generated", against sums written out in plain Python."""

import math

import pytest
import torch

from maquette.objectives.categorical import called_generated, cross_entropy, squared_error


def plain(answers: list[list[float]], labels: list[int], answering: str) -> float:
    total = 0.0
    for row, label in zip(answers, labels, strict=True):
        if label < 0:
            continue
        if answering == "softmax":
            total -= math.log(math.exp(row[label]) / sum(math.exp(value) for value in row))
        else:
            for number, value in enumerate(row):
                p = 1 / (1 + math.exp(-value))
                total -= math.log(p if number == label else 1 - p)
    return total / len(labels)


@pytest.mark.parametrize("answering", ["sigmoid", "softmax"])
@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 3], [2, -1, 0, -1, 1], [-1] * 5])
def test_cross_entropy_is_the_sum_written_out(answering, labels):
    answers = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)) * 2
    found = cross_entropy(answers, torch.tensor(labels), answering)
    assert found.item() == pytest.approx(plain(answers.tolist(), labels, answering), abs=1e-5)


@pytest.mark.parametrize("answering", ["sigmoid", "softmax"])
def test_unlabelled_pictures_pull_at_nothing_and_parts_add_up(answering):
    answers = torch.randn(6, 4, requires_grad=True)
    labels = torch.tensor([0, -1, 2, 3, -1, 1])
    whole = cross_entropy(answers, labels, answering)
    (gradient,) = torch.autograd.grad(whole, answers)
    assert (gradient[[1, 4]] == 0).all() and (gradient[[0, 2]] != 0).any()
    halves = [cross_entropy(answers[i : i + 3], labels[i : i + 3], answering) for i in (0, 3)]
    torch.testing.assert_close(sum(halves) / 2, whole)


def test_huge_answers_stay_finite():
    answers = torch.tensor([[1e4, -1e4, 0.0]])
    for answering in ("sigmoid", "softmax"):
        assert cross_entropy(answers, torch.tensor([1]), answering).isfinite()


def test_called_generated():
    answers = torch.tensor([[0.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    assert called_generated(answers).tolist() == [True, False]


def test_the_squared_error_counts_in_0_to_1():
    black, white = torch.full((2, 3, 4, 4), -1.0), torch.full((2, 3, 4, 4), 1.0)
    assert squared_error(black, white) == 1
    assert squared_error(white, white) == 0
