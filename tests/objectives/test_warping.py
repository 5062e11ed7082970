"""Warping: each part does what it says, in pixels; each picture for itself."""

import math

import pytest
import torch
from scipy import ndimage

from maquette.core.randomness import picture_seeds
from maquette.objectives.warping import WarpSettings, warp

NONE = {"rotation_degrees": 0, "scale": 0, "shear_degrees": 0, "shift": 0, "wobble": 0}
FULL = {"rotation_degrees": 40, "scale": 0.5, "shear_degrees": 30, "shift": 0.3, "wobble": 0.05}


def warped(images, stream="a", count_seed=1, **settings):
    seeds = picture_seeds(len(images), count_seed)
    return warp(images, seeds, WarpSettings(**NONE | settings), stream)


def disc(height=40, width=60, radius=6.0, count=200, at=(20, 30)):
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    far = ((rows + 0.5 - at[0]) ** 2 + (columns + 0.5 - at[1]) ** 2).sqrt()
    return ((radius - far).clamp(-1, 1))[None, None].repeat(count, 1, 1, 1)


def moments(images):
    """Area, centre (x, y) and covariance of the light of each picture, in pixels."""
    light = ((images[:, 0] + 1) / 2).double()
    rows = torch.arange(light.shape[1]) + 0.5
    columns = torch.arange(light.shape[2]) + 0.5
    area = light.sum((1, 2))
    x = (light.sum(1) * columns).sum(1) / area
    y = (light.sum(2) * rows).sum(1) / area
    dx, dy = columns[None] - x[:, None], rows[None] - y[:, None]
    xx = (light.sum(1) * dx**2).sum(1) / area
    yy = (light.sum(2) * dy**2).sum(1) / area
    xy = (light * dx[:, None, :] * dy[:, :, None]).sum((1, 2)) / area
    return area, x, y, xx, yy, xy


def test_nothing_asked_for_changes_nothing():
    images = torch.rand(3, 3, 9, 14)
    assert warped(images) is images


def test_shift_moves_up_to_its_share_of_each_side():
    area, x, y, *_ = moments(warped(disc(), shift=0.2))
    assert area.std() < 0.5
    for centre, middle, reach in ((x, 30, 0.2 * 60), (y, 20, 0.2 * 40)):
        assert 0.9 * reach < (centre - middle).abs().max() < reach + 0.1
        assert (centre - middle).mean().abs() < 0.2 * reach


def test_scale_stretches_and_shrinks_by_up_to_its_share():
    area, _, _, xx, yy, _ = moments(warped(disc(), scale=0.5))
    plain = moments(disc(count=1))
    for spread in (xx / plain[3], yy / plain[4]):
        assert 1.9 < spread.max() < 2.35 and 1 / 2.35 < spread.min() < 0.55
    assert area.log().mean().sub(plain[0].log()).abs() < 0.1
    assert (xx / yy).max() > 2


def test_rotation_keeps_shapes_also_in_rectangles():
    bar = disc(radius=4, at=(20, 38)).maximum(disc(radius=4, at=(20, 22)))
    area, x, y, xx, yy, xy = moments(warped(bar, rotation_degrees=30))
    plain = moments(bar[:1])
    assert (area / plain[0] - 1).abs().max() < 0.02
    torch.testing.assert_close(xx + yy, (plain[3] + plain[4]).expand(200), rtol=0.03, atol=0)
    turned = torch.rad2deg(torch.atan2(2 * xy, xx - yy) / 2)
    assert 27 < turned.abs().max() < 30.5 and turned.min() < -20 and turned.max() > 20
    assert (x - 30).abs().max() < 0.3 and (y - 20).abs().max() < 0.3


def test_shear_slants_by_up_to_its_angle():
    _, _, _, _, yy, xy = moments(warped(disc(), shear_degrees=20))
    slant = torch.rad2deg(torch.atan(xy / yy))
    assert 17 < slant.abs().max() < 20.5


def test_wobble_bends_by_its_share_on_average():
    x = moments(warped(disc(radius=2), wobble=0.05))[1] - 30
    assert 0.4 < x.std() / (0.05 * 60) < 1.1
    assert x.mean().abs() < 0.7


def test_uncovered_parts_continue_the_border():
    images = torch.full((50, 3, 12, 20), -1.0)
    assert (warped(images, **FULL) + 1).abs().max() < 1e-5


def test_values_stay_in_their_range_and_pictures_to_themselves():
    torch.manual_seed(0)
    images = torch.rand(20, 3, 12, 20) * 2 - 1
    whole = warped(images, **FULL)
    assert whole.shape == images.shape and whole.abs().max() <= 1
    seeds = picture_seeds(20, 1)
    settings = WarpSettings(**FULL)
    alone = [warp(images[i : i + 1], seeds[i : i + 1], settings, "a") for i in range(20)]
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-4, atol=1e-4)
    assert not torch.equal(whole, warped(images, "b", **FULL))
    assert torch.equal(whole, warped(images, **FULL))


@pytest.mark.parametrize("degrees", [-25.0, 10.0])
def test_a_turned_picture_is_that_of_scipy(degrees, monkeypatch):
    """All numbers drawn are 0 but the turn, which is full to one side."""
    drawn = torch.tensor([[1.0 if degrees > 0 else 0.0, 0.5, 0.5, 0.5, 0.5, 0.5]])
    monkeypatch.setattr("maquette.objectives.warping.uniform", lambda *_, **__: drawn)
    torch.manual_seed(0)
    picture = ndimage.gaussian_filter(torch.rand(30, 44).numpy(), 2)
    ours = warped(torch.from_numpy(picture)[None, None], rotation_degrees=abs(degrees))[0, 0]
    theirs = ndimage.rotate(picture, degrees, reshape=False, order=1, mode="nearest")
    assert math.isclose(float(ours.mean()), theirs.mean(), rel_tol=0.01)
    assert abs(ours.numpy() - theirs)[5:-5, 5:-5].max() < 0.02
