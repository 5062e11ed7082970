"""Two classes of a dataset as the two sides of a translation."""

import pytest
import torch

from maquette.core.errors import DatasetError, SettingsError
from maquette.core.images import ImageSpec, to_pixels
from maquette.data.dataset import ImageDataset
from maquette.data.domains import two_domains


def labelled(classes: str, count: int = 30) -> ImageDataset:
    """Pictures of one grey level, which tells their class."""
    labels = torch.arange(count) % len(classes)
    pixels = (labels * 50).to(torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)
    spec = ImageSpec(1, 8, 8, tuple(classes))
    return ImageDataset(pixels, spec, labels=labels, fingerprint="f")


def classes_of(images: torch.Tensor) -> set[int]:
    return set((to_pixels(images)[:, 0, 0, 0] // 50).tolist())


def test_the_first_class_comes_with_the_second_as_partners():
    dataset = two_domains(labelled("ab"))
    batch = dataset.batch(3, 12, seed=0)
    assert (classes_of(batch.images), classes_of(batch.partners)) == ({0}, {1})
    assert batch.labels is None and dataset.spec.classes == ("a", "b")
    assert (len(dataset), len(dataset.partners), dataset.fingerprint) == (15, 15, "f")


def test_two_of_many_classes_in_the_order_asked_for():
    dataset = two_domains(labelled("abc"), ("c", "a"))
    batch = dataset.batch(0, 10, seed=0)
    assert (classes_of(batch.images), classes_of(batch.partners)) == ({2}, {0})
    assert dataset.spec.classes == ("c", "a")
    near = dataset.on("cpu")  # resident: the same batches
    again = near.batch(0, 10, seed=0)
    assert torch.equal(batch.images, again.images)
    assert torch.equal(batch.partners, again.partners)


@pytest.mark.parametrize(
    ("classes", "names", "words"),
    [
        ("abc", None, r"has 3 classes: choose two, as in --set .data\.domains=\[a, b\]"),
        ("a", None, "has 1 class: build it from two folders"),
        ("ab", ("a", "x"), "unknown class 'x'"),
        ("ab", ("b", "b"), "cannot be translated into itself"),
    ],
)
def test_what_are_no_two_domains_is_told(classes, names, words):
    with pytest.raises(DatasetError, match=words):
        two_domains(labelled(classes), names)


def test_balancing_the_domains_is_refused():
    balanced = labelled("ab")
    balanced = ImageDataset(
        balanced.pictures(torch.arange(30)),
        balanced.spec,
        labels=balanced.labels,
        balance_classes=True,
    )
    with pytest.raises(SettingsError, match=r"data\.balance_classes .* set it to false"):
        two_domains(balanced)


def test_domains_of_unlike_size_are_shown_equally_often():
    dataset = labelled("ab", 60)
    dataset.labels[:] = torch.tensor([0] * 5 + [1] * 55)
    domains = two_domains(dataset)
    assert (len(domains), len(domains.partners)) == (5, 55)
    batch = domains.batch(7, 16, seed=0)
    assert len(batch.images) == len(batch.partners) == 16


def test_a_split_without_one_of_the_domains_is_told():
    dataset = labelled("ab")
    dataset.labels[:] = 0
    with pytest.raises(DatasetError, match="no pictures of 'b'"):
        two_domains(dataset)
