"""The final order of a dataset's rows, and the files that hold them.

Rows were prepared in the order of the sources; here those that are kept are given their class and
their side of the split, and are copied into shards in the order train, holdout.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.core.images import ImageSpec
from maquette.data.building.labelling import class_names
from maquette.data.building.splitting import holdout_mask
from maquette.data.building.writing import npy_header, write_hashed
from maquette.data.manifest import LABELS, Shard, StoredColumn

LARGEST_SHARD_BYTES = 256 * 2**20
_COPIED_ROWS = 256  # at a time


@dataclass(frozen=True)
class Layout:
    """Where every kept picture goes."""

    order: list[int]  # prepared rows, in final order
    train: int  # how many of them come first and are for training
    labels: list[str | None] | None  # in final order
    classes: tuple[str, ...]
    columns: dict[str, list[str | None]]  # all of them by name where there are several, likewise

    def split(self, row: int) -> str:
        return "train" if row < self.train else "holdout"


def plan(
    rows: Sequence[int],
    keys: Sequence[str],
    labels: Sequence[str | None],
    holdout: float,
    seed: int,
    columns: Mapping[str, Sequence[str | None]],
) -> Layout:
    """For kept pictures, given by their prepared rows, the keys of what belongs together (see
    `splitting`), their classes, None where they have none, and all columns of several."""
    held = holdout_mask(keys, holdout, seed, list(columns.values()) or [labels])
    order = sorted(range(len(rows)), key=lambda index: held[index])  # stable
    known = [label for label in labels if label is not None]
    named = [labels[index] for index in order] if known else None
    return Layout(
        [rows[index] for index in order],
        held.count(False),
        named,
        class_names(known),
        {name: [values[index] for index in order] for name, values in columns.items()},
    )


def write_rows(
    folder: Path, prepared: Path, layout: Layout, spec: ImageSpec
) -> tuple[tuple[Shard, ...], dict[str, str]]:
    """The shards and labels of a dataset, and each file's sha256; `prepared` holds raw rows."""
    sha256: dict[str, str] = {}
    shards: list[Shard] = []
    for number, rows in enumerate(_per_shard(layout.order, spec)):
        shard = Shard(file=f"images-{number:05}.npy", rows=len(rows))
        sha256[shard.file] = write_hashed(folder / shard.file, _shard(prepared, rows, spec))
        shards.append(shard)
    if layout.labels:
        sha256[LABELS] = write_hashed(folder / LABELS, _labels(layout.labels, layout.classes))
    return tuple(shards), sha256


def write_columns(folder: Path, layout: Layout) -> tuple[tuple[StoredColumn, ...], dict[str, str]]:
    """All label columns where there are several, the first being the dataset's labels; and the
    sha256 of each file beside those."""
    columns: list[StoredColumn] = []
    sha256: dict[str, str] = {}
    for number, (name, values) in enumerate(layout.columns.items()):
        classes = class_names([value for value in values if value is not None])
        column = StoredColumn(name=name, classes=classes, file=LABELS)
        if number:
            column = column.model_copy(update={"file": f"labels-{number}.npy"})
            sha256[column.file] = write_hashed(folder / column.file, _labels(values, classes))
        columns.append(column)
    return tuple(columns), sha256


def prepared_rows(prepared: Path, spec: ImageSpec) -> np.ndarray:
    """uint8 (pictures, height, width, channels), mapped from disk."""
    shape = (spec.height, spec.width, spec.channels)
    return np.memmap(prepared, np.uint8, "r").reshape(-1, *shape)


def _per_shard(order: list[int], spec: ImageSpec) -> Iterator[list[int]]:
    rows_each = max(1, LARGEST_SHARD_BYTES // (spec.channels * spec.height * spec.width))
    for start in range(0, len(order), rows_each):
        yield order[start : start + rows_each]


def _shard(prepared: Path, rows: list[int], spec: ImageSpec) -> Iterator[bytes]:
    """The bytes of an .npy file with these rows."""
    raw = prepared_rows(prepared, spec)
    yield npy_header((len(rows), *raw.shape[1:]), raw.dtype)
    for start in range(0, len(rows), _COPIED_ROWS):
        yield raw[rows[start : start + _COPIED_ROWS]].tobytes()


def _labels(labels: Sequence[str | None], classes: Sequence[str]) -> Iterator[bytes]:
    """The bytes of an .npy file with the class index of each row, -1 without a label."""
    index: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    values = np.array([index.get(label, -1) for label in labels], np.int32)
    yield npy_header(values.shape, values.dtype)
    yield values.tobytes()
