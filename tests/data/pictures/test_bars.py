"""Bars: found to the pixel where they were put, and nowhere else."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFilter

from maquette.data.pictures.bars import find_bars, steady_bars
from maquette.data.pictures.content import Box, Raster
from picture_files import encoded, noise

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def texture(seed: int, height: int = 90, width: int = 120) -> Raster:
    """Blurred noise with the contrast of a photograph, nowhere near black or white."""
    grain = Image.fromarray(noise(seed, height, width)).filter(ImageFilter.GaussianBlur(2))
    values = np.asarray(grain, np.float64)
    return np.clip((values - values.mean()) * 4 + 128, 60, 200).astype(np.uint8)


def decoded(content: bytes) -> Raster:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def padded(
    picture: Raster, left: int, top: int, right: int, bottom: int, colour: tuple[int, ...] = BLACK
) -> Raster:
    height, width = picture.shape[:2]
    raster = np.empty((height + top + bottom, width + left + right, 3), np.uint8)
    raster[:] = colour
    raster[top : top + height, left : left + width] = picture
    return raster


def inside(picture: Raster, left: int, top: int) -> Box:
    return Box(left, top, left + picture.shape[1], top + picture.shape[0])


def far_off(found: Box | None, true: Box) -> int:
    """Pixels; large when nothing was found."""
    return 999 if found is None else int(np.abs(np.subtract(found, true)).max())


@given(
    st.integers(0, 99), st.integers(3, 150), st.integers(3, 150), st.sampled_from([BLACK, WHITE])
)
@settings(max_examples=40)
def test_planted_bars_are_found_exactly(
    seed: int, across: int, along: int, colour: tuple[int, ...]
) -> None:
    picture = texture(seed)
    for left, top in ((across, 0), (0, along), (across, along)):
        raster = padded(picture, left, top, left, top, colour)
        assert find_bars(raster) == inside(picture, left, top)


@given(st.integers(0, 99), st.integers(3, 80), st.integers(60, 95), st.floats(0, 1))
@settings(max_examples=40)
def test_compressed_and_soft_bars_are_found_within_a_pixel(
    seed: int, width: int, quality: int, blur: float
) -> None:
    picture = texture(seed)
    for left, top in ((width, 0), (0, width)):
        image = Image.fromarray(padded(picture, left, top, left, top))
        jpeg = encoded(image.filter(ImageFilter.GaussianBlur(blur)), "JPEG", quality=quality)
        assert far_off(find_bars(decoded(jpeg)), inside(picture, left, top)) <= 1


@pytest.mark.parametrize("colour", [(20, 60, 200), (230, 40, 40), (240, 235, 220), (5, 5, 30)])
def test_bars_of_any_colour_are_found(colour: tuple[int, ...]) -> None:
    picture = texture(0)
    assert find_bars(padded(picture, 0, 20, 0, 20, colour)) == inside(picture, 0, 20)


def test_bars_of_unequal_width_are_found() -> None:
    picture = texture(0)
    assert find_bars(padded(picture, 0, 12, 0, 40)) == inside(picture, 0, 12)


def test_grey_pictures_have_bars_too() -> None:
    grey = padded(texture(0), 0, 12, 0, 12)[..., :1]
    assert find_bars(np.ascontiguousarray(grey)) == Box(0, 12, 120, 102)


def test_a_night_sky_beside_a_bar_is_not_cropped() -> None:
    night = texture(0)
    for column in range(120):
        night[: 10 + column // 4, column] = 0  # the sky above a hill
    assert find_bars(padded(night, 0, 16, 0, 16)) == Box(0, 16, 120, 106)


@given(arrays.arrays(np.uint8, st.tuples(*[st.integers(1, 40)] * 2, st.sampled_from([1, 3]))))
def test_a_box_is_always_inside_and_never_empty(raster: Raster) -> None:
    box = find_bars(raster)
    if box is not None:
        assert 0 <= box.left < box.right <= raster.shape[1]
        assert 0 <= box.top < box.bottom <= raster.shape[0]


@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(1, 80))
@settings(max_examples=50)
def test_noise_has_no_bars(seed: int, height: int, width: int) -> None:
    assert find_bars(noise(seed, height, width)) is None


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_plain_pictures_have_no_bars(level: int) -> None:
    assert find_bars(np.full((60, 80, 3), level, np.uint8)) is None


def drawn(background: tuple[int, ...], shape: str, box: tuple[int, ...], width: int = 0) -> Raster:
    image = Image.new("RGB", (200, 160), background)
    draw = ImageDraw.Draw(image)
    if shape == "line":
        draw.rectangle(box, outline=(90, 90, 90), width=width)
    elif shape == "skyline":
        draw.polygon([(0, 160), (0, 70), (60, 40), (110, 80), (200, 50), (200, 160)], (60, 90, 60))
    else:
        draw.ellipse(box, (180, 40, 40))
    return np.asarray(image)


@pytest.mark.parametrize("background", [BLACK, WHITE])
@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ("ellipse", (40, 20, 160, 140)),
        ("ellipse", (90, 70, 110, 90)),
        ("ellipse", (-10, 30, 210, 130)),
        ("skyline", (0, 0, 0, 0)),
    ],
)
def test_a_plain_background_is_no_bar(
    background: tuple[int, ...], shape: str, box: tuple[int, ...]
) -> None:
    assert find_bars(drawn(background, shape, box)) is None


def test_a_thin_frame_drawn_on_paper_ends_no_bar() -> None:
    assert find_bars(drawn(WHITE, "line", (20, 15, 180, 145), width=2)) is None


@pytest.mark.parametrize("steepness", [0.5, 1, 3])
def test_gradients_have_no_bars(steepness: float) -> None:
    levels = np.clip(np.arange(160) * steepness, 0, 255).astype(np.uint8)
    sky = np.broadcast_to(levels[:, None, None], (160, 200, 3))
    assert find_bars(np.ascontiguousarray(sky)) is None


def test_a_plain_strip_at_one_side_is_a_bar_only_in_black_or_white() -> None:
    picture = texture(0)
    assert find_bars(padded(picture, 0, 0, 0, 20)) == inside(picture, 0, 0)
    assert find_bars(padded(picture, 0, 20, 0, 0, (150, 190, 240))) is None  # sky over the sea


def film(count: int = 24, bar: int = 20) -> list[Raster]:
    return [padded(texture(seed), 0, bar, 0, bar) for seed in range(count)]


def test_dark_scenes_fades_and_plain_frames_do_not_fool_a_film() -> None:
    frames = film()
    for index, frame in enumerate(frames):
        if index % 3:
            frame[20:50] = 0  # only the lower part of the picture is lit
        frame[:] = frame * (index % 5 / 4)  # every fifth frame is black
    assert steady_bars(frames) == Box(0, 20, 120, 110)


def test_subtitles_in_a_bar_do_not_fool_a_film() -> None:
    frames = film()
    for frame in frames:
        frame[115:125, 30:90:3] = 255
    assert steady_bars(frames) == Box(0, 20, 120, 110)


def test_a_film_that_also_fills_the_screen_has_no_bars() -> None:
    full = [texture(seed, 130, 120) for seed in range(4)]
    assert steady_bars([*film(), *full]) is None


def test_one_frame_with_a_card_does_not_make_bars() -> None:
    full = [texture(seed, 130, 120) for seed in range(24)]
    assert steady_bars([film(1)[0], *full]) is None


def test_nothing_is_told_by_nothing() -> None:
    assert steady_bars([]) is None
    assert steady_bars([np.zeros((40, 40, 3), np.uint8)]) is None


def test_a_single_frame_tells_what_it_can() -> None:
    assert steady_bars(film(1)) == Box(0, 20, 120, 110)


def test_real_pictures_have_hardly_any_bars(real_data: Path) -> None:
    """19 of the 1,600 have; all were looked at, and nearly all are true frames."""
    files = sorted((real_data / "landscapes").rglob("*.jpg"))[::4]
    found = [file.name for file in files if find_bars(decoded(file.read_bytes())) is not None]
    assert len(found) <= 0.02 * len(files)
