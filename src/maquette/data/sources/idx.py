"""The idx format of MNIST and its kin, plain or packed, with the labels that lie beside.

Whatever a file claims about itself is checked against its size before anything is allocated. Packed
files are unpacked once to see that they are whole, and then again row after row.
"""

import math
from functools import partial
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import PictureError
from maquette.data.sources.archives import CUT_SHORT
from maquette.data.sources.arrays import ArraySource, Rows, mapped_rows, streamed_rows
from maquette.data.sources.identity import file_identity
from maquette.data.sources.streams import Stream, open_stream, refusal, unpacked_start

_IMAGES = (b"\0\0\x08\x03", b"\0\0\x08\x04")  # unsigned bytes in three or four dimensions
_UNSIGNED_BYTES, _MOST_DIMENSIONS = 0x08, 4


def is_idx_images(start: bytes, name: str) -> bool:
    """Whether a file holds pictures in idx format, or is named like one.

    A name of labels counts too: `idx_source` then says which file to give instead.
    """
    named = "-idx3-" in name or is_idx_labels(name) or name.endswith((".idx", ".idx.gz"))
    return named or unpacked_start(start).startswith(_IMAGES)


def is_idx_labels(name: str) -> bool:
    """Whether a file is named like the labels of such pictures."""
    return "-idx1-" in name


def idx_source(file: Path) -> ArraySource:
    """Pictures, with labels from `*-labels-idx1-ubyte` beside `*-images-idx3-ubyte`.

    DatasetError when either is damaged, or is of another kind.
    """
    beside = _labels_beside(file)
    identity = file_identity(file) if beside is None else file_identity(file, beside)
    rows = _rows(file)
    labels = None if beside is None else _labels(beside, file, rows.count)
    name = file.name.split(".")[0]
    return ArraySource(name, file.name, rows, identity=identity, labels=labels)


def _rows(file: Path) -> Rows:
    try:
        with open_stream(file) as stream:
            shape, header_bytes = _header(stream, file)
            if len(shape) < 3:
                raise DatasetError(
                    f"{file} holds labels or numbers, not pictures; give the images-idx3-ubyte file"
                )
            if len(shape) == 3:  # of pictures one pixel high, too: never a flat row
                shape = (*shape, 1)
            if stream.size is None:
                _check_whole(stream, math.prod(shape))
                return streamed_rows(partial(_open_values, file), shape, np.dtype(np.uint8), file)
        return mapped_rows(np.memmap(file, np.uint8, "r", header_bytes, shape), file)
    except PictureError as problem:
        raise refusal(file, problem) from None
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None


def _labels(file: Path, images: Path, count: int) -> list[str]:
    try:
        with open_stream(file) as stream:
            shape, _ = _header(stream, file)
            if shape != (count,):
                raise DatasetError(
                    f"{file} has {math.prod(shape)} labels for the {count} pictures of "
                    f"{images.name}"
                )
            values = stream.read(count)
            _check_whole(stream, count - len(values))
    except PictureError as problem:
        raise refusal(file, problem) from None
    return [str(value) for value in values]


def _header(stream: Stream, file: Path) -> tuple[tuple[int, ...], int]:
    """The dimensions, and how many bytes were read for them; all values can be there.

    Format: two zero bytes, 0x08 for uint8, the number of dimensions, each as a big-endian uint32,
    then the values (Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats).
    """
    start = stream.read(4)
    if len(start) < 4:
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    if start[:2] != b"\0\0" or not 1 <= start[3] <= _MOST_DIMENSIONS:
        raise DatasetError(f"{file} is not an idx file; give one such as train-images-idx3-ubyte")
    if start[2] != _UNSIGNED_BYTES:
        raise DatasetError(f"{file} holds idx values that are not unsigned bytes; convert it")
    sizes = stream.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise DatasetError(f"{file} holds no pictures")
    if stream.position + math.prod(shape) > stream.most:
        raise DatasetError(f"{file} is cut short: it promises {math.prod(shape)} bytes of values")
    return shape, stream.position


def _check_whole(stream: Stream, values: int) -> None:
    """Read to the end, which is what makes checksums be compared."""
    if not stream.skip(values):
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    stream.read(1)


def _open_values(file: Path) -> Stream:
    stream = open_stream(file)
    _header(stream, file)
    return stream


def _labels_beside(file: Path) -> Path | None:
    name = file.name.replace("-images-idx3-", "-labels-idx1-")
    stem = name.removesuffix(".gz")
    candidates = [file.with_name(n) for n in (stem, stem + ".gz")]
    return next((c for c in candidates if is_idx_labels(c.name) and c.is_file()), None)
