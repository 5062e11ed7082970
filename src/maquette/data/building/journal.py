"""The work of a build as it goes: what was looked at, in files that a stopped build goes on with.

Three files grow side by side: `looks.jsonl` (a Record a line), `prepared.raw` (the pixels of
readable pictures) and `thumbnails.bin` (their JPEGs). A line is written after its pixels and
thumbnail, so that what a kill leaves behind is cut back to the last whole line.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from maquette.data.building.records import Record, json_line
from maquette.data.findings.thumbnails import StoredThumbnails
from maquette.data.pictures.looking import Look

PREPARED, LOOKS, THUMBNAILS, IDENTITY = (
    "prepared.raw",
    "looks.jsonl",
    "thumbnails.bin",
    "identity.json",
)
FLUSH_EVERY_SECONDS = 5.0


class Journal:
    """Records in order, their pixels and thumbnails on disk."""

    def __init__(self, folder: Path, identity: str, row_bytes: int):
        """Goes on with what `folder` holds when it was begun for the same `identity`.

        `row_bytes`: of a prepared picture; 0 when pictures are only looked at.
        """
        self._folder, self._row_bytes = folder, row_bytes
        self.records: list[Record] = []
        self._rows = self._thumbnail_bytes = 0
        if _begun_for(folder) == identity:
            self._restore()
        else:
            for name in (PREPARED, LOOKS, THUMBNAILS):
                (folder / name).write_bytes(b"")
            (folder / IDENTITY).write_text(json.dumps(identity))
        self.resumed = len(self.records)
        with ExitStack() as opening:
            self._pixels = opening.enter_context((folder / PREPARED).open("ab"))
            self._thumbnails = opening.enter_context((folder / THUMBNAILS).open("ab"))
            self._lines = opening.enter_context((folder / LOOKS).open("ab"))
            self._files = opening.pop_all()
        self._flushed_at = time.monotonic()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._files:
            if kind is None:
                self.flush()

    def append(self, record: Record, look: Look) -> Record:
        """Write one look; the record as it is kept, with the place of its thumbnail."""
        if record.facts is not None:
            at = (self._thumbnail_bytes, len(look.thumbnail))
            record = replace(record, facts=replace(record.facts, thumbnail=at))
            self._thumbnails.write(look.thumbnail)
            self._thumbnail_bytes += len(look.thumbnail)
            if look.pixels is not None:
                self._pixels.write(look.pixels.tobytes())
            self._rows += 1
        self._lines.write(json_line(record.to_json()))
        self.records.append(record)
        if time.monotonic() - self._flushed_at > FLUSH_EVERY_SECONDS:
            self.flush()
        return record

    def flush(self) -> None:
        """Onto the disk, lines last."""
        for file in (self._pixels, self._thumbnails, self._lines):
            file.flush()
            os.fsync(file.fileno())
        self._flushed_at = time.monotonic()

    def thumbnails(self) -> StoredThumbnails:
        """By index into `records`; call `flush` first."""
        return StoredThumbnails(
            self._folder / THUMBNAILS,
            [(0, 0) if r.facts is None else r.facts.thumbnail for r in self.records],
        )

    def remove(self) -> None:
        """Take the files away; what a dataset needs of them was copied."""
        for name in (PREPARED, LOOKS, THUMBNAILS, IDENTITY):
            (self._folder / name).unlink(missing_ok=True)

    def _restore(self) -> None:
        sizes = {n: (self._folder / n).stat().st_size for n in (PREPARED, THUMBNAILS)}
        line_bytes = 0
        for line in _whole_lines(self._folder / LOOKS):
            try:
                record = Record.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                break
            rows, thumbnail_bytes = self._rows, self._thumbnail_bytes
            if record.facts is not None:
                rows, thumbnail_bytes = rows + 1, sum(record.facts.thumbnail)
            if rows * self._row_bytes > sizes[PREPARED] or thumbnail_bytes > sizes[THUMBNAILS]:
                break  # a line that reached the disk before its pixels did
            self.records.append(record)
            self._rows, self._thumbnail_bytes = rows, thumbnail_bytes
            line_bytes += len(line)
        os.truncate(self._folder / LOOKS, line_bytes)
        os.truncate(self._folder / PREPARED, self._rows * self._row_bytes)
        os.truncate(self._folder / THUMBNAILS, self._thumbnail_bytes)


def _begun_for(folder: Path) -> str | None:
    """The identity in a folder that holds every file of a journal."""
    if not all((folder / name).is_file() for name in (PREPARED, LOOKS, THUMBNAILS)):
        return None
    try:
        identity = json.loads((folder / IDENTITY).read_text())
    except (OSError, ValueError):
        return None
    return identity if isinstance(identity, str) else None


def _whole_lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        for line in opened:
            if line.endswith(b"\n"):
                yield line
