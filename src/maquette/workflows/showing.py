"""Look at a dataset folder: what it holds, and a contact sheet."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maquette.core.errors import DatasetError
from maquette.core.pictures import grid, save_png
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.data.manifest import FINDINGS, Manifest, read_manifest

SHEET = "contact-sheet.png"  # in the dataset's folder, but no part of the dataset
SHEET_PX = 1400  # about as wide as a contact sheet may become
MOST_ROWS = 20  # so many classes are shown
_TILE_PX = 66  # with its gap; the least a tile of a grid takes


@dataclass(frozen=True)
class DatasetOverview:
    """What a dataset folder holds."""

    manifest: Manifest
    class_counts: dict[str, int]  # pictures by class, in the order of classes
    findings: list[dict[str, Any]]  # as in findings.json, without the single pictures
    sheet: Path


def show_dataset(dataset: str | Path, sheet: str | Path | None = None) -> DatasetOverview:
    """What a dataset holds, and a contact sheet as a PNG, in its folder unless told.

    With labels, a row of the sheet is a class; else pictures are spread over all for training.
    DatasetError when the folder is no dataset, or the sheet cannot be written.
    """
    folder = Path(dataset)
    manifest, _ = read_manifest(folder)
    parts = [open_dataset(folder, name) for name, (a, b) in manifest.splits.items() if b > a]
    classes = manifest.spec.classes
    found = Counter(int(n) for part in parts if part.labels is not None for n in part.labels)
    out = Path(sheet) if sheet is not None else folder / SHEET
    try:
        _write_sheet(parts[0], out)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise DatasetError(f"{out} cannot be written: {reason}") from None
    counts = {name: found[number] for number, name in enumerate(classes)}
    return DatasetOverview(manifest, counts, _findings(folder), out)


def _write_sheet(pictures: ImageDataset, out: Path) -> None:
    spec = pictures.spec
    columns = max(4, SHEET_PX // max(_TILE_PX, spec.width + 2))
    if pictures.labels is None or bool((pictures.labels < 0).all()):
        shown = min(len(pictures), columns * 12)
        spread = torch.linspace(0, len(pictures) - 1, shown).round().long()
        save_png(grid(pictures.pictures(spread), columns), out)
        return
    rows = [_some_of(pictures.labels, number, columns) for number in range(len(spec.classes))]
    present = [(name, row) for name, row in zip(spec.classes, rows, strict=True) if row is not None]
    names, chosen = zip(*present[:MOST_ROWS], strict=True)
    tiles = pictures.pictures(torch.cat(chosen))
    save_png(grid(tiles, columns, row_names=names), out)


def _some_of(labels: Tensor, number: int, count: int) -> Tensor | None:
    """Rows of pictures of a class, spread over it; repeated where there are too few."""
    rows = torch.nonzero(labels == number)[:, 0]
    if not len(rows):
        return None
    if len(rows) < count:
        return rows.repeat(-(-count // len(rows)))[:count]
    return rows[torch.linspace(0, len(rows) - 1, count).round().long()]


def _findings(folder: Path) -> list[dict[str, Any]]:
    """Nothing for datasets of format 1, which were not checked."""
    try:
        listing = json.loads((folder / FINDINGS).read_text())
        return [{k: v for k, v in f.items() if k != "pictures"} for f in listing["findings"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DatasetError(f"{folder / FINDINGS} is damaged; build the dataset again") from None
