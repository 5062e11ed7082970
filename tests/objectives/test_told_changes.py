"""Changes that a network is told of: what is told is what was done."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from maquette.core.randomness import picture_seeds
from maquette.objectives.told_changes import TOLD, changed, drawn_changes


def source_of(told, height, width):
    """Places of the changed pictures in the old ones, in pixels from the middle: matrix, shift."""
    mirror, scale, less, sin, along, across, right, down = (float(value) for value in told)
    turn = np.array([[less + 1, -sin], [sin, less + 1]])
    stretch = expm(np.log(2) * np.array([[along, across], [across, -along]]))
    forwards = stretch @ turn @ np.diag([2**scale] * 2) @ np.diag([1 - 2 * mirror, 1])
    return np.linalg.inv(forwards), np.array([right * width, down * height])


def test_a_place_comes_from_where_the_numbers_say():
    height, width = 24, 36
    y, x = np.mgrid[:height, :width]
    places = np.stack([x - (width - 1) / 2, y - (height - 1) / 2], -1)  # pixels from the middle
    seeds = picture_seeds(40, "changes")
    flat = torch.tensor(places / 40, dtype=torch.float32).permute(2, 0, 1)  # (2, H, W): a slope
    images, told = changed(flat.expand(40, -1, -1, -1), seeds, 1.0, "test")
    compared = 0
    for image, numbers in zip(images, told, strict=True):
        matrix, shift = source_of(numbers, height, width)
        sources = (places - shift) @ matrix.T
        inside = (np.abs(sources) < [width / 2 - 3, height / 2 - 3]).all(-1)  # of no reflection
        found = image.permute(1, 2, 0).numpy()[inside] * 40
        np.testing.assert_allclose(found, sources[inside], atol=0.06)  # bicubic
        compared += inside.sum()
    assert compared > 40 * height * width / 4


def test_without_probability_nothing_is_changed_and_nothing_told():
    images = torch.rand(5, 3, 8, 8)
    same, told = changed(images, picture_seeds(5), 0.0, "test")
    assert torch.equal(same, images)
    assert not told.any()


def test_pictures_told_of_nothing_are_left_bit_for_bit():
    images = torch.rand(200, 1, 8, 8) * 2 - 1
    some, told = changed(images, picture_seeds(200), 0.12, "test")
    left = ~told.any(1)
    assert 70 < left.sum() < 140  # 0.88 ** 5 of 200 are 106
    assert torch.equal(some[left], images[left])
    assert all(not torch.allclose(a, b) for a, b in zip(some[~left], images[~left], strict=True))
    assert some.abs().max() <= 1


@pytest.mark.parametrize("probability", [0.12, 0.5])
def test_each_kind_happens_as_often_as_asked(probability):
    told = drawn_changes(picture_seeds(4000), probability, "test")
    assert told.shape == (4000, TOLD)
    kinds = [told[:, :1], told[:, 1:2], told[:, 2:4], told[:, 4:6], told[:, 6:]]
    for kind in kinds:
        assert float(kind.any(1).float().mean()) == pytest.approx(probability, abs=0.03)
    assert float(told[:, 1].std()) == pytest.approx(0.2 * probability**0.5, rel=0.1)


def test_a_picture_changes_by_its_own_seed_alone():
    images, seeds = torch.rand(6, 1, 8, 8), picture_seeds(6)
    together, _ = changed(images, seeds, 0.5, "test")
    alone, _ = changed(images[3:4], seeds[3:4], 0.5, "test")
    torch.testing.assert_close(together[3:4], alone)


def test_half_precision_moves_no_place():
    images, seeds = torch.rand(8, 1, 64, 64) * 2 - 1, picture_seeds(8)
    exact, _ = changed(images, seeds, 1.0, "test")
    with torch.autocast("cpu", torch.bfloat16):
        half, _ = changed(images, seeds, 1.0, "test")
    torch.testing.assert_close(half, exact)
