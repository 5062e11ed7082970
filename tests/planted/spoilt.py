"""Planted pictures with something wrong in what they show."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

from planted.clean import SMALLEST_PX
from planted.planting import Crops, Planted, jpeg, png, taken

COUNT = 24  # of each kind


def too_small(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Icons and previews."""
    for _, name, pixels in taken(crops, COUNT):
        image = Image.fromarray(pixels)
        image.thumbnail((int(random.integers(20, 56)),) * 2)
        yield Planted(f"photos/{name}.png", png(image), ("too-small",))


def extreme_shapes(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Strips of several views, lying and standing, three times as long as wide and more."""
    for index in range(COUNT):
        views = []
        while sum(view.width for view in views) < 3 * SMALLEST_PX:
            name, pixels = next(crops)
            width = round(SMALLEST_PX * pixels.shape[1] / pixels.shape[0])
            views.append(Image.fromarray(pixels).resize((width, SMALLEST_PX)))
        strip = np.hstack(views) if index % 2 else np.hstack(views).transpose(1, 0, 2)
        content = jpeg(np.ascontiguousarray(strip))
        yield Planted(f"photos/{name}.jpg", content, ("extreme-shape",))


def bars(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Above and below or at both sides, each 4 to 25 % of the picture's side, of any colour."""
    for index, name, pixels in taken(crops, 3 * COUNT):
        colour = [(0, 0, 0), (255, 255, 255), tuple(random.integers(0, 256, 3).tolist())][index % 3]
        upright = pixels if index % 2 else pixels.transpose(1, 0, 2)
        inner = len(upright)
        width = max(2, round(inner * random.uniform(0.04, 0.25)))
        other = width + int(random.integers(-1, 2)) * (width > 8)
        framed = np.full((width + inner + other, upright.shape[1], 3), colour, np.uint8)
        framed[width : width + inner] = upright
        if index % 2:
            box = (0, width, framed.shape[1], width + inner)
        else:
            framed = framed.transpose(1, 0, 2)
            box = (width, 0, width + inner, len(framed))
        content = jpeg(np.ascontiguousarray(framed), int(random.integers(75, 96)))
        yield Planted(f"photos/{name}.jpg", content, ("bars",), box=box)


def blank(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """One colour, most with a little noise."""
    for index in range(COUNT):
        height, width = random.integers(200, 400, 2)
        values = np.tile(random.uniform(0, 255, 3), (height, width, 1))
        values += random.normal(0, index % 3, (height, width, 1))
        content = jpeg(values.clip(0, 255).astype(np.uint8))
        yield Planted(f"photos/blank-{index}.jpg", content, ("blank",))


def dark(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Exposed 6.4 to 7 stops too short (gamma 2.2): nothing reaches 14 % of white."""
    for _, name, pixels in taken(crops, COUNT):
        light = (pixels / 255) ** 2.2 * 2.0 ** -random.uniform(6.4, 7)
        content = jpeg((light ** (1 / 2.2) * 255).round().astype(np.uint8), 92)
        yield Planted(f"photos/{name}.jpg", content, ("dark",))


def blurry(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Out of focus by several amounts, or moved while exposed."""
    for index, name, pixels in taken(crops, 2 * COUNT):
        if index % 3:
            sigma = random.uniform(3, 7)
            spoilt = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))
        else:
            spoilt = _moved(pixels, int(random.integers(16, 30)), degrees=random.uniform(0, 180))
        yield Planted(f"photos/{name}.jpg", jpeg(spoilt), ("blurry",))


def _moved(pixels: np.ndarray, length: int, degrees: float) -> np.ndarray:
    """The mean of a picture's copies along a line of so many pixels; edges wrap around."""
    steps = np.linspace(-length / 2, length / 2, length)
    radians = np.deg2rad(degrees)
    shifts = [(round(step * np.sin(radians)), round(step * np.cos(radians))) for step in steps]
    copies = [np.roll(pixels, shift, (0, 1)).astype(np.float32) for shift in shifts]
    return np.mean(copies, axis=0).astype(np.uint8)
