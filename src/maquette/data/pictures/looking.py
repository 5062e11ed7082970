"""One look at one picture: decoded once, measured, and brought to the dataset's size.

This is all the work that is done per picture, by `data check` and `data build` alike, in worker
processes; it knows no other picture.
"""

import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from maquette.data.pictures.bars import find_bars
from maquette.data.pictures.content import Box, Content, Drawing, Raster
from maquette.data.pictures.decoding import Decoded, decode
from maquette.data.pictures.drawing import Timed, rasterise, timed_points
from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.pictures.hashing import perceptual_hash
from maquette.data.pictures.preparation import Fit, fitted, image_of, prepare
from maquette.data.pictures.tones import MEASURED_PX, tones
from maquette.data.sizes import ImageSize

THUMBNAIL_PX = 160  # longest side; smaller pictures are kept as they are
DRAWN_PX = 256  # both sides of a drawing when it is measured
BARRED_PX = 40  # shorter side; edges of smaller pictures (digits, icons) are often of one colour


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
    points: int = 0  # of the pen, in the store of strokes

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Facts":
        """From the fields' names and values as JSON gives them back."""
        box, (offset, length) = values["box"], values["thumbnail"]
        place = {"box": None if box is None else Box(*box), "thumbnail": (offset, length)}
        return cls(**{**values, **place})


@dataclass(frozen=True)
class Look:
    """What comes back from a worker."""

    facts: Facts | None  # None for a fault
    fault: Fault | None
    thumbnail: bytes  # JPEG, longest side at most THUMBNAIL_PX, bars included; empty for a fault
    pixels: Raster | None  # in the dataset's size; None for a fault or without a size
    strokes: Timed | None = None  # of a drawing, where there are pixels


@dataclass(frozen=True)
class Bench:
    """How every picture is looked at."""

    size: ImageSize | None  # None when only looking
    channels: int = 3
    fit: Fit = "cover"
    keep_bars: bool = False
    stroke_channels: bool = False  # drawings get ink, order and progress; see core/strokes

    def look(self, content: Content, box: Box | None = None) -> Look:
        """Never raises for what a picture holds; `box`, where given, is believed."""
        with warnings.catch_warnings():
            # Pillow comments on odd but readable files.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            try:
                decoded = self._decoded(content, whole=box is not None)
                if box == (0, 0, decoded.width, decoded.height):
                    box = None  # known to have no bars
                elif box is None and _may_have_bars(content, decoded):
                    decoded, box = self._without_bars(content, decoded)
            except PictureError as problem:
                return Look(None, problem.fault, b"", None)
        facts = _facts(_sha256(content), decoded, box)
        thumbnail = _thumbnail(decoded.image)
        if isinstance(content, Drawing):
            return Look(facts, None, thumbnail, self._drawn(content), self._strokes(content))
        return Look(facts, None, thumbnail, self._pixels(decoded, box))

    def _decoded(self, content: Content, whole: bool) -> Decoded:
        if isinstance(content, bytes):
            return decode(content, self.size, whole)
        if isinstance(content, Drawing):
            image = image_of(rasterise(content, DRAWN_PX, DRAWN_PX))
            return Decoded(image, DRAWN_PX, DRAWN_PX, "drawing", "strokes", 1, 1)
        image = image_of(content)
        return Decoded(image, image.height, image.width, "array", image.mode, 1, 1)

    def _without_bars(self, content: Content, decoded: Decoded) -> tuple[Decoded, Box | None]:
        """Bars suspected at a reduced scale are found again in the whole picture, to the pixel."""
        box = find_bars(_raster(decoded.image))
        if box is None or not decoded.reduced:
            return decoded, box
        decoded_whole = self._decoded(content, whole=True)
        box = find_bars(_raster(decoded_whole.image))
        return (decoded, None) if box is None else (decoded_whole, box)

    def _drawn(self, drawing: Drawing) -> Raster | None:
        """In the dataset's size, the pen as well."""
        if self.size is None:
            return None
        if self.stroke_channels:
            return rasterise(drawing, self.size.height, self.size.width, self.channels)
        return prepare(drawing, self.size, self.channels, self.fit).pixels

    def _strokes(self, drawing: Drawing) -> Timed | None:
        return None if self.size is None else timed_points(drawing)

    def _pixels(self, decoded: Decoded, box: Box | None) -> Raster | None:
        if self.size is None:
            return None
        kept = None if self.keep_bars else box
        channels = 1 if self.stroke_channels else self.channels  # no strokes: grey in all of them
        pixels = fitted(decoded.image, self.size, channels, self.fit, kept)
        return np.repeat(pixels, self.channels, 2) if self.stroke_channels else pixels


def _may_have_bars(content: Content, decoded: Decoded) -> bool:
    small = min(decoded.width, decoded.height) < BARRED_PX
    return not small and not isinstance(content, Drawing)


def _facts(sha256: str, decoded: Decoded, box: Box | None) -> Facts:
    inside = decoded.image if box is None else decoded.image.crop(box)
    grey = _at_most(MEASURED_PX, inside.convert("L"))
    seen = tones(inside, grey)
    own, mirrored = perceptual_hash(grey)
    return Facts(
        sha256=sha256,
        height=decoded.height,
        width=decoded.width,
        kind=decoded.kind,
        mode=decoded.mode,
        orientation=decoded.orientation,
        frames=decoded.frames,
        box=box,
        colourless=seen.colourless,
        brightness=seen.brightness,
        contrast=seen.contrast,
        sharpness=seen.sharpness,
        hash=own,
        mirrored_hash=mirrored,
    )


def _sha256(content: Content) -> str:
    if isinstance(content, Drawing):
        parts = [stroke.tobytes() for stroke in content.strokes]
        # Their lengths too: the same points in other strokes are another drawing.
        content = repr([len(part) for part in parts]).encode() + b"".join(parts)
    return hashlib.sha256(content if isinstance(content, bytes) else content.tobytes()).hexdigest()


def _raster(image: Image.Image) -> Raster:
    return np.asarray(image).reshape(image.height, image.width, -1)


def _thumbnail(image: Image.Image) -> bytes:
    file = io.BytesIO()
    _at_most(THUMBNAIL_PX, image).convert("RGB").save(file, "JPEG", quality=85)
    return file.getvalue()


def _at_most(longest_px: int, image: Image.Image) -> Image.Image:
    scale = longest_px / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    # Halving and the like are done first, which is faster and cannot be seen.
    return image.resize((width, height), Image.Resampling.HAMMING, reducing_gap=1.0)
