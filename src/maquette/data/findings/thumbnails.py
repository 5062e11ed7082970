"""The thumbnails of a survey: kept in one file on disk, decoded when asked for."""

from abc import ABC, abstractmethod

from maquette.data.pictures.content import Raster


class Thumbnails(ABC):
    """Small versions of pictures, by their index in the survey."""

    @abstractmethod
    def jpeg(self, picture: int) -> bytes:
        """As stored: longest side at most 160 px, bars included; empty for a fault."""

    @abstractmethod
    def raster(self, picture: int) -> Raster:
        """Decoded, always three channels."""
