"""Bytes of pictures one after the other, without a header that says how large they are."""

import math
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.sources.arrays import ArraySource, mapped_rows
from maquette.data.sources.identity import file_identity
from maquette.data.sources.magic import starts_as_picture

_ENDINGS = (".bin", ".raw", ".dat", ".bytes")
_USUAL_SIDE_PX = 28  # of Quick, Draw! and MNIST, the files of this kind that people meet


def is_raw(start: bytes, name: str) -> bool:
    """Whether a file is named like one of bytes alone, and is no encoded picture either."""
    return name.lower().endswith(_ENDINGS) and not starts_as_picture(start)


def raw_source(file: Path, shape: tuple[int, ...] | None) -> ArraySource:
    """Pictures of that shape: (height, width), (height, width, 1) or (height, width, 3).

    DatasetError without a shape, and when the file is not a whole number of such pictures.
    """
    identity = file_identity(file)
    if shape is None:
        raise DatasetError(
            f"{file} has no header: give the height and width of its pictures, such as "
            f"--shape {_USUAL_SIDE_PX}x{_USUAL_SIDE_PX}"
        )
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise DatasetError(f"pictures cannot have the shape {shape}; give one such as 28x28")
    size, picture_bytes = file.stat().st_size, math.prod(shape)
    if size % picture_bytes or not size:
        raise DatasetError(
            f"{file} is not a whole number of pictures of {picture_bytes} bytes: of its {size} "
            f"bytes {size % picture_bytes} remain; give another --shape"
        )
    try:
        values = np.memmap(file, np.uint8, "r", shape=(size // picture_bytes, *shape))
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None
    rows = mapped_rows(values, file)
    return ArraySource(file.stem, file.name, rows, identity=identity, folders=(file.stem,))


def shape_hint(file: Path) -> str:
    """How a sentence about a file that may be of this kind goes on: with a shape that fits."""
    size = file.stat().st_size
    if not size or size % _USUAL_SIDE_PX**2:
        return ""
    side = f"{_USUAL_SIDE_PX}x{_USUAL_SIDE_PX}"
    return f", or give --shape {side} if it is {size // _USUAL_SIDE_PX**2} pictures of bytes alone"
