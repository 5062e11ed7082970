"""Pen strokes turned into pixels: white lines on black, as in the bitmaps of Quick, Draw!.

The arithmetic is that of `core/strokes`, done only where a line may have left something, which is
some fifty times less work than everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from maquette.core.strokes import Lines, painted, pen_radius, placed, samples
from maquette.data.pictures.content import Drawing, Raster

_AT_ONCE = 2**15  # pairs of a line and a sample: what fits into a core's cache

Points = Float32[np.ndarray, "_points 3"]  # x, y, number of the stroke
Timed = Float32[np.ndarray, "_points 4"]  # and milliseconds; 0 where none were recorded


def rasterise(drawing: Drawing, height: int, width: int, channels: int = 1) -> Raster:
    """(height, width, channels): the drawing centred, as large as fits, its proportions kept.

    One channel is ink; three are ink, the order of the strokes and the progress of the pen.
    """
    picture: Raster = rasterise_points([points_of(drawing)], height, width, channels)[0]
    return picture


def points_of(drawing: Drawing) -> Points:
    """What the pen goes through; strokes without points do not count."""
    return timed_points(drawing)[:, :3]


def timed_points(drawing: Drawing) -> Timed:
    """The same with the times: everything there is to keep of a drawing."""
    strokes = [stroke for stroke in drawing.strokes if stroke.shape[1]]
    points = np.zeros((sum(stroke.shape[1] for stroke in strokes), 4), np.float32)
    end = 0
    for number, stroke in enumerate(strokes):
        start, end = end, end + stroke.shape[1]
        points[start:end, [0, 1, 3][: len(stroke)]] = stroke.T
        points[start:end, 2] = number
    return points


def rasterise_points(
    drawings: Sequence[Points], height: int, width: int, channels: int
) -> UInt8[np.ndarray, "drawings height width channels"]:
    """Many drawings at once, which is quicker than one by one, and no different."""
    finer = samples(height, width)
    fine = np.zeros((channels, len(drawings) * height * finer * width * finer), np.float32)
    lines, picture = _lines(drawings, height, width)
    windows = _Windows.around(lines, picture, height, width)
    for start, stop in windows.pieces():
        line, x, y, at = windows.samples(start, stop)
        here = Lines(*(part[line] for part in lines))
        left = painted(here, x, y, (height, width), channels, np)
        inked = np.flatnonzero(left[0])
        for canvas, values in zip(fine, left, strict=True):
            np.maximum.at(canvas, at[inked], values[inked])
    values = fine.reshape(channels, -1, height, finer, width, finer).mean((3, 5))
    return np.moveaxis((values * 255 + np.float32(0.5)).astype(np.uint8), 0, -1)


def _lines(
    drawings: Sequence[Points], height: int, width: int
) -> tuple[Lines, Int[np.ndarray, " lines"]]:
    """Those of all drawings, and the number of the drawing that each is in."""
    drawn = [number for number, points in enumerate(drawings) if len(points)]
    each = [placed(drawings[number], height, width, np) for number in drawn]
    if not each:
        nothing = np.empty(0, np.float32)
        return Lines(*[nothing] * len(Lines._fields)), np.empty(0, np.int64)
    lines = Lines(*map(np.concatenate, zip(*each, strict=True)))
    return lines, np.repeat(drawn, [len(part.x) for part in each])


@dataclass(frozen=True)
class _Windows:
    """For each line the box of samples it may reach, in canvases that lie end to end."""

    left: Int[np.ndarray, " lines"]
    top: Int[np.ndarray, " lines"]
    width: Int[np.ndarray, " lines"]  # samples
    ends: Int[np.ndarray, " lines"]  # samples in the boxes up to and with this one
    corner: Int[np.ndarray, " lines"]  # place of the first sample in the canvases
    row: int  # samples in a row of a canvas
    finer: int

    @classmethod
    def around(
        cls, lines: Lines, picture: Int[np.ndarray, " lines"], height: int, width: int
    ) -> "_Windows":
        finer = samples(height, width)
        reach = pen_radius(height, width) + 1 / finer
        to_x, to_y = lines.x + lines.right * lines.length, lines.y + lines.down * lines.length
        left, right = _span(lines.x, to_x, reach, width, finer)
        top, bottom = _span(lines.y, to_y, reach, height, finer)
        return cls(
            left=left,
            top=top,
            width=right - left,
            ends=np.cumsum((right - left) * (bottom - top)),
            corner=(picture * (height * finer) + top) * (width * finer) + left,
            row=width * finer,
            finer=finer,
        )

    def pieces(self) -> list[tuple[int, int]]:
        """Ranges of lines that have about as many samples together as are done at once."""
        cuts = np.searchsorted(self.ends, np.arange(0, self.ends[-1:].sum(), _AT_ONCE), "right")
        edges = np.unique([0, *cuts, len(self.ends)]).tolist()
        return list(pairwise(edges))

    def samples(self, start: int, stop: int) -> tuple[np.ndarray, ...]:
        """Every sample of these lines' boxes: its line, x and y in pixels, and its place."""
        before = np.concatenate([[0], self.ends])[start:stop]
        counts = self.ends[start:stop] - before
        line = np.repeat(np.arange(start, stop), counts)
        number = np.arange(counts.sum()) - np.repeat(before - before[:1], counts)
        row, column = np.divmod(number, self.width[line])
        x, y = (
            (first[line] + steps + 0.5).astype(np.float32) / np.float32(self.finer)
            for first, steps in ((self.left, column), (self.top, row))
        )
        return line, x, y, self.corner[line] + row * self.row + column


def _span(
    one: Float[np.ndarray, " lines"],
    other: Float[np.ndarray, " lines"],
    reach: float,
    side: int,
    finer: int,
) -> tuple[Int[np.ndarray, " lines"], Int[np.ndarray, " lines"]]:
    """First sample that may be reached, and the one after the last."""
    first = np.floor((np.minimum(one, other) - reach) * finer)
    last = np.ceil((np.maximum(one, other) + reach) * finer)
    low, high = (np.clip(edge, 0, side * finer).astype(np.int64) for edge in (first, last))
    return low, high
