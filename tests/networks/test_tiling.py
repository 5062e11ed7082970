"""Tiles give what the whole picture gives, and nobody sees where they meet."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from maquette.networks.light_translator import LightTranslator
from maquette.networks.tiling import (
    ALIGNED_PX,
    tile_starts,
    translated_in_tiles,
    translated_whole,
)
from maquette.networks.translators import ResidualTranslator, UNetTranslator


def network(kind: type, blocks: int = 1) -> nn.Module:
    torch.manual_seed(0)
    made = kind(3, 6, blocks, "resize", "random")
    made.begin()
    return made.eval().requires_grad_(False)


def picture(height: int, width: int) -> torch.Tensor:
    """Left and right differ, so that tiles of their own would have other statistics."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    base = torch.sin(columns / 9.0) * torch.cos(rows / 7.0) * (0.2 + 0.7 * columns / width)
    return torch.stack([base - 0.3 + 0.9 * columns / width, base.flip(0), -base])[None]


@given(st.integers(1, 4000), st.integers(3, 60), st.integers(1, 14))
def test_tiles_cover_an_axis_with_their_overlap(length, tile, overlap):
    length, tile = length * ALIGNED_PX, tile * ALIGNED_PX
    overlap = min(overlap * ALIGNED_PX, tile - ALIGNED_PX)
    starts = tile_starts(length, tile, overlap)
    assert starts[0] == 0 and starts[-1] + tile >= length
    assert all(start % ALIGNED_PX == 0 for start in starts)
    for one, other in pairwise(starts):
        assert 0 < other - one <= tile - overlap + ALIGNED_PX


@pytest.mark.parametrize("kind", [ResidualTranslator, UNetTranslator])
def test_tiles_are_the_whole_picture_without_seams(kind):
    translate, images = network(kind), picture(336, 616)
    with torch.inference_mode():
        whole = translate(images)
        tiled = translated_in_tiles(translate, translate, images, 256, 128)
        apart = (tiled - whole).abs().mean(1)[0]
        pieces = [translate(part) for part in images.split(256, 3)]
    assert apart.mean() < 1e-3
    steps = (tiled - whole).diff(dim=3).abs().mean((0, 1, 2))
    assert steps.max() < 1e-3  # columns where tiles meet are like all others
    naive = (torch.cat(pieces, 3) - whole).abs().mean()
    assert naive > 0.05


def test_without_normalisation_tiles_are_the_whole_picture():
    translate, images = network(LightTranslator), picture(336, 616)
    with torch.inference_mode():
        whole = translate(images)
        tiled = translated_in_tiles(translate, translate, images, 256, 128)
    assert (whole - images).abs().mean() > 0.01
    assert (tiled - whole).abs().max() < 1e-5


def test_afterwards_the_network_is_as_before():
    translate, images = network(ResidualTranslator), picture(300, 300)
    with torch.inference_mode():
        before = translate(images)
        translated_in_tiles(translate, translate, images, 256, 128)
        assert torch.equal(translate(images), before)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (40, 5), (16, 16)])
def test_the_smallest_pictures_are_translated(size):
    with torch.inference_mode():
        made = translated_whole(network(ResidualTranslator), picture(*size))
    assert made.shape == (1, 3, *size) and made.isfinite().all()
