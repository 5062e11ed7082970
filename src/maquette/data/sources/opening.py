"""From what a person typed to a source; the kind is told by content where that is possible."""

from pathlib import Path

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.sources.arrays import (
    GZIP_MAGIC,
    NPY_MAGIC,
    digits_source,
    idx_source,
    npy_source,
)
from maquette.data.sources.folders import FolderSource
from maquette.data.sources.source import Source
from maquette.data.sources.zips import ZIP_MAGIC, ZipSource

BUILT_IN = "builtin:"
BUILT_IN_SOURCES = {"builtin:digits": digits_source}


def open_source(text: str) -> Source:
    """A folder, a zip, an idx, idx.gz or npy file, or "builtin:digits"; DatasetError otherwise."""
    if text.startswith(BUILT_IN):
        if text not in BUILT_IN_SOURCES:
            raise DatasetError(unknown_name("built-in dataset", text, list(BUILT_IN_SOURCES)))
        return BUILT_IN_SOURCES[text]()
    path = Path(text)
    if path.is_dir():
        return FolderSource(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist; check the path") from None
    except OSError as problem:
        raise DatasetError(f"{path} cannot be read: {problem.strerror}") from None
    return _by_content(path, start)


def _by_content(file: Path, start: bytes) -> Source:
    if start.startswith(ZIP_MAGIC):
        return ZipSource(file)
    if start.startswith(NPY_MAGIC) or file.suffix == ".npy":
        return npy_source(file)
    if start.startswith((b"\0\0\x08", GZIP_MAGIC)) or "idx" in file.name:
        return idx_source(file)
    if file.suffix == ".zip":
        return ZipSource(file)
    raise DatasetError(
        f"{file} is not a source of pictures: give a folder, a zip, an .npy or idx file, "
        "or builtin:digits"
    )
