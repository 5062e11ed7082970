"""Optical flow finds known motions, about as well as a library does."""

import numpy as np
import pytest
import torch
from skimage.registration import optical_flow_ilk

from maquette.video.flow import flow_between, inside, resized_flow, warped

SIDE = 128


def texture() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, SIDE // 4, SIDE // 4, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(noise, (SIDE, SIDE), mode="bicubic")


def motion(right: float, down: float, angle: float) -> torch.Tensor:
    """A shift and a turn about the middle."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    x, y = columns - SIDE / 2, rows - SIDE / 2
    cos, sin = np.cos(angle), np.sin(angle)
    return torch.stack([(cos - 1) * x - sin * y + right, sin * x + (cos - 1) * y + down])[None]


@pytest.mark.parametrize("way", [(0, 0, 0), (1.3, -0.6, 0), (6, 3, 0), (0, 0, 0.04), (-4, 5, 0.02)])
def test_known_motions_are_found(way):
    before, true = texture(), motion(*way).float()
    now = warped(before, true)
    found = flow_between(before, now)
    held = inside(true)

    def error(flow: torch.Tensor) -> float:
        return float(((flow - true).norm(dim=1, keepdim=True) * held).sum() / held.sum())

    down, right = optical_flow_ilk(now.mean(1)[0].numpy(), before.mean(1)[0].numpy())
    library = torch.from_numpy(np.stack([right, down]))[None].float()
    assert error(found) < max(0.3, 1.5 * error(library))


def test_a_flow_for_a_larger_picture_is_the_same_motion():
    small = motion(2, -1, 0).float()
    large = resized_flow(small, 2 * SIDE, 3 * SIDE)
    assert torch.allclose(large[:, 0], torch.tensor(6.0))
    assert torch.allclose(large[:, 1], torch.tensor(-2.0))


def test_what_comes_from_outside_is_told():
    held = inside(motion(10, 0, 0).float())
    assert held[..., : SIDE - 11].all() and not held[..., -9:].any()


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (13, 12)])
def test_the_smallest_pictures(size):
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.rand(1, 1, *size, generator=generator) for _ in range(2))
    assert flow_between(one, other).isfinite().all()
