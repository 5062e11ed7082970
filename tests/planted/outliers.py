"""Planted pictures of another kind than the photos around them."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from planted.planting import Crops, Planted, jpeg, png, taken

COUNT = 24  # of each kind
_WORDS = [
    "the",
    "a",
    "of",
    "light",
    "paper",
    "garden",
    "seven",
    "under",
    "window",
    "model",
    "river",
    "stone",
    "green",
    "often",
]


def on_black(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    yield from _cut_outs(crops, random, "black", 0)


def on_white(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    yield from _cut_outs(crops, random, "white", 255)


def line_drawings(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Dark curves and closed shapes on nearly white paper."""
    for index in range(COUNT):
        size = tuple(random.integers(200, 401, 2).tolist())
        image = Image.new("RGB", size, _grey(random, 240, 256))
        draw = ImageDraw.Draw(image)
        ink, width = _grey(random, 0, 80), int(random.integers(1, 5))
        for _ in range(int(random.integers(4, 12))):
            points = _walk(random, size, int(random.integers(4, 20)), random.random() < 0.4)
            draw.line(points, ink, width, "curve")
        yield Planted(f"photos/drawing-{index}.png", png(image), ("outliers",))


def documents(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Pages and windows full of text, every third light on dark."""
    for index in range(COUNT):
        size = tuple(random.integers(240, 401, 2).tolist())
        paper, ink = _grey(random, 235, 256), _grey(random, 0, 60)
        if index % 3 == 0:
            paper, ink = ink, paper
        image = Image.new("RGB", size, paper)
        draw = ImageDraw.Draw(image)
        if index % 2:  # a title bar
            draw.rectangle((0, 0, size[0], 18), tuple(random.integers(60, 200, 3).tolist()))
        font = ImageFont.load_default(int(random.integers(9, 15)))
        for top in range(26, size[1] - 20, int(random.integers(14, 22))):
            words = " ".join(random.choice(_WORDS, int(random.integers(3, 12))))
            draw.text((16, top), words, ink, font)
        yield Planted(f"photos/page-{index}.png", png(image), ("outliers",))


def _cut_outs(
    crops: Crops, random: np.random.Generator, name: str, ground: int
) -> Iterator[Planted]:
    """A blob of a photo, a fifth to half of the picture, on nothing."""
    for _, crop, pixels in taken(crops, COUNT):
        height, width = pixels.shape[:2]
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        x, y = x - random.uniform(-0.15, 0.15), y - random.uniform(-0.15, 0.15)
        phase, lobes = random.uniform(0, 2 * np.pi), int(random.integers(2, 6))
        wave = 1 + 0.2 * np.sin(lobes * np.arctan2(y, x) + phase)
        inside = np.hypot(x / random.uniform(0.8, 1.1), y) < random.uniform(0.5, 0.75) * wave
        cut = np.where(inside[..., None], pixels, np.uint8(ground))
        yield Planted(f"photos/{crop}-on-{name}.jpg", jpeg(cut), ("outliers",))


def _grey(random: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    return (int(random.integers(low, high)),) * 3


def _walk(
    random: np.random.Generator, size: tuple[int, ...], steps: int, closed: bool
) -> list[tuple[float, float]]:
    """Corners of a smooth random line inside a picture of this size."""
    turn = np.cumsum(random.normal(0, 0.7, steps))
    step = np.stack([np.cos(turn), np.sin(turn)], 1) * min(size) / 8
    points = np.clip(random.uniform(0.2, 0.8, 2) * size + np.cumsum(step, 0), 4, np.array(size) - 4)
    corners = [(float(x), float(y)) for x, y in points]
    return [*corners, corners[0]] if closed else corners
