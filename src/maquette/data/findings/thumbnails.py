"""The thumbnails of a survey: kept in one file on disk, decoded when asked for."""

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from maquette.data.pictures.content import Raster


class Thumbnails(ABC):
    """Small versions of pictures, by their index in the survey."""

    @abstractmethod
    def jpeg(self, picture: int) -> bytes:
        """As stored: longest side at most 160 px, bars included; empty for a fault."""

    def raster(self, picture: int) -> Raster:
        """Decoded, always three channels."""
        return decoded(self.jpeg(picture))


def decoded(jpeg: bytes) -> Raster:
    """A thumbnail's pixels, three channels."""
    return np.array(Image.open(io.BytesIO(jpeg), formats=["JPEG"]).convert("RGB"))


class StoredThumbnails(Thumbnails):
    """JPEGs one after the other in a file."""

    def __init__(self, file: Path, places: Sequence[tuple[int, int]]):
        """`places`: offset and length by picture; length 0 for a fault."""
        self._file, self._places = file, places

    def jpeg(self, picture: int) -> bytes:
        offset, length = self._places[picture]
        if not length:
            return b""
        with self._file.open("rb") as opened:
            opened.seek(offset)
            return opened.read(length)
