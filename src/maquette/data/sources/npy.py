"""NumPy's .npy files, mapped into memory and never unpickled."""

from pathlib import Path

import numpy as np

from maquette.core.errors import DatasetError
from maquette.data.sources.arrays import ArraySource, mapped_rows
from maquette.data.sources.identity import file_identity
from maquette.data.sources.raw import raw_source, shape_hint

NPY_MAGIC = b"\x93NUMPY"


def is_npy(start: bytes, name: str) -> bool:
    """Whether a file is an array, or is named like one."""
    return start.startswith(NPY_MAGIC) or name.lower().endswith(".npy")


def npy_source(file: Path, shape: tuple[int, ...] | None = None) -> ArraySource:
    """An array of pictures: (N, side²), (N, 1, side²), (N, H, W) or (N, H, W, 1 or 3).

    uint8, bool, or floats in [0, 1]; DatasetError for anything else. `shape` is for a file of that
    name without a header.
    """
    identity = file_identity(file)
    try:
        with file.open("rb") as opened:
            start = opened.read(64)
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None
    if not start.startswith(NPY_MAGIC):
        if shape is not None:
            return raw_source(file, shape)
        raise DatasetError(_other_than_npy(file, start))
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        assert isinstance(array, np.ndarray)
    # NumPy's header parser raises nearly anything on damaged bytes (SyntaxError, TypeError, ...).
    except Exception:
        raise DatasetError(
            f"{file} is damaged, cut short or holds Python objects; save it again with numpy.save"
        ) from None
    rows = mapped_rows(array, file)
    return ArraySource(file.stem, file.name, rows, identity=identity, folders=(file.stem,))


def _other_than_npy(file: Path, start: bytes) -> str:
    if start.lstrip().startswith(b"<"):
        return f"{file} is a web page and not a NumPy file; download the file itself"
    return f"{file} is not a NumPy file; save it with numpy.save{shape_hint(file)}"
