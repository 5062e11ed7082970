"""The final order of a dataset's rows, and the files that hold them.

Rows were prepared in the order of the sources; here they are given their class and their side of
the split, and are copied into shards in the order train, holdout.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from maquette.core.images import ImageSpec
from maquette.data.building.labelling import Labels, class_names, labels_of
from maquette.data.building.records import Record
from maquette.data.building.splitting import holdout_mask
from maquette.data.building.writing import npy_header, write_hashed
from maquette.data.manifest import (
    FORMAT,
    ITEMS,
    LABELS,
    MANIFEST,
    Manifest,
    Policy,
    Shard,
    StoredSpec,
)

LARGEST_SHARD_BYTES = 256 * 2**20
_COPIED_ROWS = 256  # at a time


@dataclass(frozen=True)
class Layout:
    """Where every readable picture goes."""

    order: list[int]  # prepared rows, in final order
    train: int  # how many of them come first and are for training
    labels: list[str] | None  # by prepared row
    classes: tuple[str, ...]


def plan(readable: Sequence[Record], policy: Policy, labels: Labels, sources: int) -> Layout:
    """The layout for these pictures, which are in the order of their prepared rows."""
    named = labels_of(readable, labels, sources)
    held = holdout_mask([str(r.sha256) for r in readable], policy.holdout, policy.seed)
    order = sorted(range(len(readable)), key=lambda row: held[row])  # stable
    return Layout(order, held.count(False), named, class_names(named) if named else ())


def write(
    folder: Path,
    prepared: Path,
    records: Sequence[Record],
    layout: Layout,
    spec: ImageSpec,
    policy: Policy,
    name: str,
) -> Manifest:
    """Every file of the dataset, the manifest last; `prepared` holds the raw rows."""
    sha256: dict[str, str] = {}
    shards: list[Shard] = []
    for number, rows in enumerate(_per_shard(layout.order, spec)):
        shard = Shard(file=f"images-{number:05}.npy", rows=len(rows))
        sha256[shard.file] = write_hashed(folder / shard.file, _shard(prepared, rows, spec))
        shards.append(shard)
    if layout.labels:
        sha256[LABELS] = write_hashed(folder / LABELS, _labels(layout))
    sha256[ITEMS] = write_hashed(folder / ITEMS, _item_lines(records, layout))
    count, train = len(layout.order), layout.train
    manifest = Manifest(
        format=FORMAT,
        name=name,
        spec=StoredSpec(**asdict(spec)),
        counts={"train": train, "holdout": count - train, "skipped": len(records) - count},
        splits={"train": (0, train), "holdout": (train, count)},
        shards=tuple(shards),
        sha256=sha256,
        policy=policy,
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
    write_hashed(folder / MANIFEST, [text.encode()])
    return manifest


def _per_shard(order: list[int], spec: ImageSpec) -> Iterator[list[int]]:
    rows_each = max(1, LARGEST_SHARD_BYTES // (spec.channels * spec.height * spec.width))
    for start in range(0, len(order), rows_each):
        yield order[start : start + rows_each]


def _shard(prepared: Path, rows: list[int], spec: ImageSpec) -> Iterator[bytes]:
    """The bytes of an .npy file with these rows."""
    shape = (spec.height, spec.width, spec.channels)
    raw = np.memmap(prepared, np.uint8, "r").reshape(-1, *shape)
    yield npy_header((len(rows), *shape), raw.dtype)
    for start in range(0, len(rows), _COPIED_ROWS):
        yield raw[rows[start : start + _COPIED_ROWS]].tobytes()


def _labels(layout: Layout) -> Iterator[bytes]:
    """The bytes of an .npy file with the class index of each row."""
    assert layout.labels is not None
    index = {name: i for i, name in enumerate(layout.classes)}
    values = np.array([index[layout.labels[row]] for row in layout.order], np.int32)
    yield npy_header(values.shape, values.dtype)
    yield values.tobytes()


def _item_lines(records: Sequence[Record], layout: Layout) -> Iterator[bytes]:
    """A line for each picture in the order of rows, then those of skipped items."""
    readable = [record for record in records if record.finding is None]
    for row, prepared_row in enumerate(layout.order):
        label = layout.labels[prepared_row] if layout.labels else None
        split = "train" if row < layout.train else "holdout"
        yield readable[prepared_row].line(row, split, label)
    for record in records:
        if record.finding is not None:
            yield record.line(None, None, None)
