"""Balanced batches: every class equally often, every picture of a class before any comes again."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.core.images import ImageSpec
from maquette.data.dataset import ImageDataset
from maquette.data.orders import BalancedOrder


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    size=st.integers(1, 40),
    seed=st.integers(0, 2**40),
)
def test_every_round_shows_every_class_once(sizes: list[int], size: int, seed: int) -> None:
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]
    order, classes = BalancedOrder(labels), len(sizes)
    steps = -(-classes * 3 * max(sizes) // size)
    rows = torch.cat(
        [order.rows(torch.arange(s * size, (s + 1) * size), seed, "x") for s in range(steps)]
    )
    shown = labels[rows].tolist()
    for turn in range(len(shown) // classes):
        assert sorted(shown[turn * classes : (turn + 1) * classes]) == list(range(classes))
    for kind, count in enumerate(sizes):
        mine = [row for row, label in zip(rows.tolist(), shown, strict=True) if label == kind]
        for start in range(0, len(mine) - count + 1, count):
            assert len(set(mine[start : start + count])) == count


def test_orders_differ_by_seed_round_and_epoch_and_need_no_history() -> None:
    labels = torch.tensor([0] * 20 + [1] * 20)
    order = BalancedOrder(labels)
    far = torch.arange(10**6, 10**6 + 40)
    there = order.rows(far, 3, "images")
    assert torch.equal(there, BalancedOrder(labels).rows(far, 3, "images"))
    assert torch.equal(there[10:20], order.rows(far[10:20], 3, "images"))
    for other in (order.rows(far + 40, 3, "images"), order.rows(far, 4, "images")):
        assert not torch.equal(there, other)
    assert not torch.equal(there, order.rows(far, 3, "partners"))


def unequal(**options: bool) -> ImageDataset:
    pixels = torch.arange(60, dtype=torch.uint8).view(60, 1, 1, 1).repeat(1, 1, 4, 4)
    labels = torch.tensor([0] * 50 + [1] * 8 + [2] * 2)
    return ImageDataset(pixels, ImageSpec(1, 4, 4, ("a", "b", "c")), labels=labels, **options)


def test_a_dataset_balances_when_asked_also_on_a_device_and_in_parts() -> None:
    dataset = unequal(balance_classes=True)
    batch = dataset.batch(7, 30, seed=1)
    assert Counter(batch.labels.tolist()) == {0: 10, 1: 10, 2: 10}
    assert len(unequal().batch(7, 30, seed=1).labels.unique()) < 3 or Counter(
        unequal().batch(7, 30, seed=1).labels.tolist()
    ) != {0: 10, 1: 10, 2: 10}
    moved = dataset.on("cpu").batch(7, 30, seed=1)
    assert torch.equal(moved.images, batch.images) and torch.equal(moved.labels, batch.labels)
    for rank in range(3):
        part = dataset.batch(7, 30, seed=1, part=(rank, 3))
        assert torch.equal(part.images, batch.part(rank, 3).images)
        assert torch.equal(part.labels, batch.part(rank, 3).labels)


def test_pictures_without_a_label_are_not_shown() -> None:
    labels = torch.tensor([1, -1, 0, -1, 1])
    rows = BalancedOrder(labels).rows(torch.arange(40), 1, "images")
    assert sorted(labels[rows].tolist()) == [0] * 20 + [1] * 20


def test_without_classes_there_is_nothing_to_balance() -> None:
    pixels = torch.zeros(4, 1, 4, 4, dtype=torch.uint8)
    with pytest.raises(DatasetError, match=r"set data\.balance_classes to false"):
        ImageDataset(pixels, ImageSpec(1, 4, 4), balance_classes=True)
