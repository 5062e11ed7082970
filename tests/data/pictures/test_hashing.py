"""Perceptual hashes: close for the same picture however it is stored, far for others."""

import io

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_sample_image

from maquette.data.pictures.hashing import distance, perceptual_hash
from picture_files import encoded

tiles = [
    Image.fromarray(load_sample_image(name)).convert("L").crop((x, y, x + 200, y + 200))
    for name in ("china.jpg", "flower.jpg")
    for x in (0, 210, 420)
    for y in (0, 210)
]


def own(image: Image.Image) -> int:
    return perceptual_hash(image)[0]


@given(seed=st.integers(0, 2**32 - 1))
def test_the_transform_is_the_one_of_scipy(seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    lowest = scipy.fft.dctn(pixels.astype(float), norm="ortho")[1:9, 1:9]
    lowest[np.abs(lowest) < 8] = 0
    bits = (lowest > np.median(lowest)).ravel()
    assert own(Image.fromarray(pixels)) == int("".join("01"[int(bit)] for bit in bits), 2)


@pytest.mark.parametrize("tile", tiles)
def test_the_mirrored_hash_is_the_hash_of_the_mirrored_picture(tile: Image.Image) -> None:
    for image in (tile, tile.resize((131, 77)), tile.resize((32, 32)), tile.resize((20, 50))):
        mirrored = ImageOps.mirror(image)
        assert perceptual_hash(mirrored) == perceptual_hash(image)[::-1]


@pytest.mark.parametrize("tile", tiles)
def test_the_same_picture_stays_close(tile: Image.Image) -> None:
    changes = {
        "smaller": tile.resize((64, 64), Image.Resampling.LANCZOS),
        "larger": tile.resize((600, 600), Image.Resampling.BICUBIC),
        "stretched": tile.resize((200, 140), Image.Resampling.LANCZOS),
        "brighter": ImageEnhance.Brightness(tile).enhance(1.1),
    }
    for name, changed in changes.items():
        assert distance(own(tile), own(changed)) <= 6, name


def test_other_pictures_are_far() -> None:
    hashes = [own(tile) for tile in tiles]
    apart = [distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 12 and 28 <= np.mean(apart) <= 36


@pytest.mark.parametrize("quality", [40, 90])
def test_pictures_without_structure_say_nothing(quality: int) -> None:
    """Noise of the camera or of JPEG must not make a hash that others may share by chance."""
    for level in (0, 90, 255):
        flat = np.random.default_rng(level).normal(level, 2, (256, 256)).clip(0, 255)
        content = encoded(Image.fromarray(flat.astype(np.uint8)), "JPEG", quality=quality)
        image = Image.open(io.BytesIO(content))
        assert perceptual_hash(image) == (0, 0)


def test_distance_counts_bits() -> None:
    assert (distance(0, 0), distance(0b1011, 0b0001), distance(0, 2**64 - 1)) == (0, 2, 64)
