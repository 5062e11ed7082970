"""One picture brought to size: nothing distorted, nothing lost, close to a full Lanczos."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image

from maquette.data.pictures.content import Box, Drawing
from maquette.data.pictures.preparation import prepare
from maquette.data.sizes import ImageSize
from picture_files import encoded, noise

small = ImageSize(16, 16)
fits = st.sampled_from(["cover", "contain", "stretch"])
sides = st.integers(1, 90)


@given(
    height=sides, width=sides, target=st.tuples(st.integers(8, 40), st.integers(8, 40)), fit=fits
)
def test_any_picture_takes_the_size_asked_for(
    height: int, width: int, target: tuple[int, int], fit: str
) -> None:
    grey = np.full((height, width, 1), 100, np.uint8)
    for channels in (1, 3):
        prepared = prepare(grey, ImageSize(*target), channels, fit)
        assert prepared.pixels.shape == (*target, channels)
        assert (prepared.original_height, prepared.original_width) == (height, width)
        if fit != "contain":
            assert (prepared.pixels == 100).all()


@given(height=sides, width=sides)
def test_contain_shows_everything_centred_on_white(height: int, width: int) -> None:
    black = np.zeros((height, width, 1), np.uint8)
    pixels = prepare(black, ImageSize(32, 48), 1, "contain").pixels[..., 0]
    rows, columns = np.nonzero(pixels == 0)
    top, left = rows.min(), columns.min()
    inside_height, inside_width = rows.max() - top + 1, columns.max() - left + 1
    assert (pixels == 255).sum() == 32 * 48 - inside_height * inside_width
    assert inside_height == 32 or inside_width == 48
    assert abs(top - (32 - inside_height) // 2) == 0
    assert abs(left - (48 - inside_width) // 2) == 0
    scale = min(32 / height, 48 / width)
    assert abs(inside_height - height * scale) <= 1 and abs(inside_width - width * scale) <= 1


def test_cover_cuts_off_what_hangs_over_on_both_sides() -> None:
    stripes = np.zeros((16, 48, 1), np.uint8)
    stripes[:, 16:32] = 255
    assert (prepare(stripes, small, 1, "cover").pixels == 255).all()


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = noise(1, 16, 16)
    assert np.array_equal(prepare(encoded(picture), small, 3, "cover").pixels, picture)


@pytest.mark.parametrize("side", [32, 64, 100, 256])
@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_reduced_decoding_is_as_good_as_a_full_lanczos(name: str, side: int) -> None:
    photograph = Image.fromarray(load_sample_image(name)).resize((1280, 854))
    content = encoded(photograph, "JPEG", quality=90)
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    exact = ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS)
    prepared = prepare(content, ImageSize(side, side), 3, "cover").pixels
    assert np.abs(prepared.astype(int) - np.asarray(exact)).mean() < 1


def test_only_the_box_is_prepared() -> None:
    picture = noise(0, 700, 900)
    content = encoded(picture, "JPEG", quality=95)
    whole = np.asarray(Image.open(io.BytesIO(content)))
    box = Box(100, 50, 116, 66)
    prepared = prepare(content, small, 3, "cover", box)
    assert np.array_equal(prepared.pixels, whole[50:66, 100:116])
    assert (prepared.original_height, prepared.original_width) == (700, 900)
    assert np.array_equal(prepare(whole, small, 3, "cover", box).pixels, prepared.pixels)


def test_a_drawing_is_drawn_in_the_size_asked_for() -> None:
    line = Drawing((np.array([[0, 100], [50, 50]], np.float32),))
    pixels = prepare(line, ImageSize(16, 32), 3, "cover").pixels
    assert pixels.shape == (16, 32, 3)
    assert pixels[7:9, 16].min() > 90 and pixels[0].max() == 0
