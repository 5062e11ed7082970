"""Pen strokes become pixels: the one definition of the arithmetic, whoever draws.

NumPy draws with it where datasets are built, torch where a browser's graph is made: the functions
hold for the arrays of both, `xp` being the module they belong to. The pictures are those of the
published 28x28 bitmaps of Quick, Draw!, which cairo drew (googlecreativelab/quickdraw-dataset,
issue 19): lines 16 units wide, in a square of 256 with 24 units around it, centred by their box.

A drawing is `points`, float32 (n, 3), n >= 1: x to the right, y downwards, in any unit, and the
number of the stroke: the same for all points of one, another than that of the stroke before.
"""

from types import ModuleType
from typing import Any, NamedTuple

from jaxtyping import Float

PEN = 16 / 304  # width of the pen, as a share of the shorter side
MARGIN = 24.5 / 304  # from the middle of the outermost line to the edge, as such a share
_TINY = 1e-6  # of a drawing's units, or pixels: what is shorter is a dot
_THICK_PX = 4.0

Points = Float[Any, "_points 3"]
Column = Float[Any, "..."]  # one value for each line, or for each line and place


class Lines(NamedTuple):
    """Straight lines in pixels, one ending at each point; the first of a stroke is a dot."""

    x: Column  # where it begins
    y: Column
    right: Column  # its direction, of length 1
    down: Column
    length: Column
    order: Column  # of its stroke among all, (0, 1]
    before: Column  # what the pen has drawn when it begins, as a share of all it draws
    each: Column  # what a pixel of its length adds to that


def pen_radius(height: int, width: int) -> float:
    """In pixels."""
    return PEN * min(height, width) / 2


def samples(height: int, width: int) -> int:
    """So many across and down each pixel: 2, so that thin lines that meet in one add up."""
    return 2 if 2 * pen_radius(height, width) < _THICK_PX else 1


def placed(points: Points, height: int, width: int, xp: ModuleType) -> Lines:
    """The drawing centred by its box, as large as fits, its proportions kept."""
    low, high = xp.amin(points, 0), xp.amax(points, 0)
    extent, margin = high - low, MARGIN * min(height, width)
    scale = xp.minimum(
        (width - 2 * margin) / xp.clip(extent[0], _TINY, None),
        (height - 2 * margin) / xp.clip(extent[1], _TINY, None),
    )
    x = (points[:, 0] - low[0] - extent[0] / 2) * scale + width / 2
    y = (points[:, 1] - low[1] - extent[1] / 2) * scale + height / 2

    begins = xp.clip(xp.abs(points[:, 2] - _previous(points[:, 2], xp)), 0, 1)
    from_x = xp.where(begins > 0, x, _previous(x, xp))
    from_y = xp.where(begins > 0, y, _previous(y, xp))
    length = xp.sqrt((x - from_x) ** 2 + (y - from_y) ** 2)
    longer = xp.clip(length, _TINY, None)
    drawn, stroke = xp.cumsum(length, 0), xp.cumsum(begins, 0) + 1
    each = 1 / xp.clip(drawn[-1:], _TINY, None)
    return Lines(
        x=from_x,
        y=from_y,
        right=xp.where(length > _TINY, (x - from_x) / longer, 1.0),
        down=xp.where(length > _TINY, (y - from_y) / longer, 0.0),
        length=length,
        order=stroke / stroke[-1:],
        before=(drawn - length) * each,
        each=each + 0 * length,
    )


def painted(
    lines: Lines, x: Column, y: Column, size: tuple[int, int], channels: int, xp: ModuleType
) -> list[Column]:
    """What lines leave at samples centred on (x, y) of a picture of this (height, width).

    One array, 0 to 1, for each channel: ink; or ink, order of the strokes and progress of the pen.
    A picture is their largest value over all lines. Ink is how much of the sample the pen covers,
    the sample's sides taken to lie along the line: exact for upright and level lines, close for
    others. Order and progress are multiplied with the ink, so that the later of two lines that
    cross is seen.
    """
    finer, radius = samples(*size), pen_radius(*size) * samples(*size)
    along = (x - lines.x) * lines.right + (y - lines.y) * lines.down
    across = (y - lines.y) * lines.right - (x - lines.x) * lines.down
    nearest = xp.minimum(xp.clip(along, 0, None), lines.length)
    distance = xp.sqrt((along - nearest) ** 2 + across**2) * finer
    ink = xp.clip(0.5 + radius - distance, 0, 1) - xp.clip(0.5 - radius - distance, 0, 1)
    if channels == 1:
        return [ink]
    return [ink, ink * lines.order, ink * (lines.before + nearest * lines.each)]


def _previous(column: Column, xp: ModuleType) -> Column:
    """What the point before each has; the first has its own."""
    return xp.concatenate([column[:1], column[:-1]])
