"""A picture as a source hands it over, before anything is known of it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

# One picture, channels last, 0..255. Underscores: pictures side by side may differ in size.
Raster = UInt8[np.ndarray, "_height _width _channels"]


class Box(NamedTuple):
    """A part of an upright picture, in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Drawing:
    """Pen strokes in the order they were drawn, x to the right and y downwards, in the drawer's
    own units; each is (x, y), or (x, y, milliseconds) where times were recorded."""

    strokes: tuple[np.ndarray, ...]  # each float32 (2 or 3, points)


Content = bytes | Raster | Drawing  # encoded, pixels with one or three channels, or strokes
