"""Blurry, blank, dark and grey pictures are told from those that only look a little like it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_image

from maquette.data.pictures.looking import Bench, Facts
from maquette.data.pictures.tones import BLANK, BLURRY, DARK
from picture_files import encoded

photographs = [
    Image.fromarray(load_sample_image(name)).crop(box)
    for name in ("china.jpg", "flower.jpg")
    for box in [(0, 0, 640, 427), (200, 100, 456, 356), (100, 40, 500, 400)]
]


def facts_of(image: Image.Image, **options: object) -> Facts:
    facts = Bench(None).look(encoded(image, "JPEG", quality=88, **options)).facts
    assert facts is not None
    return facts


def blurred(image: Image.Image, sigma_px: float) -> Image.Image:
    """By so many pixels of 256."""
    return image.filter(ImageFilter.GaussianBlur(sigma_px * max(image.size) / 256))


def smeared(image: Image.Image, length: int) -> Image.Image:
    pixels = np.asarray(image).astype(float)
    moved = [np.roll(pixels, shift, 1) for shift in range(length * max(image.size) // 256)]
    return Image.fromarray(np.mean(moved, 0).astype(np.uint8))


@pytest.mark.parametrize("photograph", photographs)
def test_blur_is_told_from_sharp_pictures(photograph: Image.Image) -> None:
    width, height = photograph.size
    assert facts_of(photograph).sharpness > BLURRY
    for sigma_px in (2, 3, 6):
        assert facts_of(blurred(photograph, sigma_px)).sharpness < BLURRY
    assert facts_of(smeared(photograph, 12)).sharpness < BLURRY
    few = photograph.resize((48, 48 * height // width)).resize((width, height))
    assert facts_of(few).sharpness < BLURRY
    grain = np.random.default_rng(0).normal(0, 2, (height, width, 1))
    grainy = (np.asarray(blurred(photograph, 3)) + grain).clip(0, 255).astype(np.uint8)
    assert facts_of(Image.fromarray(grainy)).sharpness < BLURRY


@pytest.mark.parametrize("photograph", photographs)
def test_one_sharp_region_is_enough(photograph: Image.Image) -> None:
    width, height = photograph.size
    portrait = blurred(photograph, 4)
    middle = (width // 4, height // 4, 3 * width // 4, 3 * height // 4)
    portrait.paste(photograph.crop(middle), middle[:2])
    product = Image.new("RGB", photograph.size, (250, 250, 248))
    product.paste(photograph.resize((width // 3, height // 3)), (width // 3, height // 3))
    faint = photograph.point(lambda value: 110 + value // 7)
    for sharp in (portrait, product, faint):
        assert facts_of(sharp).sharpness > BLURRY


def test_a_picture_without_edges_has_no_sharpness() -> None:
    assert facts_of(Image.new("RGB", (300, 200), (10, 200, 30))).sharpness == 0


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_grey_is_told_however_it_is_stored(quality: int) -> None:
    for photograph in photographs:
        grey = photograph.convert("L")
        sepia = Image.merge(
            "RGB", [grey, grey.point(lambda v: 0.9 * v), grey.point(lambda v: 0.7 * v)]
        )
        for image, colourless in ((grey, True), (grey.convert("RGB"), True), (sepia, False)):
            facts = Bench(None).look(encoded(image, "JPEG", quality=quality)).facts
            assert facts is not None and facts.colourless == colourless


def test_chroma_noise_is_no_colour_but_a_small_flower_is() -> None:
    grey = photographs[0].convert("L").convert("RGB")
    noise = np.random.default_rng(0).normal(0, 4, (427, 640, 3))
    speckled = Image.fromarray((np.asarray(grey) + noise).clip(0, 255).astype(np.uint8))
    assert facts_of(speckled).colourless
    grey.paste((190, 60, 60), (300, 200, 330, 225))
    assert not facts_of(grey).colourless


def test_blank_and_dark_pictures_are_told_from_faint_ones() -> None:
    grain = np.random.default_rng(0).normal(200, 3, (256, 256, 3)).clip(0, 255).astype(np.uint8)
    assert facts_of(Image.fromarray(grain)).contrast < BLANK
    for photograph in photographs:
        assert facts_of(photograph.point(lambda value: 100 + value // 5)).contrast > BLANK
        assert facts_of(photograph.point(lambda value: value // 10)).brightness < DARK
        assert facts_of(photograph.point(lambda value: value // 2)).brightness > DARK


def test_measures_are_about_the_picture_and_not_its_file() -> None:
    photograph = photographs[0]
    large = photograph.resize((1600, 1067), Image.Resampling.LANCZOS)
    first, second = facts_of(photograph), facts_of(large)
    assert second.brightness == pytest.approx(first.brightness, abs=1)
    assert second.contrast == pytest.approx(first.contrast, abs=6)
    assert second.sharpness == pytest.approx(first.sharpness, rel=0.2)
    with Image.open(io.BytesIO(encoded(photograph, "PNG"))) as png:
        assert facts_of(png.convert("RGB")).hash == first.hash
