"""What is planted: files with what must be found in them, and the tools to make them."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

Crops = Iterator[tuple[str, np.ndarray]]  # endless for a planter's needs, each used once


@dataclass(frozen=True)
class Planted:
    """One file of the corpus."""

    name: str  # its path inside the corpus
    content: bytes
    kinds: tuple[str, ...] = ()  # every finding it must have, and no other
    box: tuple[int, int, int, int] | None = None  # the part without bars
    upright: np.ndarray | None = None  # how it must look, where its file says so in a special way


# Takes as many crops as it likes, never twice the same, and makes any number of files.
Planter = Callable[[Crops, np.random.Generator], Iterator[Planted]]


def jpeg(pixels: np.ndarray | Image.Image, quality: int = 90, **options: object) -> bytes:
    return encoded(pixels, "JPEG", quality=quality, **options)


def png(pixels: np.ndarray | Image.Image) -> bytes:
    return encoded(pixels, "PNG", compress_level=1)


def encoded(pixels: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    image.save(file, kind, **options)
    return file.getvalue()


def reduced(pixels: np.ndarray) -> Image.Image:
    """With a palette of 256 colours, the quickest there is."""
    return Image.fromarray(pixels).quantize(256, Image.Quantize.FASTOCTREE)


def taken(crops: Crops, count: int) -> Iterator[tuple[int, str, np.ndarray]]:
    """The next crops, numbered."""
    for index in range(count):
        yield index, *next(crops)
