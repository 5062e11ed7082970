"""One picture decoded safely: upright, eight bits a channel, in grey or sRGB colours, on white.

- Formats are told by content and not by name; the first frame counts. JPEG 2000 is left out: it is
  rare, and its decoder is known for crashes on damaged files.
- JPEGs are decoded at a reduced scale where that is all that is needed ("shrink on load").
- Colours: transparency on white, 16-bit grey scaled and not clipped, ICC profiles followed.
"""

import io
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from maquette.data.pictures.colours import in_srgb
from maquette.data.pictures.faults import PictureError
from maquette.data.pictures.strangers import fault_of_stranger
from maquette.data.sizes import ImageSize

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
LARGEST_PICTURE_PX = 89_478_485  # where Pillow warns of a decompression bomb: 256 MiB of RGB
COUNTED_BYTES = 8 * 10**6  # files up to this size are walked through where that is slow
LOOKED_AT_PX = 512
"""Longest side, in pixels, that is enough to measure a picture and to notice its bars."""

MOST_SCANNED_PX = 20 * LARGEST_PICTURE_PX  # pixels times scans of a progressive JPEG, usually ten

# Markers (ITU-T T.81, table B.1) of lossless frames, and of scans. Scaling a lossless JPEG down
# while decoding writes past Pillow's buffers and ends the process.
_LOSSLESS, _SCAN = {b"\xff\xc3", b"\xff\xcb"}, b"\xff\xda"
_MARKERS = re.compile(b"\xff[\xc3\xcb\xda]")
_PLAIN_PPM = (b"P1", b"P2", b"P3")  # Pillow reads such numbers at about 2 MB a second
_ORIENTATION = 0x0112  # EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what makes a picture of that EXIF orientation upright


@dataclass(frozen=True)
class Decoded:
    """A picture as a person sees it, perhaps at a reduced scale, and what its file says of it."""

    image: Image.Image  # mode L or RGB
    height: int  # of the whole upright picture, pixels
    width: int
    kind: str  # these four as in `looking.Facts`
    mode: str
    orientation: int
    frames: int

    @property
    def reduced(self) -> bool:
        """Whether the image is smaller than the picture."""
        return self.image.size != (self.width, self.height)


def decode(content: bytes, size: ImageSize | None = None, whole: bool = False) -> Decoded:
    """At full scale where `whole`, else at least LOOKED_AT_PX long and 1.5 times as large as asked.

    Reduced to `size` from there, photographs are 0.8 grey levels off a full Lanczos on average.
    PictureError says in a few words why a picture cannot be read.
    """
    try:
        return _decoded(content, size, whole)
    except PictureError:
        raise
    # Pillow's decoders raise nearly anything on damaged bytes (SyntaxError, KeyError, ...).
    except Exception as problem:
        raise PictureError("damaged", _what_broke(content, problem)) from None


def _decoded(content: bytes, size: ImageSize | None, whole: bool) -> Decoded:
    if content.startswith(b"\x89PNG"):
        with _opened(content) as image:
            image.verify()  # checksums; leaves the image unusable, and misses what is cut short
    with _opened(content) as image:
        kind, mode, frames = str(image.format), _stored_mode(image), _frames(image, len(content))
        width, height = image.size
        if kind in ("JPEG", "MPO") and _may_be_reduced(content, width * height) and not whole:
            image.draft(None, (_enough_px(image.size, size),) * 2)
        before = _orientation(image)
        image.load()
        # TIFFs are turned by Pillow while loading; a PNG may tell only after its pixels.
        left = _orientation(image)
        if left in (5, 6, 7, 8):
            width, height = height, width
        upright = image.transpose(_TURNS[left]) if left in _TURNS else image
        shown = in_srgb(_eight_bits_on_white(upright), image.info.get("icc_profile"))
    return Decoded(shown, height, width, kind, mode, before if before != 1 else left, frames)


def _opened(content: bytes) -> ImageFile.ImageFile:
    if not content:
        raise PictureError("empty", "empty file")
    if content.startswith(_PLAIN_PPM) and len(content) > COUNTED_BYTES:
        raise PictureError("bomb", "more than 8 MB of numbers written as text")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        fault = fault_of_stranger(content)
        raise PictureError(fault.kind, fault.reason) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError("bomb", _too_large()) from None
    if image.width * image.height > LARGEST_PICTURE_PX:
        raise PictureError("bomb", _too_large())
    return image


def _may_be_reduced(jpeg: bytes, pixels: int) -> bool:
    """Whether decoding at a smaller scale is safe; PictureError where even decoding takes hours."""
    markers = _MARKERS.findall(jpeg)
    if markers.count(_SCAN) * pixels > MOST_SCANNED_PX:
        raise PictureError(
            "bomb", f"{markers.count(_SCAN)} scans of {pixels // 10**6} million pixels"
        )
    return _LOSSLESS.isdisjoint(markers)


def _too_large() -> str:
    return f"more than {LARGEST_PICTURE_PX // 10**6} million pixels"


def _what_broke(content: bytes, problem: Exception) -> str:
    text = " ".join(str(problem).split())
    ends = {
        b"\xff\xd8\xff": b"\xff\xd9" in content[-32:],
        b"\x89PNG": b"IEND" in content[-32:],
        b"RIFF": len(content) >= 8 + int.from_bytes(content[4:8], "little"),
        b"GIF8": content.rstrip(b"\0").endswith(b";"),
    }
    whole = next((whole for start, whole in ends.items() if content.startswith(start)), True)
    return "cut short" if not whole or "truncated" in text.lower() else f"damaged: {text}"


def _enough_px(whole: tuple[int, int], size: ImageSize | None) -> int:
    """The shorter side from which nothing is lost; Pillow halves while both sides stay above."""
    looked_at = -(-LOOKED_AT_PX * min(whole) // max(whole))
    return max(looked_at, -(-3 * max(size.height, size.width) // 2) if size else 1)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF data raise nearly anything; the picture itself may be sound
        return 1
    return orientation if orientation in _TURNS else 1


def _frames(image: ImageFile.ImageFile, length_bytes: int) -> int:
    """More than 1 for animations and pages; what phones add to their JPEGs (MPO) is neither.

    Pillow walks through the whole file to count; where that may take long, 2 stands for more.
    """
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return 1
    uncounted = image.format == "TIFF" or length_bytes > COUNTED_BYTES
    return 2 if uncounted else int(getattr(image, "n_frames", 1))


def _stored_mode(image: ImageFile.ImageFile) -> str:
    """Pillow's mode, with ";16" where it keeps only eight of sixteen bits a channel."""
    stored = str(image.tile[0].args) if image.tile else ""
    return image.mode if ";16" not in stored or ";16" in image.mode else f"{image.mode};16"


def _eight_bits_on_white(image: Image.Image) -> Image.Image:
    """Eight bits a channel, transparency composited on white; L, RGB or CMYK-like modes remain."""
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled_to_eight_bits(image)
    if not image.has_transparency_data:
        return image
    # Premultiplied modes (La, RGBa) convert only to their plain twins.
    image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGBA")).convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image)
    return paper


def _scaled_to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point; white is the first of 1, 255, 65535 that holds it.

    Pillow's own conversion clips at 255 instead, which turns such pictures white.
    """
    values = np.nan_to_num(np.asarray(image).astype(np.float32), copy=False)
    largest = max(float(values.max()), 0.0)
    whites = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}.get(image.mode, (65535.0,))
    white = next((white for white in whites if largest <= white), largest)
    values *= 255 / white
    return Image.fromarray(values.round(out=values).clip(0, 255, out=values).astype(np.uint8))
