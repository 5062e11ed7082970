"""Writing a folder so that it is either there and whole, or not there.

Files are written into a hidden sibling, checksummed on the way and flushed to the disk, and the
sibling is renamed last. A kill or Ctrl-C leaves it behind, for the next build of the same target to
go on with.
"""

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from maquette.core.errors import DatasetError

_LOCK = ".lock"
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Unfinished(DatasetError):
    """What was written so far is left where it is, because it is of use."""


def write_hashed(file: Path, chunks: Iterable[bytes]) -> str:
    """Write the chunks one after the other and onto the disk; their sha256."""
    sha256 = hashlib.sha256()
    with file.open("wb") as opened:
        for chunk in chunks:
            sha256.update(chunk)
            opened.write(chunk)
        opened.flush()
        os.fsync(opened.fileno())
    return sha256.hexdigest()


def npy_header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """What numpy.save writes before the values of a C-order array of this shape."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape},
    )
    return header.getvalue()


@contextmanager
def whole_or_nothing(target: Path) -> Iterator[Path]:
    """A folder to write into that becomes `target` when the block ends well and vanishes otherwise.

    It may hold what an interrupted earlier writing left. DatasetError when `target` holds something
    already, when it cannot be written, and when the disk is full.
    """
    _refuse_existing(target)
    target = target.resolve()  # a link is not replaced, what it leads to is filled
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with _alone(partial, target):
            yield partial
        (partial / _LOCK).unlink(missing_ok=True)
        _flush(partial)
        if target.exists():
            target.rmdir()  # empty, as checked above; some systems do not rename onto a folder
        partial.rename(target)
        _flush(target.parent)
    except OSError as problem:
        if problem.filename and not _below(Path(str(problem.filename)), target.parent):
            reason = (problem.strerror or str(problem)).lower()
            raise Unfinished(f"{problem.filename} cannot be read: {reason}") from None
        shutil.rmtree(partial, ignore_errors=True)
        if problem.errno in _DISK_FULL:
            raise DatasetError(
                f"the disk is full while writing {target}: free some space, or choose another place"
            ) from None
        raise DatasetError(f"{target} cannot be written: {problem.strerror}") from None
    except (KeyboardInterrupt, Unfinished):
        raise  # and leave everything where it is
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _below(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder)


@contextmanager
def _alone(partial: Path, target: Path) -> Iterator[None]:
    """Two processes that write the same folder would spoil it for each other."""
    lock = FileLock(partial / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Unfinished(
            f"{target} is being made by another process: wait for it, or stop it"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _refuse_existing(target: Path) -> None:
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as problem:
        raise DatasetError(f"{target} cannot be written: {problem.strerror}") from None
    if taken or not target.name:
        raise DatasetError(f"{target} exists already; choose another folder or remove it first")


def _flush(folder: Path) -> None:
    """Make the names in a folder as durable as their files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
