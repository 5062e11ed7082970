"""Planted pictures whose colours or files are of an unusual kind."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from planted.planting import Crops, Planted, encoded, jpeg, png, reduced, taken

COUNT = 24  # of each kind
# What Pillow must do to an upright picture so that EXIF's orientation n turns it back (table 6 of
# CIPA DC-008: 1 is upright; 2, 4, 5 and 7 are mirrored).
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def greyscale(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """With one channel, or with three that are equal."""
    for index, name, pixels in taken(crops, COUNT):
        grey = Image.fromarray(pixels).convert("L")
        content = jpeg(grey if index % 2 else grey.convert("RGB"))
        yield Planted(f"photos/{name}.jpg", content, ("greyscale",))


def rotated(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Every orientation there is; 1 is upright and no finding."""
    for index, name, pixels in taken(crops, 4 * 8):
        orientation = index % 8 + 1
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = Image.fromarray(pixels)
        if orientation in STORED:
            stored = stored.transpose(STORED[orientation])
        kinds = ("rotated",) if orientation > 1 else ()
        content = jpeg(stored, 92, exif=exif)
        yield Planted(f"photos/{name}.jpg", content, kinds, upright=pixels)


def cmyk(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    for _, name, pixels in taken(crops, COUNT):
        content = jpeg(Image.fromarray(pixels).convert("CMYK"))
        yield Planted(f"photos/{name}.jpg", content, ("cmyk",), upright=pixels)


def palette(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    for index, name, pixels in taken(crops, COUNT):
        kind = ("PNG", "GIF")[index % 2]
        content = encoded(reduced(pixels), kind)
        yield Planted(f"photos/{name}.{kind.lower()}", content, ("palette",))


def sixteen_bit(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Pillow knows 16 bits in grey only, so these are colourless too."""
    for index, name, pixels in taken(crops, COUNT):
        grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.uint16) * 257
        kind = ("PNG", "TIFF")[index % 2]
        content = encoded(Image.fromarray(grey), kind)
        yield Planted(f"photos/{name}.{kind.lower()}", content, ("sixteen-bit", "greyscale"))


def transparent(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """Cut out along an ellipse, or fading to one side."""
    for index, name, pixels in taken(crops, COUNT):
        height, width = pixels.shape[:2]
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        alpha = (x**2 + y**2 < 1.2) * 255 if index % 2 else np.clip(x * 200 + 180, 0, 255)
        content = png(np.dstack([pixels, alpha.astype(np.uint8)]))
        yield Planted(f"photos/{name}.png", content, ("transparent",))


def animated(crops: Crops, random: np.random.Generator) -> Iterator[Planted]:
    """GIFs, which always have a palette, and WebPs."""
    for index, name, pixels in taken(crops, COUNT):
        first = Image.fromarray(pixels)
        others = [first.rotate(degrees) for degrees in (4, 8)]
        if index % 3:
            frames = [reduced(np.asarray(frame)) for frame in (first, *others)]
            content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
            yield Planted(f"photos/{name}.gif", content, ("animated", "palette"))
        else:
            content = encoded(first, "WEBP", save_all=True, append_images=others, method=0)
            yield Planted(f"photos/{name}.webp", content, ("animated",), upright=pixels)
