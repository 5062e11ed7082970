"""A folder of a thousand clean pictures with every kind of fault planted among them.

Every fault has pictures of its own, so that what must be found in each file is known for certain.
To plant another kind, write a planter (planting.py) and add it to PLANTERS.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from planted import broken, copies, encodings, spoilt
from planted.clean import clean_pictures
from planted.planting import Planted, Planter, jpeg, png

CLEAN = 1000
_MOST_CROPS = 1900

PLANTERS: tuple[Planter, ...] = (
    broken.truncated,
    broken.empty,
    broken.not_pictures,
    encodings.greyscale,
    encodings.rotated,
    encodings.cmyk,
    encodings.palette,
    encodings.sixteen_bit,
    encodings.transparent,
    encodings.animated,
    spoilt.too_small,
    spoilt.extreme_shapes,
    spoilt.bars,
    spoilt.blank,
    spoilt.dark,
    spoilt.blurry,
    copies.duplicates,
    copies.near_duplicates,
    copies.leaks,
)


@dataclass(frozen=True)
class Corpus:
    """What lies in the folder; sources as a FolderSource names them."""

    folder: Path
    truth: dict[str, set[str]]  # sources by the kind of finding
    boxes: dict[str, tuple[int, int, int, int]]  # the part of a picture without its bars
    upright: dict[str, np.ndarray]  # how pictures in special files must look


def make_corpus(folder: Path, seed: int = 0, clean: int = CLEAN) -> Corpus:
    """Fill a new folder; the same every time."""
    corpus = Corpus(folder, {}, {}, {})
    for planted in _everything(seed, clean):
        file = folder / planted.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(planted.content)
        source = f"{folder.name}/{planted.name}"
        for kind in planted.kinds:
            corpus.truth.setdefault(kind, set()).add(source)
        if planted.box:
            corpus.boxes[source] = planted.box
        if planted.upright is not None:
            corpus.upright[source] = planted.upright
    return corpus


def _everything(seed: int, clean: int) -> Iterator[Planted]:
    random = np.random.default_rng(seed)
    crops = clean_pictures(_MOST_CROPS, seed)
    for planter in PLANTERS:
        yield from planter(crops, random)
    for _ in range(clean):
        name, pixels = next(crops)
        lossless = random.random() < 0.05
        content = png(pixels) if lossless else jpeg(pixels, int(random.integers(85, 96)))
        yield Planted(f"photos/{name}.{'png' if lossless else 'jpg'}", content)
