"""The dataset folder: what lies in it and how `dataset.json` describes it.

- `dataset.json`: this manifest, written last; its sha256 is the dataset's fingerprint.
- `images-00000.npy` ...: uint8 (rows, height, width, channels), C order, at most 256 MiB a shard.
- `labels.npy`: int32 (rows,), -1 where unlabelled; only when there are classes.
- `labels-1.npy` ...: likewise, of more label columns; since format 4.
- `strokes.npy`, `stroke-ends.npy`: only when every picture is a drawing; since format 3. Float32
  (points, 4): x, y, number of the stroke, milliseconds (0 where not recorded), of row after row;
  and int64 (rows,): the number of points up to the end of each row.
- `items.jsonl`: one line per item that was looked at: where it came from, its row, its findings,
  and for those left out the reason.
- `findings.json`: what the checks found (see `findings/`); since format 2.
- `quarantine/`: what was left out, to be looked at; not part of the dataset and free to be deleted.
Rows are stored train first, then holdout, so a split is a range of rows.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from pydantic import Field, ValidationError

from maquette.core.errors import DatasetError, unknown_name
from maquette.core.images import ImageSpec
from maquette.core.settings import Settings

FORMAT = 4
MANIFEST, ITEMS, LABELS = "dataset.json", "items.jsonl", "labels.npy"
FINDINGS = "findings.json"
STROKES, STROKE_ENDS = "strokes.npy", "stroke-ends.npy"


class Policy(Settings):
    """How pictures were prepared and split; enough to prepare another picture the same way."""

    fit: str
    """cover, contain or stretch."""
    resampling: str = "lanczos"
    """The filter that changed the sizes."""
    colour: str
    """rgb or grey."""
    labels: str
    """Where class names were asked from: auto, folders, sources, table, columns or none."""
    holdout: float
    """Share of the pictures kept away from training."""
    seed: int
    """Decides, together with a picture's sha256, on which side of the split it lies."""
    bars: str = "kept"
    """cropped or kept: letterbox and pillarbox bars."""
    dropped: tuple[str, ...] = ()
    """Kinds of findings whose pictures were left out."""
    stroke_channels: bool = False
    """Whether the channels are ink, order of the strokes and progress of the pen, not colours."""


class StoredSpec(Settings):
    """An ImageSpec in JSON."""

    channels: int = Field(ge=1, le=3)
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    classes: tuple[str, ...] = ()


class Shard(Settings):
    """One `images-*.npy`."""

    file: str = Field(pattern=r"^images-\d{5}\.npy$")
    rows: int = Field(ge=1)


class StoredColumn(Settings):
    """One of several kinds of labels: what it is called, and its classes."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{0,40}$")
    classes: tuple[str, ...]
    file: str = Field(pattern=r"^labels(-\d+)?\.npy$")


class StoredStrokes(Settings):
    """What `strokes.npy` holds."""

    points: int = Field(ge=0)


class Manifest(Settings):
    """The content of `dataset.json`."""

    format: int
    name: str
    spec: StoredSpec
    counts: dict[str, int]
    """Pictures per split, and how many items were skipped."""
    splits: dict[str, tuple[int, int]]
    """Row ranges, end exclusive."""
    shards: tuple[Shard, ...] = Field(min_length=1)
    columns: tuple[StoredColumn, ...] = ()
    """Kinds of labels where there are several; the first is that of `spec` and `labels.npy`."""
    strokes: StoredStrokes | None = None
    """Where every picture is a drawing, and its strokes are kept."""
    sha256: dict[str, str]
    """Of every other file in the folder, without the quarantine."""
    policy: Policy

    @property
    def rows(self) -> int:
        return sum(shard.rows for shard in self.shards)

    def image_spec(self, label: str | None = None) -> ImageSpec:
        """With the classes of one label column; None takes the first."""
        return replace(ImageSpec(**self.spec.model_dump()), classes=self.column(label).classes)

    def column(self, label: str | None = None) -> StoredColumn:
        """The label column of this name; None takes the first. DatasetError when there is none."""
        if label is None:
            return StoredColumn(name="", classes=self.spec.classes, file=LABELS)
        for column in self.columns:
            if column.name == label:
                return column
        if not self.columns:
            raise DatasetError(
                f"{self.name} has no label column {label!r}: set data.label to null, or build it "
                f"with columns, as in `maquette data build … --label {label}=folders`"
            )
        known = [column.name for column in self.columns]
        raise DatasetError(unknown_name("label column", label, known))


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest and the dataset's fingerprint; DatasetError if it cannot be read."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError:
        state = "holds no dataset.json" if folder.is_dir() else "does not exist"
        raise DatasetError(
            f"{folder} is not a dataset: it {state}; make one with `maquette data build`"
        ) from None
    return _parsed(content, folder), hashlib.sha256(content).hexdigest()


def _parsed(content: bytes, folder: Path) -> Manifest:
    damaged = f"{folder / MANIFEST} is damaged; build the dataset again"
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise DatasetError(damaged) from None
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise DatasetError(damaged)
    if raw["format"] > FORMAT:
        raise DatasetError(
            f"{folder} has dataset format {raw['format']}, newer than the {FORMAT} this version "
            "reads; update maquette"
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as problem:
        where = ".".join(map(str, problem.errors()[0]["loc"]))
        raise DatasetError(f"{damaged} (at {where})") from None
    for name, (start, stop) in manifest.splits.items():
        if not 0 <= start <= stop <= manifest.rows:
            raise DatasetError(f"{damaged} (split {name!r} is out of range)")
    return manifest
