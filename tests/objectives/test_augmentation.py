"""Augmentation: nothing at strength 0, each picture for itself, and gradients all the way."""

import pytest
import torch

from maquette.core.randomness import picture_seeds
from maquette.objectives.augmentation import AugmentationSettings, adapted, augment

KINDS = ["colour", "translation", "cutout"]
NONE = dict.fromkeys(KINDS, False)
SIZES = [(3, 16, 24), (1, 9, 8)]


def pictures(channels=3, height=16, width=24, count=64):
    torch.manual_seed(0)
    return torch.rand(count, channels, height, width) * 1.6 - 0.8, picture_seeds(count, 1)


def changed(images, seeds, strength=1.0, stream="a", **kinds):
    settings = AugmentationSettings(**(NONE | kinds))
    return augment(images, seeds, torch.tensor(strength), settings, stream)


@pytest.mark.parametrize("kind", KINDS)
def test_strength_0_and_switched_off_change_nothing(kind):
    images, seeds = pictures()
    assert (changed(images, seeds, 0.0, **{kind: True}) - images).abs().max() < 1e-6
    assert changed(images, seeds, 1.0) is images


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_pictures_do_not_influence_each_other(kind, size):
    images, seeds = pictures(*size)
    whole = changed(images, seeds, 0.5, **{kind: True})
    assert whole.shape == images.shape
    pieces = [changed(images[i : i + 1], seeds[i : i + 1], 0.5, **{kind: True}) for i in range(64)]
    torch.testing.assert_close(whole, torch.cat(pieces))
    assert not torch.equal(whole, changed(images, seeds, 0.5, "b", **{kind: True}))


@pytest.mark.parametrize("kind", KINDS)
def test_strength_is_the_share_of_pictures_changed(kind):
    images, seeds = pictures(count=400)
    touched = (changed(images, seeds, 0.3, **{kind: True}) - images).abs().amax((1, 2, 3)) > 1e-4
    assert 0.2 < touched.float().mean() < 0.4


def test_translation_moves_whole_pictures_by_up_to_an_eighth():
    images, seeds = pictures()
    moved = changed(images, seeds, translation=True)
    padded = torch.nn.functional.pad(images, (3, 3, 2, 2))
    found = torch.zeros(64, dtype=torch.bool)
    for top in range(5):
        for left in range(7):
            window = padded[:, :, top : top + 16, left : left + 24]
            found |= (window == moved).all(3).all(2).all(1)
    assert found.all()


def test_cutout_covers_at_most_a_quarter_and_leaves_the_rest():
    images, seeds = pictures()
    cut = changed(images, seeds, cutout=True)
    covered = (cut == 0).all(1)
    assert (cut == images)[~covered[:, None].expand_as(cut)].all()
    shares = covered.float().mean((1, 2))
    assert shares.max() == 0.25 and shares.min() > 0.05


def test_colour_keeps_a_grey_picture_flat_and_a_plain_one_plain():
    images, seeds = pictures(channels=1)
    recoloured = changed(images, seeds, colour=True)
    line = torch.stack(
        [
            torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
            for a, b in zip(images, recoloured, strict=True)
        ]
    )
    torch.testing.assert_close(line, torch.ones(64), rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_right_twice(kind):
    images, seeds = pictures(height=8, width=8, count=3)
    images = images.double().requires_grad_()
    check = (lambda x: changed(x, seeds, **{kind: True}).square().sum(), images)
    assert torch.autograd.gradcheck(*check)
    assert torch.autograd.gradgradcheck(*check)


def test_strength_follows_how_often_real_pictures_are_recognised():
    strength, signs = torch.tensor(0.5), torch.tensor([1.0, 1.0, 1.0, -1.0])
    assert adapted(strength, signs.abs(), 0.6, 100).item() == pytest.approx(0.5 + 4 * 0.4 / 100)
    assert adapted(strength, signs, 0.6, 100).item() == pytest.approx(0.5 - 4 * 0.1 / 100)
    assert adapted(strength, signs.abs(), 0.6, 1).item() == 1.0
    halves = adapted(adapted(strength, signs[:2], 0.6, 100), signs[2:], 0.6, 100)
    torch.testing.assert_close(halves, adapted(strength, signs, 0.6, 100))
