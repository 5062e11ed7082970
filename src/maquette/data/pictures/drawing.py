"""Pen strokes turned into pixels: white lines on black, as in the bitmaps of Quick, Draw!."""

import numpy as np
from PIL import Image, ImageDraw

from maquette.data.pictures.content import Drawing, Raster

PEN = 1 / 18  # width of the pen, and half the margin, as a share of the shorter side
_FINER = 4  # drawn at this many times the size and then reduced


def rasterise(drawing: Drawing, height: int, width: int) -> Raster:
    """(height, width, 1): the drawing centred, as large as fits, its proportions kept."""
    fine_height, fine_width = _FINER * height, _FINER * width
    pen = max(1.0, PEN * min(fine_height, fine_width))
    image = Image.new("L", (fine_width, fine_height))
    canvas = ImageDraw.Draw(image)
    for stroke in _placed(drawing, fine_height, fine_width, margin=2 * pen):
        _draw(canvas, stroke, pen)
    return np.asarray(image.reduce(_FINER))[..., None]


def _placed(drawing: Drawing, height: int, width: int, margin: float) -> list[np.ndarray]:
    """Each stroke as (points, 2) in pixels."""
    strokes = [stroke[:2].T.astype(np.float64) for stroke in drawing.strokes if stroke.size]
    if not strokes:
        return []
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    room = np.array([width, height]) - 2 * margin
    scale = (room / np.maximum(high - low, 1e-9)).min() if (high > low).any() else 0.0
    middle = np.array([width, height]) / 2
    return [(stroke - (low + high) / 2) * scale + middle for stroke in strokes]


def _draw(canvas: ImageDraw.ImageDraw, stroke: np.ndarray, pen: float) -> None:
    """One line with round joints and ends."""
    points = [(float(x), float(y)) for x, y in stroke]
    if len(points) > 1:
        canvas.line(points, fill=255, width=round(pen))
    for x, y in points:
        canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
