"""One look at one picture: decoded once, measured, and brought to the dataset's size.

This is all the work that is done per picture, by `data check` and `data build` alike, in worker
processes; it knows no other picture.
"""

from dataclasses import dataclass

from maquette.data.pictures.content import Box, Content, Raster
from maquette.data.pictures.faults import Fault
from maquette.data.pictures.preparation import Fit
from maquette.data.sizes import ImageSize

THUMBNAIL_PX = 160  # longest side; smaller pictures are kept as they are


@dataclass(frozen=True)
class Facts:
    """What one look tells of a readable picture; plain values, for a line of JSON.

    Sizes and boxes are in pixels of the whole picture as a person sees it (EXIF rotation applied).
    Measurements are taken inside `box` where there is one, and on 8-bit grey 0..255.
    """

    sha256: str  # of the encoded bytes, or of an array's pixel bytes
    height: int
    width: int
    kind: str  # Pillow's name of the format, "array" or "drawing"
    mode: str  # Pillow's mode as stored: "RGB", "CMYK", "P", "I;16", "RGBA", "L", ...
    orientation: int  # EXIF, 1 to 8; 1 is upright
    frames: int  # more than 1 for animations
    box: Box | None  # the part without letterbox or pillarbox bars; None when there are none
    colourless: bool  # grey, whatever its mode
    brightness: float  # mean
    contrast: float  # robust: between the 1st and 99th percentile
    sharpness: float  # scale-free; see tones.py
    hash: int  # 64-bit perceptual hash
    mirrored_hash: int  # of the same picture flipped left to right
    thumbnail: tuple[int, int] = (0, 0)  # offset and length in the store of thumbnails


@dataclass(frozen=True)
class Look:
    """What comes back from a worker."""

    facts: Facts | None  # None for a fault
    fault: Fault | None
    thumbnail: bytes  # JPEG, longest side at most THUMBNAIL_PX, bars included; empty for a fault
    pixels: Raster | None  # in the dataset's size; None for a fault or without a size


@dataclass(frozen=True)
class Bench:
    """How every picture is looked at."""

    size: ImageSize | None  # None when only looking
    channels: int = 3
    fit: Fit = "cover"
    keep_bars: bool = False

    def look(self, content: Content, box: Box | None = None) -> Look:
        """Never raises for what a picture holds; `box`, where given, is believed."""
        raise NotImplementedError
