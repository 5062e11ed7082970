"""The final order of a dataset's rows, and the files that hold them.

Rows were prepared in the order of the sources; here those that are kept are given their class and
their side of the split, and are copied into shards in the order train, holdout.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.core.images import ImageSpec
from maquette.data.building.labelling import class_names
from maquette.data.building.splitting import holdout_mask
from maquette.data.building.writing import npy_header, write_hashed
from maquette.data.manifest import LABELS, Shard

LARGEST_SHARD_BYTES = 256 * 2**20
_COPIED_ROWS = 256  # at a time


@dataclass(frozen=True)
class Layout:
    """Where every kept picture goes."""

    order: list[int]  # prepared rows, in final order
    train: int  # how many of them come first and are for training
    labels: list[str] | None  # in final order
    classes: tuple[str, ...]

    def split(self, row: int) -> str:
        return "train" if row < self.train else "holdout"


def plan(
    rows: Sequence[int],
    keys: Sequence[str],
    labels: Sequence[str] | None,
    holdout: float,
    seed: int,
) -> Layout:
    """For kept pictures, given by their prepared rows, the keys of what belongs together (see
    `splitting`), and their classes where there are any."""
    held = holdout_mask(keys, holdout, seed)
    order = sorted(range(len(rows)), key=lambda index: held[index])  # stable
    named = [labels[index] for index in order] if labels else None
    return Layout(
        [rows[index] for index in order],
        held.count(False),
        named,
        class_names(named) if named else (),
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
        sha256[LABELS] = write_hashed(folder / LABELS, _labels(layout))
    return tuple(shards), sha256


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


def _labels(layout: Layout) -> Iterator[bytes]:
    """The bytes of an .npy file with the class index of each row."""
    assert layout.labels is not None
    index = {name: i for i, name in enumerate(layout.classes)}
    values = np.array([index[label] for label in layout.labels], np.int32)
    yield npy_header(values.shape, values.dtype)
    yield values.tobytes()
