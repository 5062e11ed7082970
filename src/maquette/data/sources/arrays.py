"""Pictures that come as one array, read row after row; every array format ends here.

Which shapes and values count as pictures is decided in this file alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Raster
from maquette.data.pictures.decoding import LARGEST_PICTURE_PX
from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources.archives import CUT_SHORT
from maquette.data.sources.source import Item, Source
from maquette.data.sources.streams import Stream

PictureShape = tuple[int, int, int]  # height, width, channels
_PROBED_BYTES = 2**22  # how much of an array of floats is looked at before it is accepted


@dataclass(frozen=True)
class Rows:
    """The pictures of an array, in order."""

    count: int
    shape: PictureShape
    dtype: np.dtype  # unsigned bytes, booleans, or floats that are meant to be in [0, 1]
    read: Callable[[int], Iterator[np.ndarray]]  # from that row on; may raise PictureError


class ArraySource(Source):
    """Pictures of an array, with a class name for each where they are known."""

    def __init__(
        self,
        name: str,
        place: str,
        rows: Rows,
        *,
        identity: str,
        labels: Sequence[str] | None = None,
        folders: tuple[str, ...] = (),
    ):
        """`place` is what sources begin with; `folders` may become the class of all."""
        self.name, self._place, self._rows = name, place, rows
        self._identity, self._labels, self._folders = identity, labels, folders

    @property
    def grey(self) -> bool:
        return self._rows.shape[-1] == 1

    @property
    def identity(self) -> str:
        return self._identity

    def count(self) -> int:
        return self._rows.count

    def items(self, start: int = 0) -> Iterator[Item]:
        row = start
        try:
            for picture in self._rows.read(start):
                yield self._item(row, _as_bytes(picture))
                row += 1
        except PictureError as problem:  # nothing behind it can be read either
            for lost in range(row, self._rows.count):
                yield self._item(lost, problem.fault)

    def _item(self, row: int, found: Raster | Fault) -> Item:
        label = None if self._labels is None else self._labels[row]
        good = None if isinstance(found, Fault) else found
        fault = found if isinstance(found, Fault) else None
        return Item(f"{self._place}#{row}", self._folders, good, label, fault)


def mapped_rows(array: np.ndarray, file: object) -> Rows:
    """Of an array in memory or mapped into it. DatasetError, naming `file`, for no pictures."""
    shape = picture_shape(array.shape, file)

    def read(start: int) -> Iterator[np.ndarray]:
        for row in range(start, len(array)):
            yield np.asarray(array[row]).reshape(shape)

    return _checked(Rows(len(array), shape, array.dtype, read), file)


def streamed_rows(
    open_values: Callable[[], Stream], shape: tuple[int, ...], dtype: np.dtype, file: object
) -> Rows:
    """Of values one after the other, where `open_values` opens them at the first.

    DatasetError, naming `file`, for no pictures; PictureError for damage that is met at once.
    """
    picture = picture_shape(shape, file)
    row_bytes = math.prod(picture) * dtype.itemsize

    def read(start: int) -> Iterator[np.ndarray]:
        with open_values() as stream:
            stream.skip(start * row_bytes)
            for _ in range(start, shape[0]):
                if len(data := stream.read(row_bytes)) < row_bytes:
                    raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
                yield np.frombuffer(data, dtype).reshape(picture)
            stream.read(1)  # reaching the end is what makes checksums be compared

    return _checked(Rows(shape[0], picture, dtype, read), file)


def picture_shape(shape: tuple[int, ...], file: object) -> PictureShape:
    """Of each picture in (N, side²), (N, 1, side²), (N, H, W), (N, H, W, 1) or (N, H, W, 3).

    DatasetError, naming `file`, for any other shape, none or too large pictures.
    """
    if len(shape) == 2 or (len(shape) == 3 and shape[1] == 1 and shape[2] > 1):
        side = math.isqrt(shape[-1])
        if side * side != shape[-1]:
            raise DatasetError(
                f"{file} has rows of {shape[-1]} values, which is not the square of a side; "
                "reshape it to (pictures, height, width)"
            )
        shape = (shape[0], side, side)
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or shape[-1] not in (1, 3):
        raise DatasetError(
            f"{file} has the shape {shape}, which is not one of (N, side²), (N, 1, side²), "
            "(N, H, W), (N, H, W, 1) and (N, H, W, 3)"
        )
    if 0 in shape:
        raise DatasetError(f"{file} holds no pictures")
    if shape[1] * shape[2] > LARGEST_PICTURE_PX:
        raise DatasetError(f"{file} holds pictures of more than {LARGEST_PICTURE_PX} pixels")
    return shape[1], shape[2], shape[3]


def _checked(rows: Rows, file: object) -> Rows:
    """The same, when its values can be used; later pictures of floats are checked when read."""
    if rows.dtype in (np.uint8, np.bool_):
        return rows
    if rows.dtype.kind == "f":
        probed = max(1, _PROBED_BYTES // (math.prod(rows.shape) * rows.dtype.itemsize))
        first = zip(range(probed), rows.read(0), strict=False)
        if not any(isinstance(_as_bytes(picture), Fault) for _, picture in first):
            return rows
    raise DatasetError(
        f"{file} holds {rows.dtype} values that are not pictures as expected: convert them to "
        "uint8 0..255, or to floats from 0 to 1"
    )


def _as_bytes(picture: np.ndarray) -> Raster | Fault:
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    if not ((picture >= 0) & (picture <= 1)).all():
        return Fault("not-a-picture", "values that are not from 0 to 1")
    return np.rint(picture.astype(np.float64) * 255).astype(np.uint8)
