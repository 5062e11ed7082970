"""One picture made ready for a model: decoded safely, upright, in the right colours and size.

The same function serves a dataset being built and, later, pictures sent to a served model.
- Formats: PNG, JPEG, WEBP, GIF, BMP, TIFF, told by content and not by name; the first frame counts.
- Colours: transparency on white, 16-bit grey scaled and not clipped, ICC profiles ignored.
- Fit: "cover" fills the size and cuts off what hangs over, centred; "contain" shows everything and
  pads with white; "stretch" ignores the proportions. Lanczos throughout.
"""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from maquette.core.errors import DatasetError
from maquette.data.sizes import ImageSize

Fit = Literal["cover", "contain", "stretch"]
Raster = UInt8[np.ndarray, "height width channels"]  # one picture, channels last, 0..255

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
LARGEST_PICTURE_PX = 89_478_485  # where Pillow warns of a decompression bomb: 256 MiB of RGB
RESAMPLING = Image.Resampling.LANCZOS
# Start-of-frame markers (ITU-T T.81, table B.1) of lossless JPEGs. Scaling them down while decoding
# writes past Pillow's buffers and ends the process; every such file holds one of these pairs.
_LOSSLESS_JPEG = (b"\xff\xc3", b"\xff\xcb")
_ORIENTATION = 0x0112  # EXIF tag; 5 to 8 lie on their side


class PictureError(DatasetError):
    """A picture that cannot be read; the text is its finding, a few words."""


@dataclass(frozen=True)
class Prepared:
    """A picture in the dataset's size, and how large it was as a person sees it."""

    pixels: Raster
    original_height: int  # pixels
    original_width: int  # pixels


def prepare(picture: bytes | Raster, size: ImageSize, channels: int, fit: Fit) -> Prepared:
    """Encoded bytes, or pixels with one or three channels, as uint8 (height, width, channels).

    PictureError says in a few words why a picture cannot be read.
    """
    if isinstance(picture, bytes):
        image, (original_width, original_height) = _decoded(picture, size)
    else:
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        original_width, original_height = image.size
    image = _fitted(image.convert("L" if channels == 1 else "RGB"), size, fit)
    pixels = np.asarray(image).reshape(size.height, size.width, channels)
    return Prepared(pixels, original_height, original_width)


def _decoded(content: bytes, size: ImageSize) -> tuple[Image.Image, tuple[int, int]]:
    """The upright picture, and its full (width, height)."""
    try:
        with _opened(content) as image:
            has_checksums = image.format == "PNG"
            if has_checksums:
                image.verify()  # leaves the image unusable; what is cut short only load() notices
        with _opened(content) as image:
            width, height = image.size
            if not any(marker in content for marker in _LOSSLESS_JPEG):
                # A JPEG is decoded at a half, quarter or eighth that is still twice the target.
                image.draft(None, (2 * max(size.height, size.width),) * 2)
            image.load()
            if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
                width, height = height, width
            return _eight_bits_on_white(ImageOps.exif_transpose(image)), (width, height)
    except PictureError:
        raise
    # Pillow's decoders raise nearly anything on damaged bytes (SyntaxError, KeyError, ...).
    except Exception as problem:
        raise PictureError(f"damaged picture: {problem}") from None


def _opened(content: bytes) -> Image.Image:
    if not content:
        raise PictureError("empty file")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise PictureError("not a picture in a known format") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_large()) from None
    if image.width * image.height > LARGEST_PICTURE_PX:
        raise PictureError(_too_large())
    return image


def _too_large() -> str:
    return f"more than {LARGEST_PICTURE_PX // 10**6} million pixels"


def _eight_bits_on_white(image: Image.Image) -> Image.Image:
    """Eight bits a channel, transparency composited on white; L, RGB or CMYK-like modes remain."""
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled_to_eight_bits(image)
    if not image.has_transparency_data:
        return image
    # Premultiplied modes (La, RGBa) convert only to their plain twins.
    image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGBA")).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _scaled_to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point; white is the first of 1, 255, 65535 that holds it.

    Pillow's own conversion clips at 255 instead, which turns such pictures white.
    """
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    largest = max(float(values.max()), 0.0)
    whites = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}.get(image.mode, (65535.0,))
    white = next((white for white in whites if largest <= white), largest)
    return Image.fromarray((values * (255 / white)).round().clip(0, 255).astype(np.uint8))


def _fitted(image: Image.Image, size: ImageSize, fit: Fit) -> Image.Image:
    target = (size.width, size.height)
    if image.size == target:
        return image
    if fit == "cover":
        return ImageOps.fit(image, target, RESAMPLING)
    if fit == "stretch":
        return image.resize(target, RESAMPLING)
    scale = min(size.width / image.width, size.height / image.height)
    inside = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new(image.mode, target, "white")
    corner = ((size.width - inside[0]) // 2, (size.height - inside[1]) // 2)
    canvas.paste(image.resize(inside, RESAMPLING), corner)
    return canvas
