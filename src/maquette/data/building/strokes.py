"""The strokes of a dataset made of drawings: the points of every row, in the order of the rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from maquette.data.building.layout import Layout
from maquette.data.building.records import Record
from maquette.data.building.writing import npy_header, write_hashed
from maquette.data.manifest import STROKE_ENDS, STROKES, StoredStrokes

_COPIED_ROWS = 256  # at a time


def write_strokes(
    folder: Path, stored: Path, records: Sequence[Record], layout: Layout
) -> tuple[StoredStrokes | None, dict[str, str]]:
    """What the manifest says of them, and each file's sha256; nothing unless all are drawings.

    `stored` holds the points of all readable records, in their order.
    """
    facts = [record.facts for record in records if record.facts is not None]
    if not all(facts[row].kind == "drawing" for row in layout.order):
        return None, {}
    ends = np.cumsum([found.points for found in facts], dtype=np.int64)
    counts = np.array([facts[row].points for row in layout.order], np.int64)
    points = int(counts.sum())
    starts = ends[layout.order] - counts
    return StoredStrokes(points=points), {
        STROKES: write_hashed(folder / STROKES, _points(stored, starts, counts)),
        STROKE_ENDS: write_hashed(folder / STROKE_ENDS, _ends(counts)),
    }


def _points(stored: Path, starts: np.ndarray, counts: np.ndarray) -> Iterator[bytes]:
    """The bytes of an .npy file."""
    yield npy_header((int(counts.sum()), 4), np.dtype(np.float32))
    points = np.memmap(stored, np.float32, "r").reshape(-1, 4)
    for first in range(0, len(counts), _COPIED_ROWS):
        rows = range(first, min(first + _COPIED_ROWS, len(counts)))
        yield np.concatenate([points[starts[n] : starts[n] + counts[n]] for n in rows]).tobytes()


def _ends(counts: np.ndarray) -> Iterator[bytes]:
    yield npy_header(counts.shape, counts.dtype)
    yield np.cumsum(counts).tobytes()
