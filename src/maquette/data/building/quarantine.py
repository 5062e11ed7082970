"""What a dataset leaves out, kept to be looked at: `quarantine/<finding>/…` and `reasons.csv`.

Nothing is ever taken from where it was: unreadable files are copied here as they are, and pictures
that were dropped are copied as they had been prepared.
"""

import csv
import io
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image

from maquette.data.building.outcome import Outcome
from maquette.data.building.records import Record
from maquette.data.pictures.faults import FaultKind
from maquette.data.pictures.looking import Look
from maquette.data.sources.source import Item

QUARANTINE, REASONS = "quarantine", "reasons.csv"
LARGEST_QUARANTINE_BYTES = 10**9  # of copied files; beyond it reasons are still listed
_LONGEST_NAME = 80  # characters


class Quarantine:
    """A folder inside a dataset, made when there is something to put in."""

    def __init__(self, dataset: Path, resumed: bool):
        self._folder = dataset / QUARANTINE
        if not resumed:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._bytes = sum(f.stat().st_size for f in self._folder.rglob("*") if f.is_file())

    def hear(self, number: int, item: Item, look: Look) -> None:
        """Keep the bytes of an unreadable picture, item `number` of the build."""
        content, fault = item.content, look.fault
        if fault is None or not isinstance(content, bytes):
            return
        if self._bytes + len(content) <= LARGEST_QUARANTINE_BYTES:
            self._place(fault.kind, number, item.source).write_bytes(content)
            self._bytes += len(content)

    def fill(self, records: Sequence[Record], result: Outcome, pixels: np.ndarray) -> None:
        """The pictures that were dropped, out of all prepared ones, and the table of reasons."""
        self._clear_dropped()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["source", "finding", "detail"])
        for number, why in sorted(result.left_out.items()):
            source = records[number].source
            writer.writerow([source, why.kind, why.reason])
            if number in result.prepared:
                picture = pixels[result.prepared[number]]
                file = self._place(why.kind, number, source)
                Image.fromarray(picture.squeeze()).save(f"{file}.png")
        if result.left_out:
            self._folder.mkdir(exist_ok=True)
            content = text.getvalue().encode("utf-8", "backslashreplace")
            (self._folder / REASONS).write_bytes(content)

    def _clear_dropped(self) -> None:
        """What an earlier laying out, stopped and perhaps with other choices, had dropped."""
        for place in self._folder.iterdir() if self._folder.is_dir() else ():
            if place.name not in get_args(FaultKind):
                shutil.rmtree(place) if place.is_dir() else place.unlink()

    def _place(self, kind: str, number: int, source: str) -> Path:
        """Never outside the folder, whatever a source calls itself."""
        name = re.sub(r"[^\w.-]+", "_", re.split(r"[/\\!]", source)[-1])[-_LONGEST_NAME:]
        (self._folder / kind).mkdir(parents=True, exist_ok=True)
        return self._folder / kind / f"{number:06}-{name}"
