"""A zip of pictures, read without extracting anything; folders inside give labels like a folder.

An archive comes from elsewhere and may mean harm: how many members, how large and how strongly
compressed they are is bounded before they are read, and their names are never used as paths.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from maquette.core.errors import DatasetError
from maquette.data.sources.source import LARGEST_FILE_BYTES, Item, Source, too_large

ZIP_MAGIC = b"PK\x03\x04"
MOST_MEMBERS = 200_000
LARGEST_RATIO = 200  # unpacked to packed bytes; pictures are compressed already
_SMALL_BYTES = 2**20  # flat little pictures may exceed the ratio harmlessly


class ZipSource(Source):
    """The members of a zip file, sorted by name; hidden ones (`__MACOSX/._a.jpg`) are left out."""

    def __init__(self, file: Path):
        self._file = file
        self.name = file.stem
        self._members = _members(file)

    @property
    def grey(self) -> bool:
        return False

    def __len__(self) -> int:
        return len(self._members)

    def items(self) -> Iterator[Item]:
        with zipfile.ZipFile(self._file) as archive:
            for member in self._members:
                path = PurePosixPath(member.filename)
                yield _read(archive, member, Item(f"{self._file.name}!{path}", path.parent.parts))


def _members(file: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    # zipfile raises nearly anything on damaged bytes (struct.error, ValueError, ...).
    except Exception:
        raise DatasetError(f"{file} is damaged or cut short; download it again") from None
    if len(members) > MOST_MEMBERS:
        raise DatasetError(
            f"{file} has {len(members)} members, more than {MOST_MEMBERS}; unpack it and give "
            "the folder"
        )
    shown = [m for m in members if not m.is_dir() and not _hidden(m.filename)]
    return sorted(shown, key=lambda member: member.filename)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in PurePosixPath(name).parts)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Item) -> Item:
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename:
        # Its folders are dropped too: they must not become class names.
        return replace(place, folders=(), finding="a name that leads out of the archive")
    if member.file_size > LARGEST_FILE_BYTES:
        return replace(place, finding=too_large())
    if member.file_size > max(_SMALL_BYTES, LARGEST_RATIO * member.compress_size):
        return replace(place, finding=f"compressed more than {LARGEST_RATIO} times")
    try:
        return replace(place, content=archive.read(member))
    except NotImplementedError:  # a RuntimeError too
        return replace(place, finding="compressed in a way that cannot be read")
    except RuntimeError:
        return replace(place, finding="encrypted")
    except Exception:  # as above: a damaged member may raise nearly anything
        return replace(place, finding="damaged in the archive")
