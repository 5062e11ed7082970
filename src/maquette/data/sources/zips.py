"""A zip of pictures, read without extracting anything; folders inside give labels like a folder.

An archive comes from elsewhere and may mean harm: how many members, how large and how strongly
compressed they are is bounded before they are read, and their names are never used as paths.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources.archives import (
    BOMB,
    LEADS_OUT,
    MOST_MEMBERS,
    is_hidden,
    leads_out,
    most_unpacked,
)
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import LARGEST_FILE_BYTES, Item, Source, too_large

# Of the first member, and of the directory where there is no member.
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_PIECE_BYTES = 4096  # bzip2 and lzma unpack a piece at once, however much it becomes


def is_zip(start: bytes, name: str) -> bool:
    """Whether a file is a zip, or is named like one."""
    return start.startswith(ZIP_MAGIC) or name.lower().endswith(".zip")


class ZipSource(Source):
    """The members of a zip file, sorted by name; hidden ones (`__MACOSX/._a.jpg`) are left out."""

    def __init__(self, file: Path):
        self._file = file
        self.name = file.stem
        self._identity = file_identity(file)
        shown = [m for m in zip_members(file) if not m.is_dir() and not is_hidden(m.filename)]
        self._members = sorted(shown, key=lambda member: member.filename)

    @property
    def grey(self) -> bool:
        return False

    @property
    def identity(self) -> str:
        return self._identity

    def count(self) -> int:
        return len(self._members)

    def items(self, start: int = 0) -> Iterator[Item]:
        with zipfile.ZipFile(self._file) as archive:
            for member in self._members[start:]:
                path = PurePosixPath(member.filename)
                yield _read(archive, member, Item(f"{self._file.name}!{path}", path.parent.parts))


def zip_members(file: Path) -> list[zipfile.ZipInfo]:
    """What the archive lists. DatasetError when it is damaged, or lists too much."""
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
    # Members that share bytes are how small archives become terabytes (D. Fifield, "A better zip
    # bomb", WOOT 2019).
    if sum(member.compress_size for member in members) > file.stat().st_size:
        raise DatasetError(f"{file} is damaged: its members overlap; download it again")
    return members


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Item) -> Item:
    if leads_out(member.filename):
        # Its folders are dropped too: they must not become class names.
        return replace(place, folders=(), fault=LEADS_OUT)
    if member.file_size > LARGEST_FILE_BYTES:
        return replace(place, fault=too_large())
    if member.file_size > most_unpacked(member.compress_size):
        return replace(place, fault=BOMB)
    try:
        with archive.open(member) as opened:
            content = b"".join(iter(lambda: opened.read(_PIECE_BYTES), b""))
    except NotImplementedError:  # a RuntimeError too
        return _unreadable(place, "compressed in a way that cannot be read")
    except RuntimeError:
        return _unreadable(place, "encrypted")
    except Exception:  # as above: a damaged member may raise nearly anything
        return replace(place, fault=Fault("damaged", "damaged in the archive"))
    return replace(place, content=content)


def _unreadable(place: Item, reason: str) -> Item:
    return replace(place, fault=Fault("unreadable", reason))
