"""Pictures that are mirrored and shifted keep their pixels, and their neighbours do not matter."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maquette.core.randomness import picture_seeds
from maquette.data.moving import Moves


def _pictures(count: int, height: int, width: int) -> torch.Tensor:
    return torch.rand(count, 3, height, width).contiguous(memory_format=torch.channels_last)


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 24), st.integers(4, 24), st.floats(0.01, 0.25), st.booleans())
def test_each_is_a_window_of_its_own_reflection(height, width, shift, mirror):
    images, seeds = _pictures(6, height, width), picture_seeds(6, 1)
    moved = Moves(mirror, shift).moved(images, seeds)
    assert moved.shape == images.shape
    rows, columns = int(height * shift), int(width * shift)
    for before, after in zip(images.numpy(), moved.numpy(), strict=True):
        views = [before, before[:, :, ::-1]] if mirror else [before]
        around = [np.pad(v, ((0, 0), (rows, rows), (columns, columns)), "reflect") for v in views]
        assert any(
            np.array_equal(after, whole[:, top : top + height, left : left + width])
            for whole in around
            for top in range(2 * rows + 1)
            for left in range(2 * columns + 1)
        )


def test_every_place_is_as_likely_and_drawn_for_each_picture():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16).repeat(4000, 1, 1, 1)
    centres = Moves(shift=0.25).moved(ramp, picture_seeds(4000, 3))[:, 0, 8, 8]
    places, counts = centres.unique(return_counts=True)
    assert places.tolist() == list(range(4, 13))
    assert counts.min() > 360 and counts.max() < 530  # 444 expected, six deviations


def test_neighbours_and_the_other_domain_do_not_matter():
    images, seeds = _pictures(8, 16, 16), picture_seeds(8, 5)
    moves = Moves(mirror=True, shift=0.2)
    whole = moves.moved(images, seeds)
    assert torch.equal(whole[3:5], moves.moved(images[3:5], seeds[3:5]))
    assert not torch.equal(whole, moves.moved(images, seeds, " partners"))


def test_no_moves_leave_pictures_alone():
    images = _pictures(2, 8, 8)
    assert torch.equal(Moves().moved(images, picture_seeds(2, 0)), images)
