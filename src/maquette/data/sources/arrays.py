"""Pictures that come as arrays: NumPy .npy files, MNIST's idx files, and the built-in digits.

Arrays are memory-mapped where the file allows it. Whatever a damaged file claims about itself is
checked against its size before anything is allocated.
"""

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.pictures.preparation import LARGEST_PICTURE_PX
from maquette.data.sources.source import Item, Source

NPY_MAGIC, GZIP_MAGIC = b"\x93NUMPY", b"\x1f\x8b"
_LARGEST_RATIO = 1032  # of deflate: what one compressed byte can become at most
_CHUNK_ROWS = 1024
_UNSIGNED_BYTES, _MOST_DIMENSIONS = 0x08, 4  # of idx files
_LONGEST_IDX_HEADER = 4 + 4 * _MOST_DIMENSIONS  # bytes


class ArraySource(Source):
    """Pictures as one array (N, H, W, C), with a class name for each where they are known."""

    def __init__(
        self,
        name: str,
        file: str,
        pixels: np.ndarray,
        *,
        labels: Sequence[str] | None = None,
        folders: tuple[str, ...] = (),
    ):
        """Pixels are uint8, bool or floats in [0, 1]; `folders` may become the class of all."""
        self.name, self._file, self._pixels = name, file, pixels
        self._labels, self._folders = labels, folders

    @property
    def grey(self) -> bool:
        return bool(self._pixels.shape[-1] == 1)

    def __len__(self) -> int:
        return len(self._pixels)

    def items(self) -> Iterator[Item]:
        for row, picture in enumerate(self._pixels):
            yield Item(
                source=f"{self._file}#{row}",
                folders=self._folders,
                content=_as_bytes(np.asarray(picture)),
                label=None if self._labels is None else self._labels[row],
            )


def digits_source() -> ArraySource:
    """The 1,797 handwritten 8x8 digits that come with scikit-learn; nothing is downloaded."""
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # published as 0..16
    return ArraySource(
        "digits", "digits", pixels[..., None], labels=[str(n) for n in digits.target]
    )


def npy_source(file: Path) -> ArraySource:
    """An array of pictures: (N, side²), (N, 1, side²), (N, H, W) or (N, H, W, 1 or 3).

    uint8, bool, or floats in [0, 1]; DatasetError for anything else.
    """
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        assert isinstance(array, np.ndarray)
    # NumPy's header parser raises nearly anything on damaged bytes (SyntaxError, TypeError, ...).
    except Exception:
        raise DatasetError(f"{file} {_why_not_npy(file)}") from None
    pictures = _checked(_pictures(array, file), file)
    return ArraySource(file.stem, file.name, pictures, folders=(file.stem,))


def idx_source(file: Path) -> ArraySource:
    """MNIST's format; labels are read from `*-labels-idx1-ubyte` beside `*-images-idx3-ubyte`."""
    pixels = read_idx(file)
    if pixels.ndim < 3:
        raise DatasetError(
            f"{file} holds labels or numbers, not pictures; give the images-idx3-ubyte file"
        )
    pictures = _checked(_pictures(pixels, file), file)
    labels = _labels_beside(file, pixels)
    return ArraySource(file.name.split(".")[0], file.name, pictures, labels=labels)


def is_idx_images(name: str) -> bool:
    """Whether a file in a folder is meant as pictures in idx format."""
    return "-idx3-" in name or name.endswith((".idx", ".idx.gz"))


def is_idx_labels(name: str) -> bool:
    """Whether a file in a folder is meant as the labels of such pictures."""
    return "-idx1-" in name


