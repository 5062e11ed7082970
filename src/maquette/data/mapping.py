"""The arrays of a dataset folder, memory-mapped; what is not as it should be is refused."""

from pathlib import Path

import numpy as np
import torch

from maquette.core.errors import DatasetError
from maquette.core.images import Labels
from maquette.data.manifest import STROKE_ENDS, STROKES, Manifest
from maquette.data.redrawing import Strokes


def mapped_shards(folder: Path, manifest: Manifest) -> list[np.ndarray]:
    """Each uint8 (rows, height, width, channels)."""
    spec = manifest.spec
    return [
        _mapped(folder / shard.file, (shard.rows, spec.height, spec.width, spec.channels), np.uint8)
        for shard in manifest.shards
    ]


def mapped_labels(
    folder: Path, manifest: Manifest, start: int, stop: int, label: str | None = None
) -> Labels | None:
    """Of these rows, in one label column (None takes the first); None where there are no classes.

    DatasetError when there is no such column.
    """
    column = manifest.column(label)
    if not column.classes:
        return None
    file = folder / column.file
    labels = np.array(_mapped(file, (manifest.rows,), np.int32)[start:stop])
    if labels.min() < -1 or labels.max() >= len(column.classes):
        raise DatasetError(f"{file} names classes that do not exist; build it again")
    return torch.from_numpy(labels)


def mapped_points(folder: Path, manifest: Manifest) -> tuple[np.ndarray, np.ndarray] | None:
    """float32 (points, 4) of all rows, and where each row ends; None where none were kept."""
    if manifest.strokes is None:
        return None
    points = _mapped(folder / STROKES, (manifest.strokes.points, 4), np.float32)
    ends = np.array(_mapped(folder / STROKE_ENDS, (manifest.rows,), np.int64))
    if ends[-1] != len(points) or np.diff(ends, prepend=0).min() < 1:
        raise DatasetError(f"{folder / STROKE_ENDS} does not fit {STROKES}; build it again")
    return points, ends


def mapped_strokes(folder: Path, manifest: Manifest, start: int, stop: int) -> Strokes | None:
    """Of these rows; None where none were kept."""
    found = mapped_points(folder, manifest)
    return None if found is None else Strokes(*found, np.arange(start, stop))


def _mapped(file: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{file} is missing from its dataset; build the dataset again") from None
    except (OSError, ValueError, EOFError):
        raise DatasetError(f"{file} is damaged or cut short; build the dataset again") from None
    if array.shape != shape or array.dtype != dtype:
        raise DatasetError(
            f"{file} does not match its dataset.json (it holds {array.dtype} {array.shape}); "
            "build the dataset again"
        )
    return np.asarray(array)
