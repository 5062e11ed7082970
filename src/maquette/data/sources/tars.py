"""A tar of pictures, plain or packed, read from its first to its last byte in constant memory.

Folders inside give labels like a folder. In the manner of webdataset, a picture's class may lie
beside it: "000.jpg" then comes with "000.cls", or with "000.json" that names one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maquette.data.pictures.faults import PictureError
from maquette.data.sources.archives import LEADS_OUT
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import Item, Source
from maquette.data.sources.streams import open_stream, refusal, unpacked_start
from maquette.data.sources.tar_members import Member, members, starts_as_tar

_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")
_BESIDE = {"cls", "json", "txt"}  # endings of what may lie beside a picture
_LABEL_KEYS = ("label_name", "class_name", "label", "class", "cls", "target")
_LONGEST_LABEL = 200  # characters
_HELD_BYTES, _HELD_MEMBERS = 2**26, 64  # most that waits for what else is beside it


def is_tar(start: bytes, name: str) -> bool:
    """Whether a file, unpacked if it is packed, begins like a tar, or is named like one."""
    return name.lower().endswith(_ENDINGS) or starts_as_tar(unpacked_start(start))


class TarSource(Source):
    """The regular files of a tar in its order; hidden ones are left out.

    A damaged archive gives what lies before the damage, then one faulty item.
    """

    def __init__(self, file: Path):
        """DatasetError when not even the first member can be read."""
        self._file = file
        self.name = re.sub(r"\.(tar(\.\w+)?|t[gbx]z2?)$", "", file.name, flags=re.IGNORECASE)
        self._identity = file_identity(file)
        try:
            with open_stream(file) as stream:
                self._packed = stream.size is None
                first = next(members(stream, read=False), None)
        except PictureError as problem:
            raise refusal(file, problem) from None
        if first is not None and first.fault is not None and not first.name:
            raise refusal(file, PictureError(first.fault.kind, first.fault.reason))

    @property
    def grey(self) -> bool:
        return False

    @property
    def identity(self) -> str:
        return self._identity

    def count(self) -> int | None:
        """Only plain archives can be counted without being unpacked."""
        if self._packed:
            return None
        with open_stream(self._file) as stream:
            return sum(len(sample.shown) for sample in _samples(members(stream, read=False)))

    def items(self, start: int = 0) -> Iterator[Item]:
        offset = 0
        if start and not self._packed:
            offset, start = self._find(start)
        try:
            with open_stream(self._file) as stream:
                stream.skip(offset)
                for sample in _samples(members(stream, read=True)):
                    for member in sample.shown[start:]:
                        yield self._item(member, sample.label)
                    start = max(0, start - len(sample.shown))
        except PictureError as problem:
            yield Item(self._file.name, fault=problem.fault)

    def _find(self, start: int) -> tuple[int, int]:
        """Where the sample with that item begins, and how many items of it come before."""
        passed = 0
        with open_stream(self._file) as stream:
            for sample in _samples(members(stream, read=False)):
                if passed + len(sample.shown) > start:
                    return sample.members[0].start, start - passed
                passed += len(sample.shown)
            return stream.position, 0

    def _item(self, member: Member, label: str | None) -> Item:
        if not member.name:
            return Item(self._file.name, fault=member.fault)
        path = PurePosixPath(member.name)
        folders = () if member.fault == LEADS_OUT else path.parent.parts
        return Item(f"{self._file.name}!{path}", folders, member.content, label, member.fault)


@dataclass(frozen=True)
class _Sample:
    """Members that follow each other and share their name up to the first dot."""

    members: tuple[Member, ...]

    @property
    def shown(self) -> list[Member]:
        """Those that become items: all but what only lies beside another."""
        others = [m for m in self.members if _split(m)[1] not in _BESIDE]
        return others or list(self.members)

    @property
    def label(self) -> str | None:
        """The class that a member beside the others names."""
        if len(self.shown) == len(self.members):
            return None
        labels = {_split(m)[1]: _label(m) for m in self.members}
        return labels.get("cls") or labels.get("json")


def _samples(found: Iterable[Member]) -> Iterator[_Sample]:
    held: list[Member] = []
    for member in found:
        full = len(held) >= _HELD_MEMBERS or sum(m.size for m in held) > _HELD_BYTES
        if held and (full or _split(member)[0] != _split(held[0])[0]):
            yield _Sample(tuple(held))
            held = []
        held.append(member)
    if held:
        yield _Sample(tuple(held))


def _split(member: Member) -> tuple[str, str]:
    """A member's name up to the first dot behind its folders, and what follows."""
    folder, slash, name = member.name.rpartition("/")
    key, _, ending = name.partition(".")
    return folder + slash + key, ending.lower()


def _label(member: Member) -> str | None:
    ending = _split(member)[1]
    if member.content is None or ending not in ("cls", "json"):
        return None
    try:
        label = member.content.decode().strip()
        if ending == "json":
            label = _named(json.loads(label))
    except (ValueError, RecursionError):
        return None
    good = 0 < len(label) <= _LONGEST_LABEL and label.isprintable()
    return label if good else None


def _named(entries: object) -> str:
    """The class among the entries of a JSON object, empty when there is none."""
    if not isinstance(entries, dict):
        return ""
    values = [entries.get(key) for key in _LABEL_KEYS]
    return next((str(v) for v in values if isinstance(v, str | int)), "")
