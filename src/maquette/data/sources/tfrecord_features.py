"""Which features of a TFRecord hold the pictures and their classes, whatever their names are.

Pictures are found by content: encoded ones by how they begin, bare pixels by a length that fits the
height and width beside them. Classes are found by name; texts are preferred over numbers.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.pictures.content import Raster
from maquette.data.pictures.faults import Fault
from maquette.data.sources.magic import starts_as_picture
from maquette.data.sources.source import Reading
from maquette.data.sources.tfrecord_examples import Example, Feature

_LONGEST_LABEL = 200  # bytes
_PICTURE_WORDS = {"image", "img", "picture", "photo"}
_LABEL_WORDS = {"label", "labels", "class", "classname", "target", "category", "species", "style"}
_BOX_WORDS = {"object", "objects", "bbox", "box", "boxes"}  # of detection: several to a picture
_TEXT_WORDS = {"text", "name"}  # at the end of a name, for the best of several texts
_HEIGHTS, _WIDTHS = {"height", "h", "rows"}, {"width", "w", "cols", "columns"}
_DEPTHS = {"depth", "channels", "c"}


@dataclass(frozen=True)
class Schema:
    """Where to look in each record."""

    image: str
    label: str | None
    shape: tuple[int, ...] | None  # of bare pixels, where it was told
    others: tuple[str, ...]  # more features with classes

    def picture(self, example: Example) -> bytes | Raster | Fault:
        """Encoded or bare; bytes that are neither are handed on and found to be no picture."""
        value = _first(example.get(self.image))
        if value is None:
            return Fault("not-a-picture", f"nothing in the feature {self.image!r}")
        if starts_as_picture(value):
            return value
        pixels = _bare(value, example, self.shape)
        return value if pixels is None else pixels

    def class_name(self, example: Example) -> str | None:
        """None where a record has none, or several."""
        return None if self.label is None else _one_label(example.get(self.label))

    def class_names(self, example: Example) -> dict[str, str]:
        """By the other features, without those that say nothing."""
        found = {name: _one_label(example.get(name)) for name in self.others}
        return {name: label for name, label in found.items() if label is not None}


def choose_schema(examples: Sequence[Example], reading: Reading, file: Path) -> Schema:
    """For records like these; what `reading` names is not guessed.

    DatasetError for names that no record has, and when no feature holds pictures.
    """
    known = sorted({name for example in examples for name in example})
    for name in (reading.image_feature, reading.label_feature, *reading.class_features):
        if name is not None and name not in known:
            raise DatasetError(f"{file}: {unknown_name('feature', name, known)}")
    image = reading.image_feature or _image(examples, reading.shape)
    if image is None:
        raise DatasetError(
            f"{file} holds no pictures that are known by their content: name the feature with "
            f"--image-feature; known are {', '.join(known) or 'none'}"
        )
    if all(_first(example.get(image)) is None for example in examples):
        raise DatasetError(f"{file}: the feature {image!r} does not hold bytes; name another")
    label = reading.label_feature or _label([n for n in known if n != image], examples)
    return Schema(image, label, reading.shape, reading.class_features)


def _image(examples: Sequence[Example], shape: tuple[int, ...] | None) -> str | None:
    """The largest of those that hold pictures, first among names that say so."""
    encoded: Counter[str] = Counter()  # bytes of each
    bare: Counter[str] = Counter()
    for example in examples:
        for name, feature in example.items():
            value = _first(feature) or b""
            if starts_as_picture(value):
                encoded[name] += len(value)
            elif _bare(value, example, shape) is not None:
                bare[name] += len(value)
    found = encoded or bare
    return max(
        found, key=lambda name: (bool(_words(name) & _PICTURE_WORDS), found[name]), default=None
    )


def _label(names: Sequence[str], examples: Sequence[Example]) -> str | None:
    """A feature named like a class that has one short value in most records."""
    best: list[tuple[bool, bool, str]] = []
    for name in names:
        words = _words(name)
        if not words & _LABEL_WORDS or words & _BOX_WORDS:
            continue
        features = [example[name] for example in examples if name in example]
        good = [feature for feature in features if _one_label(feature) is not None]
        if 2 * len(good) > len(examples):
            numbers = good[0].kind != "bytes"
            best.append((numbers, not words & _TEXT_WORDS, name))
    return min(best)[2] if best else None


def _one_label(feature: Feature | None) -> str | None:
    if feature is None:
        return None
    if feature.kind == "integers":
        numbers = list(islice(feature.integers(), 2))
        return str(numbers[0]) if len(numbers) == 1 else None
    texts = list(islice(feature.texts(), 2))
    if len(texts) != 1 or len(texts[0]) > _LONGEST_LABEL:
        return None
    text = texts[0].decode(errors="replace").strip()
    return text if text and text.isprintable() else None


def _bare(value: bytes, example: Example, shape: tuple[int, ...] | None) -> Raster | None:
    """Pixels of that shape, or of the height, width and depth that other features tell."""
    if shape is None:
        height, width, depth = (_number(example, n) for n in (_HEIGHTS, _WIDTHS, _DEPTHS))
        if height is None or width is None or height < 1 or width < 1:
            return None
        shape = (height, width, depth or len(value) // (height * width))
    height, width, depth = (*shape, 1)[:3]
    if depth not in (1, 3) or math.prod(shape) != len(value):
        return None
    return np.frombuffer(value, np.uint8).reshape(height, width, depth)


def _number(example: Example, names: set[str]) -> int | None:
    """The only value of the feature whose name ends so."""
    for name, feature in example.items():
        if feature.kind == "integers" and name.rpartition("/")[2].lower() in names:
            values = list(islice(feature.integers(), 2))
            return values[0] if len(values) == 1 else None
    return None


def _first(feature: Feature | None) -> bytes | None:
    """The first value of a feature of bytes."""
    return None if feature is None else next(feature.texts(), None)


def _words(name: str) -> set[str]:
    """Of a name: "image/class/text" and "imageClassText" have three."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
