"""The members of a tar in its order, in constant memory: an own walk over the blocks of 512 bytes.

The standard library parses each header; its TarFile remembers every member, and reads names and
extended headers as long as they claim to be.
Format: POSIX.1-2001 (ustar and pax), and GNU's long names.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources.archives import CUT_SHORT, LEADS_OUT, is_hidden, leads_out
from maquette.data.sources.source import LARGEST_FILE_BYTES, too_large
from maquette.data.sources.streams import Stream

BLOCK_BYTES = 512
_LONGEST_HEADER = 2**20  # bytes of a long name or of a pax header
_EXTENDED = {
    tarfile.GNUTYPE_LONGNAME: "name",
    tarfile.GNUTYPE_LONGLINK: "link",
    tarfile.XHDTYPE: "pax",
    tarfile.SOLARIS_XHDTYPE: "pax",
    tarfile.XGLTYPE: "pax of all",
}


@dataclass(frozen=True)
class Member:
    """A regular file of the archive, or what is wrong with the archive from there on."""

    start: int  # where its first header begins
    name: str  # empty when the archive itself is damaged
    size: int
    content: bytes | None = None
    fault: Fault | None = None


def starts_as_tar(start: bytes) -> bool:
    """Whether the first block is a header; its checksum makes that certain."""
    return len(start) >= BLOCK_BYTES and _parsed(start[:BLOCK_BYTES]) is not None


def members(stream: Stream, *, read: bool) -> Iterator[Member]:
    """Files that are not hidden, with their contents if `read`, from where the stream stands.

    When the archive is cut short or damaged, the last one has a fault.
    """
    start = stream.position
    try:
        while (header := _header(stream)) is not None:
            member = _member(stream, header, start, read)
            if member is not None:
                yield member
                if member.fault == CUT_SHORT:
                    return
            start = stream.position
        stream.skip(stream.most - stream.position)  # to the checksum of what is packed
    except PictureError as problem:
        yield Member(start, "", 0, fault=problem.fault)


def _header(stream: Stream) -> tarfile.TarInfo | None:
    """The next file's, or None at the end; longer names and sizes given before it are put in.

    PictureError when the archive cannot be read on.
    """
    name, size = "", None
    while True:
        place = stream.position
        block = stream.read(BLOCK_BYTES)
        if not block.strip(b"\0"):  # empty blocks end an archive; some tools leave them out
            return None
        if len(block) < BLOCK_BYTES:
            raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
        header = _parsed(block)
        if header is None:
            raise PictureError("damaged", f"damaged from byte {place} on")
        kind = _EXTENDED.get(header.type)
        if kind is None:
            header.name = name or header.name
            header.size = header.size if size is None else size
            return header
        content = _extended(stream, header.size, place)
        if kind == "name":
            name = content.rstrip(b"\0").decode(errors="replace")
        elif kind == "pax":
            entries = _pax(content)
            name = entries.get(b"path", b"").decode(errors="replace") or name
            claimed = entries.get(b"size", b"")
            size = int(claimed) if claimed.isdigit() and len(claimed) < 20 else size


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    """A header, if its checksum and numbers are right."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def _extended(stream: Stream, size: int, place: int) -> bytes:
    """The content of a header that says something about the next one."""
    if size > _LONGEST_HEADER:
        raise PictureError("damaged", f"damaged from byte {place} on")
    content = stream.read(size)
    if len(content) < size or not stream.skip(-size % BLOCK_BYTES):
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    return content


def _pax(content: bytes) -> dict[bytes, bytes]:
    """Entries "length key=value", a line each, where the length is that of all; good ones only."""
    entries = {}
    while match := re.match(rb"(\d{1,7}) ", content):
        length = int(match[1])
        key, _, value = content[match.end() : length - 1].partition(b"=")
        if not key or length > len(content):
            break
        entries[key] = value
        content = content[length:]
    return entries


def _member(stream: Stream, header: tarfile.TarInfo, start: int, read: bool) -> Member | None:
    """None for what is not a regular file, or is hidden; the stream then stands behind it."""
    name, size, regular = header.name, header.size, header.isreg()
    if not regular and header.type in tarfile.SUPPORTED_TYPES:
        return None  # folders, links and devices, which have no content
    fault = too_large() if size > LARGEST_FILE_BYTES else None
    if leads_out(name):
        fault = LEADS_OUT
    elif header.type == tarfile.GNUTYPE_SPARSE:
        fault = Fault("unreadable", "stored as a sparse file")
    content = None
    if read and regular and fault is None and not is_hidden(name):
        content = stream.read(size)
        whole = len(content) == size
    else:
        whole = stream.skip(size)
    stream.skip(-size % BLOCK_BYTES)
    if not whole:
        content, fault = None, CUT_SHORT
    if not regular or is_hidden(name):
        return None
    return Member(start, name, size, content, fault)
