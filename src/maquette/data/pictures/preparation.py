"""One picture made ready for a model: decoded, cropped to its box and brought to size.

The same function serves a dataset being built and, later, pictures sent to a served model.
Fit: "cover" fills the size and cuts off what hangs over, centred; "contain" shows everything and
pads with white; "stretch" ignores the proportions. Lanczos throughout.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from maquette.data.pictures.content import Box, Content, Drawing, Raster
from maquette.data.pictures.decoding import decode
from maquette.data.pictures.drawing import rasterise
from maquette.data.sizes import ImageSize

Fit = Literal["cover", "contain", "stretch"]

RESAMPLING = Image.Resampling.LANCZOS
REDUCING_GAP = 2.0
"""Pictures at least twice this many times too large are first averaged to about this many times the
size, which is several times faster and 0.4 grey levels off on average."""


@dataclass(frozen=True)
class Prepared:
    """A picture in the dataset's size, and how large it was as a person sees it."""

    pixels: Raster
    original_height: int  # pixels
    original_width: int  # pixels


def prepare(
    picture: Content, size: ImageSize, channels: int, fit: Fit, box: Box | None = None
) -> Prepared:
    """Any content as uint8 (height, width, channels); only what is inside `box`, where given.

    PictureError says in a few words why a picture cannot be read.
    """
    if isinstance(picture, bytes):
        decoded = decode(picture, size, whole=box is not None)
        image, seen = decoded.image, (decoded.height, decoded.width)
    elif isinstance(picture, Drawing):
        image = image_of(rasterise(picture, size.height, size.width))
        seen = (size.height, size.width)
    else:
        image, seen = image_of(picture), picture.shape[:2]
    return Prepared(fitted(image, size, channels, fit, box), *seen)


def image_of(raster: Raster) -> Image.Image:
    """In mode L or RGB."""
    return Image.fromarray(raster[..., 0] if raster.shape[-1] == 1 else raster)


def fitted(
    image: Image.Image, size: ImageSize, channels: int, fit: Fit, box: Box | None = None
) -> Raster:
    """The pixels of an upright image inside `box`, in the dataset's size and colours."""
    image = image if box is None else image.crop(box)
    image = _resized(image.convert("L" if channels == 1 else "RGB"), size, fit)
    return np.asarray(image).reshape(size.height, size.width, channels)


def _resized(image: Image.Image, size: ImageSize, fit: Fit) -> Image.Image:
    target = (size.width, size.height)
    if image.size == target:
        return image
    if fit == "cover":
        scale = min(image.width / size.width, image.height / size.height)
        left = max(0.0, (image.width - scale * size.width) / 2)  # rounding may end below 0
        top = max(0.0, (image.height - scale * size.height) / 2)
        part = (left, top, image.width - left, image.height - top)
        return image.resize(target, RESAMPLING, part, REDUCING_GAP)
    if fit == "stretch":
        return image.resize(target, RESAMPLING, reducing_gap=REDUCING_GAP)
    scale = min(size.width / image.width, size.height / image.height)
    inside = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new(image.mode, target, "white")
    corner = ((size.width - inside[0]) // 2, (size.height - inside[1]) // 2)
    canvas.paste(image.resize(inside, RESAMPLING, reducing_gap=REDUCING_GAP), corner)
    return canvas
