"""A file's bytes in order, unpacked on the way where it is packed, in constant memory.

How a file is packed is told by its content. What it may become is bounded by its size, and whatever
is wrong with it is a PictureError, whose fault can be handed on as it is.
"""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import PictureError
from maquette.data.sources.archives import BOMB, CUT_SHORT, most_unpacked

GZIP_MAGIC, BZIP2_MAGIC, XZ_MAGIC, ZLIB_MAGIC = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x78"
_CHUNK_BYTES = 2**16
_BUFFER_BYTES = 2**18
_XZ_MEMORY_BYTES = 2**27  # the strongest preset, `xz -9`, needs half of it
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15  # zlib's codes for a gzip header and for its own


@runtime_checkable
class Opened(Protocol):
    """An opened file, or what unpacks one."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, whence: int, /) -> int: ...
    def close(self) -> None: ...


class Stream:
    """Bytes that are read or skipped from the first to the last; to be used in `with`."""

    def __init__(self, opened: Opened, size: int | None, most: int):
        """`size` is the number of bytes where it is certain; more than `most` are never read."""
        self._opened, self.size, self.most = opened, size, most
        self.position = 0

    def read(self, count: int) -> bytes:
        """So many bytes, fewer only at the end; the caller bounds what it asks for."""
        try:
            data = self._opened.read(count)
        except Exception as problem:  # unpacking damaged bytes raises nearly anything
            raise _explained(problem) from None
        self.position += len(data)
        if self.position > self.most:
            raise PictureError(BOMB.kind, BOMB.reason)
        return data

    def skip(self, count: int) -> bool:
        """Leave out so many bytes; False when there are fewer."""
        if self.size is not None:
            there = min(count, self.size - self.position)
            self._opened.seek(there, io.SEEK_CUR)
            self.position += there
            return there == count
        while count > 0 and (data := self.read(min(count, _CHUNK_BYTES))):
            count -= len(data)
        return count == 0

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *raised: object) -> None:
        self._opened.close()


def open_stream(file: Path, *, maybe_zlib: bool = False) -> Stream:
    """A plain, gzip, bzip2 or xz file; PictureError when it cannot be opened.

    zlib has hardly a mark of its own, and is only looked for where it is asked for.
    """
    try:
        opened = file.open("rb")
        size = file.stat().st_size
        start = opened.read(len(XZ_MAGIC))
        opened.seek(0)
    except OSError as problem:
        raise _explained(problem) from None
    unpacking = _unpacking(opened, start, maybe_zlib)
    if unpacking is None:
        return Stream(opened, size, size)
    return Stream(io.BufferedReader(unpacking, _BUFFER_BYTES), None, most_unpacked(size))


def unpacked_start(start: bytes, *, maybe_zlib: bool = False) -> bytes:
    """The first bytes after unpacking, as far as those of the file tell; at most 512."""
    unpacking = _unpacking(io.BytesIO(start), start, maybe_zlib)
    if unpacking is None:
        return start[:512]
    try:
        return unpacking.read(512) or b""
    except (EOFError, OSError, zlib.error, lzma.LZMAError):
        return b""


def refusal(file: Path, problem: PictureError) -> DatasetError:
    """For a file that is not read at all, because of what a stream met at its start."""
    if problem.fault.kind == "unreadable":
        return DatasetError(f"{file} {problem}")
    return DatasetError(f"{file} is {problem}; download it again")


@runtime_checkable
class _Decompressor(Protocol):
    """What bz2 and lzma offer."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflation:
    """zlib's decompressor, with the interface of the others."""

    def __init__(self, window: int):
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class _Unpacking(io.RawIOBase):
    """Unpacks a piece when it is asked for one; packed files that follow each other are one."""

    def __init__(self, opened: Opened, new: Callable[[], _Decompressor]):
        self._opened, self._new = opened, new
        self._inner = new()
        self._left = b""  # packed bytes that were read but not yet handed to the decompressor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._inner.eof or self._goes_on():
            fed = b""
            if needs_input := self._inner.needs_input:
                fed = self._left or self._opened.read(_CHUNK_BYTES)
                self._left = b""
            data = self._inner.decompress(fed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            if needs_input and not fed and not self._inner.eof:
                raise EOFError
        return 0

    def close(self) -> None:
        self._opened.close()
        super().close()

    def _goes_on(self) -> bool:
        """Whether another packed file follows, after zeros that some tools fill up with."""
        self._left = self._inner.unused_data.lstrip(b"\0")
        while not self._left:
            if not (more := self._opened.read(_CHUNK_BYTES)):
                return False
            self._left = more.lstrip(b"\0")
        self._inner = self._new()
        return True


def _unpacking(opened: Opened, start: bytes, maybe_zlib: bool) -> _Unpacking | None:
    """None for a file that is not packed."""
    if start.startswith(GZIP_MAGIC):
        return _Unpacking(opened, lambda: _Inflation(_GZIP_WINDOW))
    if start.startswith(BZIP2_MAGIC):
        return _Unpacking(opened, bz2.BZ2Decompressor)
    if start.startswith(XZ_MAGIC):
        return _Unpacking(opened, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES))
    if maybe_zlib and start.startswith(ZLIB_MAGIC):
        return _Unpacking(opened, lambda: _Inflation(_ZLIB_WINDOW))
    return None


def _explained(problem: Exception) -> PictureError:
    if isinstance(problem, EOFError):
        return PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    if isinstance(problem, OSError) and problem.strerror:
        return PictureError("unreadable", f"cannot be read: {problem.strerror}")
    return PictureError("damaged", "damaged where it is packed")