def read_idx(file: Path) -> np.ndarray:
    """The uint8 array of an idx or idx.gz file; DatasetError when it is damaged or of another kind.

    Format: two zero bytes, 0x08 for uint8, the number of dimensions, each as a big-endian uint32,
    then the values (Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats).
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as plain:
            start = plain.read(_LONGEST_IDX_HEADER)
        if not start.startswith(GZIP_MAGIC):
            shape = _idx_shape(start, size, file)
            return np.memmap(file, np.uint8, "r", offset=4 + 4 * len(shape), shape=shape)
        with gzip.open(file) as unpacked:
            shape = _idx_shape(unpacked.read(_LONGEST_IDX_HEADER), size * _LARGEST_RATIO, file)
            unpacked.seek(4 + 4 * len(shape))
            values = unpacked.read(math.prod(shape))
            unpacked.read(1)  # reaching the end is what makes gzip compare its checksum
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DatasetError(f"{file} is cut short or damaged; download it again") from None
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None
    if len(values) < math.prod(shape):
        raise DatasetError(f"{file} is cut short; download it again")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _idx_shape(start: bytes, room: int, file: Path) -> tuple[int, ...]:
    """The dimensions, out of the first bytes; header and values must be able to fit into `room`."""
    dimensions = start[3] if len(start) > 3 else 0
    header_bytes = 4 + 4 * dimensions
    if len(start) < 4 or len(start) < min(header_bytes, _LONGEST_IDX_HEADER):
        raise DatasetError(f"{file} is cut short; download it again")
    if start[:2] != b"\0\0" or not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise DatasetError(f"{file} is not an idx file; give one such as train-images-idx3-ubyte")
    if start[2] != _UNSIGNED_BYTES:
        raise DatasetError(f"{file} holds idx values that are not unsigned bytes; convert it")
    shape = tuple(int(n) for n in np.frombuffer(start[4:header_bytes], ">u4"))
    if 0 in shape:
        raise DatasetError(f"{file} holds no pictures")
    if header_bytes + math.prod(shape) > room:
        raise DatasetError(f"{file} is cut short: it promises {math.prod(shape)} bytes of values")
    return shape


def _labels_beside(file: Path, pixels: np.ndarray) -> list[str] | None:
    name = file.name.replace("-images-idx3-", "-labels-idx1-")
    stem = name.removesuffix(".gz")
    candidates = [file.with_name(n) for n in (stem, stem + ".gz")]
    beside = next((c for c in candidates if is_idx_labels(c.name) and c.is_file()), None)
    if beside is None:
        return None
    labels = read_idx(beside)
    if labels.shape != pixels.shape[:1]:
        raise DatasetError(
            f"{beside} has {labels.size} labels for the {len(pixels)} pictures of {file.name}"
        )
    return [str(label) for label in labels]


def _pictures(array: np.ndarray, file: Path) -> np.ndarray:
    """The array as (N, H, W, C), without copying."""
    side = math.isqrt(array.shape[-1]) if array.ndim else 0
    if array.ndim == 2 or (array.ndim == 3 and array.shape[1] == 1 and array.shape[2] > 1):
        if side * side != array.shape[-1]:
            raise DatasetError(
                f"{file} has rows of {array.shape[-1]} values, which is not the square of a side; "
                "reshape it to (pictures, height, width)"
            )
        array = array.reshape(len(array), side, side)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise DatasetError(
            f"{file} has the shape {array.shape}, which is not one of (N, side²), (N, 1, side²), "
            "(N, H, W), (N, H, W, 1) and (N, H, W, 3)"
        )
    return array


def _checked(pixels: np.ndarray, file: Path) -> np.ndarray:
    """The same pictures, when their number, size and values can be used."""
    if pixels.size == 0:
        raise DatasetError(f"{file} holds no pictures")
    if pixels.shape[1] * pixels.shape[2] > LARGEST_PICTURE_PX:
        raise DatasetError(f"{file} holds pictures of more than {LARGEST_PICTURE_PX} pixels")
    if pixels.dtype in (np.uint8, np.bool_):
        return pixels
    chunks = (pixels[i : i + _CHUNK_ROWS] for i in range(0, len(pixels), _CHUNK_ROWS))
    if pixels.dtype.kind == "f" and all(((c >= 0) & (c <= 1)).all() for c in chunks):
        return pixels
    raise DatasetError(
        f"{file} holds {pixels.dtype} values that are not pictures as expected: convert them to "
        "uint8 0..255, or to floats from 0 to 1"
    )


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    return np.rint(picture.astype(np.float64) * 255).astype(np.uint8)


def _why_not_npy(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            start = opened.read(64)
    except OSError as problem:
        return f"cannot be read: {problem.strerror}"
    if start.startswith(NPY_MAGIC):
        return "is damaged, cut short or holds Python objects; save it again with numpy.save"
    if start.lstrip().startswith(b"<"):
        return "is a web page and not a NumPy file; download the file itself"
    return "is not a NumPy file; save it with numpy.save"
