"""A dataset with pictures of one more class, or more of one it has, as a dataset of its own.

The old pictures keep their class and their side of the split; the sources they came from are not
needed. The same dataset and pictures give the same bytes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.building.layout import LARGEST_SHARD_BYTES
from maquette.data.building.records import json_line
from maquette.data.building.splitting import holdout_mask
from maquette.data.building.writing import npy_header, whole_or_nothing, write_hashed
from maquette.data.manifest import (
    FINDINGS,
    FORMAT,
    ITEMS,
    LABELS,
    MANIFEST,
    STROKE_ENDS,
    STROKES,
    Manifest,
    Shard,
    StoredStrokes,
    read_manifest,
)
from maquette.data.mapping import mapped_labels, mapped_points, mapped_shards
from maquette.data.pictures.looking import Facts


@dataclass(frozen=True)
class NewPicture:
    """One picture of the class to be added, in the dataset's size."""

    source: str
    facts: Facts
    pixels: np.ndarray  # uint8 (height, width, channels)
    strokes: np.ndarray | None  # float32 (points, 4), of drawings


@dataclass(frozen=True)
class Extension:
    """What came of it."""

    folder: Path
    classes: tuple[str, ...]
    added: int  # pictures
    known: int  # left out, because the dataset had them already


def extend(base: Path, pictures: Sequence[NewPicture], name: str, out: Path) -> Extension:
    """Write the dataset folder `out`: all of `base`, and these pictures as the class `name`.

    Of pictures that are the same one is taken, and none that `base` holds. Strokes are kept where
    all have them. DatasetError when nothing new is left or something cannot be read or written.
    """
    manifest, _ = read_manifest(base)
    lines = _item_lines(base)
    have = {line["sha256"] for line in lines if line["row"] is not None}
    fresh = {p.facts.sha256: p for p in reversed(pictures) if p.facts.sha256 not in have}
    new = [p for p in pictures if fresh.get(p.facts.sha256) is p]
    if not new:
        raise DatasetError(f"{base} holds all of these pictures already: give new ones of {name!r}")
    work = _Extending(base, manifest, new, name)
    with whole_or_nothing(out) as folder:
        work.write(folder, lines)
    return Extension(out, work.classes, len(new), len(pictures) - len(new))


