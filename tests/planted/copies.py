"""Planted copies: exact ones, nearly the same ones, and copies on both sides of a user's split."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageEnhance

from planted.planting import Crops, Planted, jpeg, png, reduced, taken

COUNT = 24  # pairs of each kind; of near-duplicates twice as many


def duplicates(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """The same bytes under another name or in another folder, some of them three times."""
    for index, name, pixels in taken(crops, COUNT):
        content = jpeg(pixels)
        copies = (f"photos/{name}-copy.jpg", f"more/{name}.jpg", f"more/{name} (1).jpg")
        for path in (f"photos/{name}.jpg", *copies[index % 2 : index % 2 + 1 + index % 4 // 3]):
            yield Planted(path, content, ("duplicates",))


def near_duplicates(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    for index, name, pixels in taken(crops, 2 * COUNT):
        changed = CHANGES[index % len(CHANGES)](Image.fromarray(pixels), random)
        yield Planted(f"photos/{name}.jpg", jpeg(pixels), ("near-duplicates",))
        yield Planted(f"more/{name}.jpg", changed, ("near-duplicates",))


def leaks(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Copies in folders for training and for testing: the very same, or only nearly."""
    for index, name, pixels in taken(crops, COUNT):
        original = jpeg(pixels)
        if index % 2:
            kinds, copy = ("leakage", "duplicates"), original
        else:
            kinds = ("leakage", "near-duplicates")
            copy = CHANGES[index // 2 % len(CHANGES)](Image.fromarray(pixels), random)
        yield Planted(f"train/{name}.jpg", original, kinds)
        yield Planted(f"test/{name}.jpg", copy, kinds)


def _encoded_again(image: Image.Image, random: np.random.Generator) -> bytes:
    return jpeg(image, int(random.integers(40, 80)))


def _saved_as_png(image: Image.Image, random: np.random.Generator) -> bytes:
    return png(reduced(np.asarray(image)).convert("RGB"))


def _resized(image: Image.Image, random: np.random.Generator) -> bytes:
    factor = random.uniform(0.6, 0.9) if random.random() < 0.5 else random.uniform(1.1, 1.4)
    size = round(image.width * factor), round(image.height * factor)
    return jpeg(image.resize(size, Image.Resampling.BICUBIC))


def _relit(image: Image.Image, random: np.random.Generator) -> bytes:
    brighter = ImageEnhance.Brightness(image).enhance(random.uniform(0.85, 1.15))
    return jpeg(ImageEnhance.Contrast(brighter).enhance(random.uniform(0.85, 1.15)))


def _cropped(image: Image.Image, random: np.random.Generator) -> bytes:
    """Two per cent of either side."""
    left, top = (random.uniform(0, 0.02, 2) * image.size).astype(int).tolist()
    right, bottom = left + round(0.98 * image.width), top + round(0.98 * image.height)
    return jpeg(image.crop((left, top, right, bottom)))


def _mirrored(image: Image.Image, random: np.random.Generator) -> bytes:
    return jpeg(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


CHANGES = (_encoded_again, _saved_as_png, _resized, _relit, _cropped, _mirrored)
