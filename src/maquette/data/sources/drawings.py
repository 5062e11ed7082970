"""Drawings as Quick, Draw! publishes them: one JSON object a line (.ndjson), raw or simplified.

Raw strokes are [[x...], [y...], [milliseconds...]], simplified ones [[x...], [y...]] in 0..255, and
strokes they stay. A bad line costs that one drawing, and memory is bounded by the longest line
allowed. Format: github.com/googlecreativelab/quickdraw-dataset.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Drawing
from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import Item, Source

LONGEST_LINE_BYTES = 10**6  # the longest of the published ones have some 40,000
LARGEST_VALUE = 10**7  # of a coordinate or a time; float32 counts exactly up to 2**24
_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class DrawingRecord:
    """One drawing and what is told of it; None for what the line does not tell."""

    drawing: Drawing
    word: str | None  # what was to be drawn
    key_id: str | None  # the same drawing has the same one in the raw and the simplified files
    recognized: bool | None  # whether the game guessed the word; says nothing about the file
    countrycode: str | None  # two letters
    timestamp: str | None  # "2017-03-10 22:17:57.57466 UTC"


class DrawingsSource(Source):
    """The drawings of one file, unrecognised ones too; the word drawn is the class.

    An item's group is its key_id, so that a drawing whose raw and simplified forms are both given
    does not end up on both sides of a split.
    """

    def __init__(self, file: Path):
        self._file = file
        self.name = file.stem

    @property
    def grey(self) -> bool:
        return True

    @property
    def identity(self) -> str:
        return file_identity(self._file)

    def count(self) -> int:
        """Reads the whole file, without understanding it."""
        return sum(1 for _ in _lines(self._file))

    def items(self, start: int = 0) -> Iterator[Item]:
        for number, record in read_drawings(self._file, start):
            source = f"{self._file.name}#{number}"
            if isinstance(record, Fault):
                yield Item(source, fault=record)
            else:
                group = None if record.key_id is None else f"key {record.key_id}"
                yield Item(source, content=record.drawing, label=record.word, group=group)


def read_drawings(file: Path, start: int = 0) -> Iterator[tuple[int, DrawingRecord | Fault]]:
    """The number of each line, from 1, with what is on it, or why there is no drawing on it.

    Blank lines do not count, and the first `start` of the others are left out. DatasetError when
    the file cannot be read.
    """
    for number, line in islice(_lines(file), start, None):
        try:
            yield number, _record(line)
        except PictureError as problem:
            yield number, problem.fault


def is_drawings(start: bytes, name: str) -> bool:
    """Whether a file is meant as drawings, by its first bytes (512 are enough) or its name."""
    if name.lower().endswith(".ndjson"):
        return True
    keyed = b'"drawing"' in start or (b'"word"' in start and b'"key_id"' in start)
    return keyed and start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank; of one that is too long, only the beginning."""
    try:
        with file.open("rb") as opened:
            for number in count(1):
                line = opened.readline(LONGEST_LINE_BYTES + 1)
                if not line:
                    return
                rest = line
                while rest and not rest.endswith(b"\n"):
                    rest = opened.readline(_CHUNK_BYTES)
                if not line.isspace():
                    yield number, line
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None


def _record(line: bytes) -> DrawingRecord:
    """PictureError when there is no drawing in it."""
    if len(line) > LONGEST_LINE_BYTES:
        raise PictureError("unreadable", f"a line longer than {LONGEST_LINE_BYTES // 10**6} MB")
    try:
        told = json.loads(line)
    except ValueError:  # bytes that are no text, too
        raise PictureError("damaged", "not JSON, or cut short") from None
    except RecursionError:
        raise PictureError("damaged", "JSON that is nested too deeply") from None
    if not isinstance(told, dict) or "drawing" not in told:
        raise PictureError("not-a-picture", "JSON without a drawing")
    recognized = told.get("recognized")
    return DrawingRecord(
        drawing=_drawing(told["drawing"]),
        word=_text(told, "word"),
        key_id=_text(told, "key_id"),
        recognized=recognized if isinstance(recognized, bool) else None,
        countrycode=_text(told, "countrycode"),
        timestamp=_text(told, "timestamp"),
    )


def _text(told: dict[str, Any], key: str) -> str | None:
    """Numbers count as text: some copies of the files have lost the quotes of their key_ids."""
    value = told.get(key)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if (isinstance(value, str) and value) or is_number else None


def _drawing(strokes: object) -> Drawing:
    if not isinstance(strokes, list):
        raise PictureError("damaged", "the drawing is not a list of strokes")
    if not strokes:
        raise PictureError("empty", "no strokes")
    arrays = tuple(_stroke(stroke) for stroke in strokes)
    if len({len(array) for array in arrays}) > 1:
        raise PictureError("damaged", "times for some strokes only")
    if not (np.abs(np.concatenate(arrays, axis=1)) <= LARGEST_VALUE).all():  # False for NaN
        raise PictureError("damaged", f"a coordinate that is no number up to {LARGEST_VALUE}")
    return Drawing(tuple(array.astype(np.float32) for array in arrays))


def _stroke(stroke: object) -> np.ndarray:
    """Shape (2 or 3, points), float64."""
    if not isinstance(stroke, list) or len(stroke) not in (2, 3):
        raise PictureError("damaged", "a stroke that is not [x, y] or [x, y, t]")
    try:
        # The dtype matters: left to itself, NumPy makes room for the longest text for every value.
        array = np.array(stroke, np.float64)
    except (ValueError, TypeError, OverflowError):
        raise PictureError("damaged", "x, y and t of unequal length, or not numbers") from None
    if array.ndim != 2:
        raise PictureError("damaged", "a stroke that is not [x, y] or [x, y, t]")
    if not array.size:
        raise PictureError("empty", "a stroke without points")
    return array