class _Extending:
    """Rows are numbered: those of the base, then the new ones."""

    def __init__(self, base: Path, manifest: Manifest, new: Sequence[NewPicture], name: str):
        self.base, self.manifest, self.new, self.name = base, manifest, new, name
        old = manifest.spec.classes
        self.classes = old if name in old else (*old, name)
        policy = manifest.policy
        held = holdout_mask([p.facts.sha256 for p in new], policy.holdout, policy.seed)
        first = manifest.rows
        train, holdout = (
            [*range(*manifest.splits[split]), *(first + n for n, h in enumerate(held) if h == kept)]
            for split, kept in (("train", False), ("holdout", True))
        )
        self.order, self.train = np.array(train + holdout), len(train)

    def write(self, folder: Path, lines: Sequence[dict]) -> None:
        sha256: dict[str, str] = {}
        shards = self._write_shards(folder, sha256)
        sha256[LABELS] = write_hashed(folder / LABELS, _array(self._labels()))
        strokes = self._write_strokes(folder, sha256)
        sha256[ITEMS] = write_hashed(folder / ITEMS, self._items(lines))
        findings = (self.base / FINDINGS).read_bytes() if FINDINGS in self.manifest.sha256 else b""
        if findings:
            sha256[FINDINGS] = write_hashed(folder / FINDINGS, [findings])
        counts = {"train": self.train, "holdout": len(self.order) - self.train}
        manifest = self.manifest.model_copy(
            update={
                "format": FORMAT,
                "name": f"{self.manifest.name} + {self.name}",
                "spec": self.manifest.spec.model_copy(update={"classes": self.classes}),
                "counts": {**self.manifest.counts, **counts},
                "splits": {"train": (0, self.train), "holdout": (self.train, len(self.order))},
                "shards": shards,
                "strokes": strokes,
                "sha256": sha256,
            }
        )
        text = json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
        write_hashed(folder / MANIFEST, [text.encode()])

    def _write_shards(self, folder: Path, sha256: dict[str, str]) -> tuple[Shard, ...]:
        spec = self.manifest.spec
        shape = (spec.height, spec.width, spec.channels)
        most = max(1, LARGEST_SHARD_BYTES // int(np.prod(shape)))
        shards = []
        for number, start in enumerate(range(0, len(self.order), most)):
            rows = self.order[start : start + most]
            shard = Shard(file=f"images-{number:05}.npy", rows=len(rows))
            content = self._pixels(rows, shape)
            sha256[shard.file] = write_hashed(folder / shard.file, content)
            shards.append(shard)
        return tuple(shards)

    def _pixels(self, rows: np.ndarray, shape: tuple[int, int, int]) -> Iterator[bytes]:
        """The bytes of an .npy file with these rows."""
        yield npy_header((len(rows), *shape), np.dtype(np.uint8))
        shards = mapped_shards(self.base, self.manifest)
        starts = np.cumsum([0, *(len(shard) for shard in shards)])
        for row in rows.tolist():
            if row >= self.manifest.rows:
                yield self.new[row - self.manifest.rows].pixels.tobytes()
            else:
                at = int(np.searchsorted(starts, row, side="right")) - 1
                yield shards[at][row - starts[at]].tobytes()

    def _labels(self) -> np.ndarray:
        known = mapped_labels(self.base, self.manifest, 0, self.manifest.rows)
        assert known is not None
        added = np.full(len(self.new), self.classes.index(self.name))
        labels = np.concatenate([known.numpy(), added]).astype(np.int32)
        return np.asarray(labels[self.order])

    def _write_strokes(self, folder: Path, sha256: dict[str, str]) -> StoredStrokes | None:
        known = mapped_points(self.base, self.manifest)
        added = [p.strokes for p in self.new if p.strokes is not None]
        if known is None or len(added) < len(self.new):
            return None
        points, ends = known
        lengths = [*np.diff(ends, prepend=0).tolist(), *(len(one) for one in added)]
        counts = np.array(lengths, np.int64)[self.order]
        sha256[STROKES] = write_hashed(folder / STROKES, self._points(points, ends, added, counts))
        sha256[STROKE_ENDS] = write_hashed(folder / STROKE_ENDS, _array(np.cumsum(counts)))
        return StoredStrokes(points=int(counts.sum()))

    def _points(
        self,
        points: np.ndarray,
        ends: np.ndarray,
        added: Sequence[np.ndarray],
        counts: np.ndarray,
    ) -> Iterator[bytes]:
        yield npy_header((int(counts.sum()), 4), np.dtype(np.float32))
        for row, count in zip(self.order.tolist(), counts.tolist(), strict=True):
            if row >= self.manifest.rows:
                yield np.ascontiguousarray(added[row - self.manifest.rows], np.float32).tobytes()
            else:
                yield points[ends[row] - count : ends[row]].tobytes()

    def _items(self, lines: Sequence[dict]) -> Iterator[bytes]:
        """As `build` writes them: rows in order, then what was left out."""
        of_row = {line["row"]: line for line in lines if line["row"] is not None}
        for place, row in enumerate(self.order.tolist()):
            split = "train" if place < self.train else "holdout"
            line = of_row[row] if row < self.manifest.rows else self._line(row)
            yield json_line({**line, "row": place, "split": split})
        yield from (json_line(line) for line in lines if line["row"] is None)

    def _line(self, row: int) -> dict:
        picture = self.new[row - self.manifest.rows]
        facts = picture.facts
        return {
            "row": None,
            "source": picture.source,
            "split": None,
            "label": self.name,
            "height": facts.height,
            "width": facts.width,
            "box": facts.box,
            "sha256": facts.sha256,
            "findings": [],
            "left_out": None,
        }


def _item_lines(base: Path) -> list[dict]:
    try:
        text = (base / ITEMS).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]
    except (OSError, ValueError):
        raise DatasetError(
            f"{base / ITEMS} is missing or damaged; build the dataset again"
        ) from None


def _array(values: np.ndarray) -> Iterator[bytes]:
    yield npy_header(values.shape, values.dtype)
    yield values.tobytes()
