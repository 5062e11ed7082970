"""The arithmetic of pictures inside a graph is that of preparing them: at most one level off."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maquette.core.images import ImageSpec
from maquette.data.pictures.looking import Bench
from maquette.data.pictures.preparation import fitted
from maquette.data.sizes import ImageSize
from maquette.workflows.exporting_pictures import Picture
from maquette.workflows.serving import as_learnt

FITS = ("cover", "contain", "stretch")


def noise_or_waves(height: int, width: int, seed: int) -> np.ndarray:
    """RGBA: every pixel its own, or smooth."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (max(1, height // 3), max(1, width // 3), 3), dtype=np.uint8)
    smooth = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    rough = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.dstack(
        [rough if seed % 2 else np.asarray(smooth), np.full((height, width), 255, np.uint8)]
    )


def shown(module: Picture, rgba: np.ndarray, swap: int = 0) -> tuple[np.ndarray, float]:
    pixels, border = module(torch.from_numpy(rgba), torch.tensor([swap], dtype=torch.uint8))
    return pixels[0].permute(1, 2, 0).numpy(), float(border)


def prepared(rgba: np.ndarray, size: ImageSize, channels: int, fit: str) -> np.ndarray:
    return fitted(Image.fromarray(rgba[..., :3]), size, channels, fit)


def levels_apart(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("fit", FITS)
@settings(max_examples=20)
@given(
    side=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    size=st.sampled_from([(28, 28), (24, 40)]),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 9),
)
def test_any_picture_is_what_preparing_makes_of_it(fit, side, size, channels, seed):
    rgba = noise_or_waves(*side, seed)
    module = Picture(ImageSpec(channels, *size), fit, grey=channels == 1)
    assert levels_apart(shown(module, rgba)[0], prepared(rgba, ImageSize(*size), channels, fit)) < 2


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("side", [(768, 1024), (1024, 31), (112, 113), (57, 56), (28, 28)])
def test_large_long_and_just_fitting_pictures_too(fit, side):
    rgba = noise_or_waves(*side, 1)
    module = Picture(ImageSpec(3, 28, 28), fit, grey=False)
    assert levels_apart(shown(module, rgba)[0], prepared(rgba, ImageSize(28, 28), 3, fit)) < 2


def test_light_and_dark_change_places_and_the_border_tells_of_paper():
    module = Picture(ImageSpec(1, 28, 28), "cover", grey=True)
    rgba = np.full((60, 60, 4), 255, np.uint8)
    rgba[20:40, 20:40, :3] = 0
    plain, border = shown(module, rgba)
    swapped, still = shown(module, rgba, swap=1)
    assert np.array_equal(255 - plain, swapped)
    assert border == still == 255


def test_among_strokes_order_and_progress_are_half_the_ink():
    rgba = noise_or_waves(50, 60, 0)
    pixels, _ = shown(Picture(ImageSpec(3, 28, 28), "cover", grey=True), rgba)
    grey, _ = shown(Picture(ImageSpec(1, 28, 28), "cover", grey=True), rgba)
    bench = Bench(ImageSize(28, 28), 3, stroke_channels=True)
    wanted = as_learnt(np.repeat(grey, 3, 2), rgba[..., :3], bench, turns_over=False)
    assert np.array_equal(pixels, wanted)
    assert np.array_equal(wanted[..., 1], np.ceil(grey[..., 0] / 2))
