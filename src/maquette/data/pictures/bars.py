"""Letterbox and pillarbox bars: uniform strips along opposite edges that are no part of a picture.

A bar is told from a plain background by its end: within a few pixels, along the whole edge, the
share of pixels that differ from the bar's colour jumps from almost none to most of them. An object
on white, a skyline or a gradient changes little by little instead. When in doubt there is no bar:
cropping a clean picture is worse than leaving a bar on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from maquette.data.pictures.content import Box, Raster

_Lines = UInt8[np.ndarray, "lines samples channels"]  # from one edge inwards
_Colour = Float32[np.ndarray, " channels"]

_MOST_SAMPLES = 400  # pixels looked at of each line
_WIDEST = 0.45  # share of the side that one bar may take
_LEAST_PX = 2
_LEAST_SIDE_PX = 12  # of a picture
_FLAT = 12  # grey levels: how far compression moves a pixel of a bar
_LEAST_STEP = 16  # grey levels between a bar and the picture beside it
_SAME_COLOUR = 16  # grey levels between two bars of a pair
_LEAST_RANGE = 48  # grey levels in a frame that is not plain
_AGREEING = 0.1  # share of frames that are enough to tell the bars of a film
_CONTRADICTING = 0.05  # share of frames that are too few to deny them


@dataclass(frozen=True)
class _Strip:
    """What begins like a bar along one edge, and how it ends."""

    plain: int  # lines of its colour from the edge inwards
    width: int = 0  # lines up to an end as bars have it; 0 when it ends otherwise
    noise: float = 0  # mean deviation from the colour, grey levels
    changed: float = 0  # share of the pixels just behind its end that differ from its colour
    step: float = 0  # by how much, grey levels


def find_bars(raster: Raster) -> Box | None:
    """The part of a picture without bars; None when there are none."""
    height, width = raster.shape[:2]
    box = Box(0, 0, width, height)
    # Bars may lie around bars: letterboxed for one screen, pillarboxed for the next.
    for _ in range(2):
        rows = raster[box.top : box.bottom, box.left : box.right]
        top, bottom = _pair(rows)
        rows = rows[top : len(rows) - bottom]
        left, right = _pair(rows.transpose(1, 0, 2))
        if not (top or bottom or left or right):
            break
        box = Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)
    return None if box == (0, 0, width, height) else box


def _pair(lines: _Lines) -> tuple[int, int]:
    """Widths of the bars at both ends of the lines, in lines."""
    if min(lines.shape[:2]) < _LEAST_SIDE_PX:
        return 0, 0
    lines = lines[:, :: -(-lines.shape[1] // _MOST_SAMPLES)]
    first_colour, last_colour = _edge_colour(lines), _edge_colour(lines[::-1])
    if first_colour is not None and last_colour is not None and _same(first_colour, last_colour):
        deviation = _deviation(lines, (first_colour + last_colour) / 2)
        first_strip, last_strip = _strip(deviation), _strip(deviation[::-1])
        if min(first_strip.plain, last_strip.plain) >= int(_WIDEST * len(lines)):
            return 0, 0  # nothing but background, for all one can tell
        widths = _widths(first_strip, last_strip) or _framed(deviation)
        if widths:
            return widths
    first, last = _alone(lines, first_colour), _alone(lines[::-1], last_colour)
    return (first, 0) if first >= last else (0, last)


def _widths(first: _Strip, last: _Strip) -> tuple[int, int] | None:
    """Of a pair of strips of the same colour."""
    if first.width and last.width:
        symmetric = abs(first.width - last.width) <= max(2, 0.1 * max(first.width, last.width))
        if min(first.changed, last.changed) >= (0.5 if symmetric else 0.85):
            return first.width, last.width
    clearer, other = sorted((first, last), key=lambda strip: strip.changed, reverse=True)
    # Beside one bar the picture itself may be as dark as the bar, so that its end cannot be seen.
    if clearer.width and clearer.changed >= 0.8 and other.plain >= clearer.width:
        return clearer.width, clearer.width
    return None


def _framed(deviation: UInt8[np.ndarray, "lines samples"]) -> tuple[int, int] | None:
    """Widths of bars that are wider than the picture between two others of the same colour."""
    samples = deviation.shape[1]
    across = deviation.T
    start, end = _strip(across).plain, _strip(across[::-1]).plain
    inner = deviation[:, start : samples - end]
    if start + end < 0.1 * samples or inner.shape[1] < 8:
        return None
    first, last = _strip(inner), _strip(inner[::-1])
    if min(first.width, last.width) and min(first.changed, last.changed) >= 0.85:
        return first.width, last.width
    return None


def _alone(lines: _Lines, colour: _Colour | None) -> int:
    """Width of a bar that has no counterpart; 0 unless it is black or white and beyond doubt."""
    if colour is None or not (colour.max() <= _FLAT or colour.min() >= 255 - _FLAT):
        return 0
    strip = _strip(_deviation(lines, colour))
    if strip.width < 4 or strip.changed < 0.95 or strip.noise > 1 or strip.step < 40:
        return 0
    return strip.width


def _edge_colour(lines: _Lines) -> _Colour | None:
    """Of the outermost lines, where they have only one."""
    edge = lines[:_LEAST_PX]
    colour = np.median(edge.reshape(-1, lines.shape[2]), axis=0).astype(np.float32)
    return None if _changed(_deviation(edge, colour)).max() > 0.05 else colour


def _same(first: _Colour, last: _Colour) -> bool:
    return bool(np.abs(first - last).max() <= _SAME_COLOUR)


def _deviation(lines: _Lines, colour: _Colour) -> UInt8[np.ndarray, "lines samples"]:
    """Of each pixel from a colour, in grey levels.

    Colours count a third: JPEG and video smear them over several pixels, luma hardly.
    """
    level = colour.round().astype(np.uint8)[None]
    apart = _apart(lines[..., 0], level[:, 0])
    if lines.shape[2] == 1:
        return apart
    for channel in (1, 2):  # much faster than all three together
        apart = np.maximum(apart, _apart(lines[..., channel], level[:, channel]))
    deviation: np.ndarray = np.maximum(apart // 3, _apart(_luma(lines), _luma(level)))
    return deviation


def _luma(colours: UInt8[np.ndarray, "*shape 3"]) -> UInt8[np.ndarray, "*shape"]:
    """(R + 2 G + B) / 4, close to ITU-R BT.601."""
    luma: np.ndarray = colours[..., 0] // 4 + colours[..., 1] // 2 + colours[..., 2] // 4
    return luma


def _apart(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    apart: np.ndarray = np.maximum(values, level) - np.minimum(values, level)
    return apart


def _changed(deviation: UInt8[np.ndarray, "lines samples"], limit: float = _FLAT) -> np.ndarray:
    share: np.ndarray = (deviation > limit).sum(axis=1, dtype=np.uint32) / deviation.shape[1]
    return share


def _strip(deviation: UInt8[np.ndarray, "lines samples"]) -> _Strip:
    """What the first line belongs to; `deviation` is from its colour."""
    deviation = deviation[: max(_LEAST_PX + 4, int(len(deviation) * _WIDEST))]
    changed = _changed(deviation)
    plain = _first(changed > 0.05)
    end = _first(changed >= 0.4)
    if end >= len(deviation) - 2:
        return _Strip(plain)
    step = float(np.median(deviation[end : end + 4]))
    # Compression rings beside a strong edge, so what counts as changed depends on the edge.
    shares = _changed(deviation[: end + 4], max(_FLAT, 0.25 * step))
    levels = deviation[: end + 4].mean(axis=1)
    width = _half_way(levels, end)
    if width < _LEAST_PX or step < _LEAST_STEP:
        return _Strip(plain)
    quiet = max(1, width - 2)
    if shares[:quiet].max() > 0.05 or levels[:quiet].max() > 0.25 * levels[width]:
        return _Strip(plain)
    if changed[min(width + 2, len(changed) - 1) : width + 10].mean() < 0.25:
        return _Strip(plain)  # ended by nothing but a line: the frame of a drawing
    behind = float(shares[width : width + 3].max())
    return _Strip(width, width, float(levels[:quiet].mean()), behind, step)


def _first(yes: np.ndarray) -> int:
    """Index of the first true value; the length when there is none."""
    return int(yes.argmax()) if yes.any() else len(yes)


def _half_way(levels: np.ndarray, end: int) -> int:
    """Where an edge near `end` has risen half way; a soft edge begins a pixel or two earlier."""
    start = max(0, end - 3)
    return start + _first(levels[start:] >= 0.5 * levels[end : end + 3].max())


def steady_bars(frames: Iterable[Raster]) -> Box | None:
    """The part of a film without bars, from frames spread over it; None when there are none.

    Each frame is asked by itself. A dark scene seems to have wider bars and subtitles hide one, so
    the narrowest width that several frames agree on counts, if hardly any frame contradicts it by
    showing something at the very edge. Plain frames, and frames of another size than the first,
    tell nothing.
    """
    height = width = 0
    told: list[_Told] = []
    for frame in frames:
        height, width = (height, width) if height else frame.shape[:2]
        if frame.shape[:2] == (height, width) and np.ptp(frame[::8, ::8]) > _LEAST_RANGE:
            told.append(_Told.of(frame))
    if not told:
        return None
    top, bottom = _agreed([one.rows for one in told], [one.has_plain_rows for one in told])
    left, right = _agreed([one.columns for one in told], [one.has_plain_columns for one in told])
    box = Box(left, top, width - right, height - bottom)
    return None if box == (0, 0, width, height) else box


@dataclass(frozen=True)
class _Told:
    """What one frame tells of its film's bars."""

    rows: tuple[int, int]  # widths of the bars above and below, pixels
    columns: tuple[int, int]  # left and right
    has_plain_rows: bool  # the first and the last row have one and the same colour
    has_plain_columns: bool

    @classmethod
    def of(cls, frame: Raster) -> "_Told":
        height, width = frame.shape[:2]
        box = find_bars(frame) or Box(0, 0, width, height)
        return cls(
            (box.top, height - box.bottom),
            (box.left, width - box.right),
            _has_plain_ends(frame),
            _has_plain_ends(frame.transpose(1, 0, 2)),
        )


def _has_plain_ends(lines: _Lines) -> bool:
    first, last = _edge_colour(lines), _edge_colour(lines[::-1])
    return first is not None and last is not None and _same(first, last)


def _agreed(widths: list[tuple[int, int]], plain: list[bool]) -> tuple[int, int]:
    """What frames agree on of the bars at both ends."""
    if np.mean(plain) < 1 - _CONTRADICTING:
        return 0, 0
    least = 1 if len(widths) == 1 else max(2, round(_AGREEING * len(widths)))
    first, last = (_narrowest(np.array(side), least) for side in zip(*widths, strict=True))
    # One bar may hold subtitles from first to last; bars of films are as wide at both ends.
    return first or last, last or first


def _narrowest(widths: np.ndarray, least: int) -> int:
    """The smallest width above 0 that `least` frames have to within a pixel; 0 if there is none."""
    for width in np.unique(widths[widths > 0]):
        near = widths[np.abs(widths - width) <= 1]
        if len(near) >= least:
            return int(np.median(near))
    return 0
