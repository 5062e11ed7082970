"""Planted overlays: what sites, agencies and cameras put over their pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from planted.planting import Crops, Planted, jpeg, taken

COUNT = 25  # pictures with each overlay


@dataclass(frozen=True)
class Overlay:
    """One that looks the same in all its pictures."""

    draw: Callable[[ImageDraw.ImageDraw, int, int], None]  # in white on black, (width, height)
    width: float  # share of the picture's width, or of its longer side, or pixels above 1
    proportion: float  # width to height
    x: float  # shares of the free space left of and above it
    y: float
    opacity: float
    colour: tuple[int, int, int] = (255, 255, 255)
    stretched: bool = False  # with the picture, so that its proportions change

    def over(self, pixels: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(pixels)
        width, height = self._size(picture)
        ink = Image.new("L", (480, round(480 / self.proportion)))
        self.draw(ImageDraw.Draw(ink), *ink.size)
        ink = ink.resize((width, height), Image.Resampling.LANCZOS)
        ink = ink.point([round(value * self.opacity) for value in range(256)])
        margin = 4 if not self.stretched else 0
        left = round(margin + self.x * (picture.width - width - 2 * margin))
        top = round(margin + self.y * (picture.height - height - 2 * margin))
        picture.paste(self.colour, (left, top), ink)
        return np.asarray(picture)

    def _size(self, picture: Image.Image) -> tuple[int, int]:
        if self.stretched:
            width = self.width * picture.width
            return round(width), round(self.width / self.proportion * picture.height)
        width = self.width if self.width > 1 else self.width * max(picture.size)
        return round(width), round(width / self.proportion)


def _text(words: str) -> Callable[[ImageDraw.ImageDraw, int, int], None]:
    def draw(ink: ImageDraw.ImageDraw, width: int, height: int) -> None:
        font = ImageFont.load_default(height)
        box = ink.textbbox((0, 0), words, font)
        font = ImageFont.load_default(height * min(1.0, width / box[2]))
        ink.text((width / 2, height / 2), words, 255, font, anchor="mm")

    return draw


def _stamp(ink: ImageDraw.ImageDraw, width: int, height: int) -> None:
    ink.ellipse((4, 4, width - 4, height - 4), outline=255, width=width // 12)
    ink.polygon(
        [(width * 0.5, height * 0.2), (width * 0.75, height * 0.7), (width * 0.25, height * 0.7)],
        255,
    )


def _logo(ink: ImageDraw.ImageDraw, width: int, height: int) -> None:
    ink.rounded_rectangle((0, 0, width * 0.3, height), height // 4, fill=255)
    ink.ellipse((width * 0.35, 0, width * 0.6, height), outline=255, width=width // 20)
    ink.line([(width * 0.65, height), (width * 0.8, 0), (width, height)], 255, width // 16)


OVERLAYS = (
    Overlay(_text("photos.example"), 0.5, 6, 1, 1, 0.6),
    Overlay(_text("© A. Painter"), 0.45, 5, 0, 1, 1.0),
    Overlay(_stamp, 0.22, 1, 1, 0, 0.5),
    Overlay(_logo, 0.35, 2.4, 0, 0, 0.8, (230, 60, 20)),
    Overlay(_text("PREVIEW"), 0.7, 3, 0.5, 0.5, 0.3, stretched=True),
    Overlay(_text("12/03/2004 14:05"), 110, 7, 1, 1, 1.0, (255, 150, 40)),
)


def overlays(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    for overlay in OVERLAYS:
        for _, name, pixels in taken(crops, COUNT):
            quality = int(random.integers(80, 96))
            yield Planted(f"photos/{name}.jpg", jpeg(overlay.over(pixels), quality), ("overlay",))
