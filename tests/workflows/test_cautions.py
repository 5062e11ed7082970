"""What is said before training about labels that promise little."""

import torch

from conftest import random_pixels
from maquette.core.images import ImageSpec
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.workflows.cautions import cautions


def said(labels: list[int] | None, classes: int, family: str = "gan") -> list[str]:
    spec = ImageSpec(1, 4, 4, tuple(f"c{i}" for i in range(classes)))
    count = 40 if labels is None else len(labels)
    given = None if labels is None else torch.tensor(labels)
    dataset = ImageDataset(random_pixels(count, spec, 0), spec, labels=given)
    return list(cautions(dataset, family_class(family)))


def test_enough_pictures_or_no_classes_need_no_words():
    assert said([0, 1] * 20, 2) == []
    assert said(None, 0) == []


def test_what_is_made_for_classes_says_that_there_are_none():
    (sentence,) = said(None, 0, "artgan")
    assert "no classes" in sentence and "--label" in sentence
    assert said([0, 1] * 20, 2, "artgan") == []


def test_a_class_of_two_pictures_is_named():
    (sentence,) = said([0] * 30 + [1] * 2, 2)
    assert "1 of 2 classes" in sentence and "(c1: 2)" in sentence


def test_many_small_classes_are_one_sentence():
    (sentence,) = said([number % 500 for number in range(1500)], 500)
    assert "500 of 500 classes" in sentence and "(c0: 3)" in sentence


def test_a_class_that_was_left_without_pictures_and_pictures_without_a_class():
    unlabelled, absent = said([0] * 30 + [-1] * 5, 2)
    assert "5 of 35 pictures have no label" in unlabelled
    assert "1 of 2 classes have no picture to learn from (c1)" in absent
    assert "by heart" not in absent


def test_classes_without_pictures_are_not_among_those_with_few():
    absent, few = said([0] * 30 + [1] * 4 + [3] * 2, 5)
    assert "2 of 5 classes have no picture to learn from (c2)" in absent
    assert "2 of 5 classes have fewer than 10" in few and "(c3: 2)" in few


def test_pictures_that_were_left_out_for_want_of_a_label_are_counted():
    spec = ImageSpec(1, 4, 4, ("a", "b"))
    labels = torch.tensor([0, 1] * 20 + [-1] * 3)
    dataset = ImageDataset(random_pixels(43, spec, 0), spec, labels=labels).labelled()
    (sentence,) = cautions(dataset.on("cpu"), family_class("gan"))
    assert "3 pictures have no label and are left out" in sentence
