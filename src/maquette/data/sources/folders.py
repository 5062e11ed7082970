"""A folder of pictures, searched to the bottom; .npy and idx files in it are read as arrays.

Every regular file that is not hidden becomes at least one item: its content, not its name, decides
whether it is a picture, and whatever is not one is recorded with its finding instead of vanishing.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.data.sources.arrays import (
    ArraySource,
    idx_source,
    is_idx_images,
    is_idx_labels,
    npy_source,
)
from maquette.data.sources.source import LARGEST_FILE_BYTES, Item, Source, too_large


class FolderSource(Source):
    """The files below a folder, sorted by path; symbolic links to folders are not followed."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.name = folder.resolve().name
        self._files = sorted(self._listed(), key=lambda file: file.relative_to(folder).as_posix())
        self._arrays = {file: _array_in(file) for file in self._files if _is_array(file)}

    @property
    def grey(self) -> bool:
        good = [array for array in self._arrays.values() if isinstance(array, ArraySource)]
        return len(self._arrays) == len(self._files) and all(array.grey for array in good)

    def __len__(self) -> int:
        sizes = {f: len(a) for f, a in self._arrays.items() if isinstance(a, ArraySource)}
        return sum(sizes.get(file, 1) for file in self._files)

    def items(self) -> Iterator[Item]:
        for file in self._files:
            path = file.relative_to(self._folder)
            place = Item(f"{self.name}/{path.as_posix()}", path.parent.parts)
            array = self._arrays.get(file)
            if isinstance(array, ArraySource):
                yield from _placed(array, place)
            elif array is not None:
                yield replace(place, finding=array)
            else:
                yield _read(file, place)

    def _listed(self) -> Iterator[Path]:
        for path in self._folder.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(self._folder).parts)
            if not hidden and not is_idx_labels(path.name) and path.is_file():
                yield path


def _is_array(file: Path) -> bool:
    return file.suffix == ".npy" or is_idx_images(file.name)


def _array_in(file: Path) -> ArraySource | str:
    """The array, or its finding."""
    try:
        return npy_source(file) if file.suffix == ".npy" else idx_source(file)
    except DatasetError as problem:
        return str(problem).replace(str(file), file.name)


def _placed(array: ArraySource, place: Item) -> Iterator[Item]:
    """Items of an array file, as seen from the folder that it lies in."""
    for item in array.items():
        row = item.source.rpartition("#")[2]
        yield replace(item, source=f"{place.source}#{row}", folders=place.folders + item.folders)


def _read(file: Path, place: Item) -> Item:
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            return replace(place, finding=too_large())
        return replace(place, content=file.read_bytes())
    except OSError as problem:
        return replace(place, finding=f"cannot be read: {problem.strerror}")
