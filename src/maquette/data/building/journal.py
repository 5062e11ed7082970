"""The work of a build as it goes: what was looked at, in files that a stopped build goes on with.

Four files grow side by side: `looks.jsonl` (a Record a line), `prepared.raw` (the pixels of
readable pictures), `thumbnails.bin` (their JPEGs) and `strokes.bin` (the points of drawings). A
line is written after all else, so that what a kill leaves behind is cut back to the last whole one.
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

PREPARED, THUMBNAILS, POINTS = "prepared.raw", "thumbnails.bin", "strokes.bin"
LOOKS, IDENTITY = "looks.jsonl", "identity.json"
FLUSH_EVERY_SECONDS = 5.0
POINT_BYTES = 16  # four float32


class Journal:
    """Records in order, their pixels and thumbnails on disk."""

    def __init__(self, folder: Path, identity: str, row_bytes: int):
        """Goes on with what `folder` holds when it was begun for the same `identity`.

        `row_bytes`: of a prepared picture; 0 when pictures are only looked at.
        """
        self._folder, self._row_bytes = folder, row_bytes
        self.records: list[Record] = []
        self._bytes = dict.fromkeys((PREPARED, THUMBNAILS, POINTS), 0)
        if _begun_for(folder) == identity:
            self._restore()
        else:
            for name in (*self._bytes, LOOKS):
                (folder / name).write_bytes(b"")
            (folder / IDENTITY).write_text(json.dumps(identity))
        self.resumed = len(self.records)
        with ExitStack() as opening:
            # Lines last, in every round over the files.
            self._open = {
                name: opening.enter_context((folder / name).open("ab"))
                for name in (*self._bytes, LOOKS)
            }
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
            at = (self._bytes[THUMBNAILS], len(look.thumbnail))
            points = 0 if look.strokes is None else len(look.strokes)
            record = replace(record, facts=replace(record.facts, thumbnail=at, points=points))
            self._write(THUMBNAILS, look.thumbnail)
            if look.pixels is not None:
                self._write(PREPARED, look.pixels.tobytes())
            if look.strokes is not None:
                self._write(POINTS, look.strokes.tobytes())
        self._open[LOOKS].write(json_line(record.to_json()))
        self.records.append(record)
        if time.monotonic() - self._flushed_at > FLUSH_EVERY_SECONDS:
            self.flush()
        return record

    def flush(self) -> None:
        """Onto the disk, lines last."""
        for file in self._open.values():
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
        for name in (*self._bytes, LOOKS, IDENTITY):
            (self._folder / name).unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        self._open[name].write(content)
        self._bytes[name] += len(content)

    def _restore(self) -> None:
        sizes = {name: (self._folder / name).stat().st_size for name in self._bytes}
        line_bytes = 0
        for line in _whole_lines(self._folder / LOOKS):
            try:
                record = Record.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                break
            needed = dict(self._bytes)
            if record.facts is not None:
                needed[PREPARED] += self._row_bytes
                needed[THUMBNAILS] = sum(record.facts.thumbnail)
                needed[POINTS] += record.facts.points * POINT_BYTES
            if any(needed[name] > sizes[name] for name in needed):
                break  # a line that reached the disk before its pixels did
            self.records.append(record)
            self._bytes = needed
            line_bytes += len(line)
        for name, kept in (*self._bytes.items(), (LOOKS, line_bytes)):
            os.truncate(self._folder / name, kept)


def _begun_for(folder: Path) -> str | None:
    """The identity in a folder that holds every file of a journal."""
    if not all((folder / name).is_file() for name in (PREPARED, THUMBNAILS, POINTS, LOOKS)):
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
