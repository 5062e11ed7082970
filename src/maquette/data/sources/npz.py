"""NumPy's .npz files: a zip of arrays, of which some are pictures and some their classes.

Arrays are read row after row, so that memory does not depend on their size, and never unpickled.
"""

import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import PictureError
from maquette.data.sources.archives import BOMB, most_unpacked
from maquette.data.sources.arrays import ArraySource, picture_shape, streamed_rows
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import Item, Source
from maquette.data.sources.streams import Stream, refusal
from maquette.data.sources.zips import ZIP_MAGIC, zip_members

_ENDING = ".npy"
_NAME_AT = 30  # where the first member's name begins, and, four bytes before, its length
_LONGEST_HEADER = 2**16  # bytes
_LONGEST_NAME = 1024  # bytes of a class
_FEWEST_FLAT_VALUES = 16  # rows of fewer are no pictures
_PICTURE_WORDS = {"x", "image", "images", "img", "imgs", "picture", "pictures", "data", "arr"}
_LABEL_WORDS = {"y", "label", "labels", "target", "targets", "class", "classes"}
_SPLIT_WORDS = {"train", "training", "test", "val", "valid", "validation", "extra"}


def is_npz(start: bytes, name: str) -> bool:
    """Whether a file is a zip of arrays, or is named like one."""
    if not start.startswith(ZIP_MAGIC):
        return name.lower().endswith(".npz")
    length = int.from_bytes(start[_NAME_AT - 4 : _NAME_AT - 2], "little")
    return start[_NAME_AT : _NAME_AT + length].endswith(_ENDING.encode())


class NpzSource(Source):
    """The arrays of a file that are pictures, one after the other."""

    def __init__(self, file: Path, arrays: list[ArraySource], identity: str):
        self.name = file.stem
        self._arrays, self._identity = arrays, identity

    @property
    def grey(self) -> bool:
        return all(array.grey for array in self._arrays)

    @property
    def identity(self) -> str:
        return self._identity

    def count(self) -> int:
        return sum(array.count() for array in self._arrays)

    def items(self, start: int = 0) -> Iterator[Item]:
        for array in self._arrays:
            if start < array.count():
                yield from array.items(start)
            start = max(0, start - array.count())


@dataclass(frozen=True)
class _Array:
    """An array of the file, not yet read."""

    file: Path
    member: zipfile.ZipInfo
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    header_bytes: int

    def open_values(self) -> Stream:
        """The values, from the first on."""
        stream = _opened(self.file, self.member)
        stream.skip(self.header_bytes)
        return stream

    @property
    def words(self) -> set[str]:
        """Of its name: "x_train" and "trainX" have two."""
        return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", self.name)}


def npz_source(file: Path) -> NpzSource:
    """Pictures of every array that has their shape and values, as for .npy files.

    Classes come from an array of integers or texts with as many values and a name such as y, labels
    or targets; where there are train and test, x_test goes with y_test. DatasetError when the file
    is damaged or holds no pictures.
    """
    identity = file_identity(file)
    arrays = [a for m in zip_members(file) if (a := _array(file, m)) is not None]
    named = [array for array in arrays if array.words & _LABEL_WORDS]
    found = [_pictures(a, arrays, identity) for a in arrays if a not in named]
    sources = [source for source in found if source is not None]
    if not sources:
        known = ", ".join(f"{array.name} {array.shape} {array.dtype}" for array in arrays)
        raise DatasetError(
            f"{file} holds no pictures: it needs an array of uint8, or of floats from 0 to 1, of "
            f"the shape (N, H, W) or (N, H, W, 3), and has {known or 'no arrays'}"
        )
    return NpzSource(file, sources, identity)


def _opened(file: Path, member: zipfile.ZipInfo) -> Stream:
    try:
        with zipfile.ZipFile(file) as archive:  # an opened member keeps the file open
            return Stream(archive.open(member), None, member.file_size)
    except Exception:  # as in zips.py
        raise PictureError("damaged", "damaged in the archive") from None


def _array(file: Path, member: zipfile.ZipInfo) -> _Array | None:
    """What an array's header says; None for a member that is something else."""
    # NumPy packs in these two ways only, and what the others unpack to cannot be bounded.
    packed_well = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not member.filename.endswith(_ENDING) or not packed_well:
        return None
    try:
        with _opened(file, member) as stream:
            header = io.BytesIO(stream.read(_LONGEST_HEADER))
        first = np.lib.format.read_magic(header) == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read(header)
    # As for .npy files, damaged headers raise nearly anything.
    except Exception:
        raise DatasetError(f"{file} holds a damaged array {member.filename}") from None
    if dtype.hasobject:
        return None
    name = member.filename.removesuffix(_ENDING)
    if header.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
        raise DatasetError(f"{file} holds an array {name} that is cut short; download it again")
    return _Array(file, member, name, shape, dtype, fortran_order, header.tell())


def _pictures(array: _Array, others: list[_Array], identity: str) -> ArraySource | None:
    """None for an array that does not hold pictures."""
    place = f"{array.file}!{array.name}"
    if len(array.shape) == 2 and array.shape[1] < _FEWEST_FLAT_VALUES:
        return None
    try:
        picture_shape(array.shape, place)
        if array.dtype.kind not in "ubf":
            return None
        if array.member.file_size > most_unpacked(array.member.compress_size):
            raise PictureError(BOMB.kind, BOMB.reason)
        if array.fortran_order and len(array.shape) > 1:
            raise PictureError(
                "unreadable", "is in Fortran order; save numpy.ascontiguousarray of it"
            )
        rows = streamed_rows(array.open_values, array.shape, array.dtype, place)
    except PictureError as problem:
        raise refusal(Path(place), problem) from None
    except DatasetError:
        return None
    return ArraySource(
        array.file.stem,
        f"{array.file.name}!{array.name}",
        rows,
        identity=identity,
        labels=_labels(array, others),
        folders=_folders(array, others),
    )


def _labels(pictures: _Array, others: list[_Array]) -> list[str] | None:
    """From the only array that fits by length, type, name and split."""
    fitting = [
        array
        for array in others
        if array.shape in ((pictures.shape[0],), (pictures.shape[0], 1))
        and array.dtype.kind in "iuUS"
        and array.dtype.itemsize <= _LONGEST_NAME
        and array.words & _LABEL_WORDS
        and array.words & _SPLIT_WORDS == pictures.words & _SPLIT_WORDS
    ]
    if len(fitting) != 1:
        return None
    count = math.prod(fitting[0].shape) * fitting[0].dtype.itemsize
    try:
        with fitting[0].open_values() as stream:
            values = np.frombuffer(stream.read(count), fitting[0].dtype)
    except PictureError as problem:
        raise refusal(pictures.file, problem) from None
    return [v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in values.tolist()]


def _folders(pictures: _Array, others: list[_Array]) -> tuple[str, ...]:
    """Arrays named after what they show are classes; those named after a split are not."""
    stem = pictures.file.stem
    alone = not others or pictures.words & _SPLIT_WORDS or pictures.words & _PICTURE_WORDS
    return (stem,) if alone else (stem, pictures.name)
