"""Planted files that cannot be read as pictures."""

from collections.abc import Iterator

import numpy as np

from planted.planting import Crops, Planted, jpeg, png, taken

COUNT = 24  # of each kind


def truncated(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Cut short by a little or by most of it; the header, 620 bytes at most, is whole."""
    for index, name, pixels in taken(crops, COUNT):
        whole, ending = (png(pixels), "png") if index % 4 == 0 else (jpeg(pixels), "jpg")
        length = max(1000, int(len(whole) * random.uniform(0.1, 0.98)))
        yield Planted(f"photos/{name}.{ending}", whole[:length], ("damaged",))


def empty(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    for index in range(COUNT):
        yield Planted(f"photos/empty-{index}.jpg", b"", ("empty",))


def not_pictures(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """What ends up in folders of pictures: error pages, notes, programs."""
    contents = (
        lambda index: f"<!DOCTYPE html><html><body>Error {400 + index}</body></html>".encode(),
        lambda index: f"name,label\nphoto-{index}.jpg,{index}\n".encode() * (index + 1),
        lambda index: b"\0" + random.bytes(500 + 100 * index),
        lambda index: b"%PDF-1.7\n%" + random.bytes(900 + index),
    )
    for index in range(COUNT):
        content = contents[index % len(contents)](index)
        yield Planted(f"photos/download-{index}.jpg", content, ("not-a-picture",))
