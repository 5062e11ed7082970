"""Thumbnails average areas, keep the shape and never enlarge."""

import pytest
import torch

from maquette.evaluation.thumbnails import thumbnails


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 64), (16, 16)), ((104, 128), (13, 16)), ((8, 12), (8, 12))]
)
def test_sizes(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert thumbnails(torch.zeros(2, 3, *size, dtype=torch.uint8), 16).shape == (2, 3, *expected)


def test_each_pixel_is_the_mean_of_its_area() -> None:
    pixels = torch.randint(0, 256, (3, 1, 32, 64), dtype=torch.uint8)
    blocks = pixels.double().reshape(3, 1, 8, 4, 16, 4).mean((3, 5)) / 255
    assert torch.allclose(thumbnails(pixels, 16).double(), blocks, atol=1e-6)
