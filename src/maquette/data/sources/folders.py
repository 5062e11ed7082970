"""A folder of pictures, searched to the bottom; files that hold many pictures are opened in place.

Every regular file that is not hidden becomes at least one item: its content, not its name, decides
whether it is a picture, and whatever is not one is recorded with its fault instead of vanishing.
Left aside are hidden files, the labels beside idx files, and what Maquette itself made there.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.data.manifest import FINDINGS, ITEMS, MANIFEST
from maquette.data.pictures.faults import Fault
from maquette.data.sources.idx import is_idx_labels
from maquette.data.sources.source import LARGEST_FILE_BYTES, Item, Source, too_large

# What opens a file that holds many pictures; None for a file that is at most one picture.
OpenFile = Callable[[Path], Source | None]


_OURS = ((MANIFEST, ITEMS), (FINDINGS, "findings.html"))


class FolderSource(Source):
    """The files below a folder, sorted by path; symbolic links to folders are not followed."""

    def __init__(self, folder: Path, open_file: OpenFile):
        self._folder = folder
        self.name = folder.resolve().name
        self._refused: dict[Path, Fault] = {}
        found = sorted(self._listed(), key=lambda file: file.relative_to(folder).as_posix())
        self._files = found
        self._nested: dict[Path, Source] = {}
        for file in found:
            if file not in self._refused:
                self._open(file, open_file)

    @property
    def grey(self) -> bool:
        return len(self._nested) == len(self._files) and all(
            nested.grey for nested in self._nested.values()
        )

    @property
    def identity(self) -> str:
        digest = hashlib.sha256()
        for file in self._files:
            seen = file.stat() if file.exists() else None
            changed = (seen.st_size, seen.st_mtime_ns) if seen else None
            place = file.relative_to(self._folder).as_posix()
            digest.update(repr((place, changed)).encode(errors="surrogateescape"))
        return digest.hexdigest()

    def count(self) -> int | None:
        counts = [self._count(file) for file in self._files]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def items(self, start: int = 0) -> Iterator[Item]:
        for file in self._files:
            count = self._count(file)
            if count is None:  # only reading tells
                for item in self._items_of(file, 0):
                    if start > 0:
                        start -= 1
                    else:
                        yield item
            elif start >= count:
                start -= count
            else:
                yield from self._items_of(file, start)
                start = 0

    def _count(self, file: Path) -> int | None:
        nested = self._nested.get(file)
        return 1 if nested is None else nested.count()

    def _items_of(self, file: Path, start: int) -> Iterator[Item]:
        path = file.relative_to(self._folder)
        place = Item(f"{self.name}/{path.as_posix()}", path.parent.parts)
        if file in self._refused:
            yield replace(place, fault=self._refused[file])
        elif file in self._nested:
            for item in self._nested[file].items(start):
                yield _placed(item, file.name, place)
        else:
            yield _read(file, place)

    def _listed(self) -> Iterator[Path]:
        def refuse(problem: OSError) -> None:
            folder = Path(problem.filename)
            reason = f"a folder that cannot be read: {problem.strerror}"
            self._refused[folder] = Fault("unreadable", reason)

        for place, folders, files in os.walk(self._folder, onerror=refuse):
            here = Path(place)
            folders[:] = [f for f in folders if not f.startswith(".") and not is_ours(here / f)]
            for link in (here / name for name in folders if (here / name).is_symlink()):
                self._refused[link] = Fault("unreadable", "a link to a folder, not followed")
            for name in files:
                if name.startswith(".") or is_idx_labels(name):
                    continue
                if (here / name).is_file():
                    yield here / name
                elif (here / name).is_symlink():
                    self._refused[here / name] = Fault("unreadable", "a link to nothing")
        yield from self._refused

    def _open(self, file: Path, open_file: OpenFile) -> None:
        try:
            nested = open_file(file) if file.stat().st_size else None
        except OSError:
            return  # reading it will say why
        except DatasetError as problem:
            reason = str(problem).replace(str(file), file.name)
            self._refused[file] = Fault("unreadable", reason)
        else:
            if nested is not None:
                self._nested[file] = nested


def is_ours(folder: Path) -> bool:
    """Whether Maquette made a folder: a dataset, or what a check found. Neither is a source."""
    return any(all((folder / name).is_file() for name in files) for files in _OURS)


def _placed(item: Item, name: str, place: Item) -> Item:
    """An item of a file, whose source begins with the file's name, as seen from the folder."""
    group = item.group
    if group is not None and group.startswith(name):  # others hold across files
        group = place.source + group.removeprefix(name)
    return replace(
        item,
        source=place.source + item.source.removeprefix(name),
        folders=place.folders + item.folders,
        group=group,
    )


def _read(file: Path, place: Item) -> Item:
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            return replace(place, fault=too_large())
        return replace(place, content=file.read_bytes())
    except OSError as problem:
        return replace(place, fault=Fault("unreadable", f"cannot be read: {problem.strerror}"))
