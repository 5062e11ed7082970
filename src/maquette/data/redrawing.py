"""Pictures drawn anew from strokes that are cut short, left out or moved a little.

So a classifier learns to answer while one draws. What happens to a picture follows from its own
seed, whatever pictures are beside it.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Int

from maquette.core.images import ImageSpec, Pixels, Seeds
from maquette.core.randomness import uniform
from maquette.data.pictures.drawing import Points, rasterise_points
from maquette.data.rows import RowNumbers
from maquette.data.settings import StrokeSettings

FEWEST_POINTS = 3  # that a drawing is cut to, unless it has fewer


class Strokes:
    """The points of many drawings by row number; where they are mapped from disk, they stay."""

    def __init__(
        self,
        points: Float32[np.ndarray, "points 4"],
        ends: Int[np.ndarray, " drawings"],
        drawings: Int[np.ndarray, " rows"],
    ):
        """Drawing n has the points up to ends[n]; row r is drawing drawings[r]."""
        self._points, self._ends, self._drawings = points, ends, drawings

    def read(self, rows: RowNumbers) -> list[Points]:
        drawings = self._drawings[rows.cpu().numpy()]
        starts = np.where(drawings > 0, self._ends[drawings - 1], 0)
        spans = zip(starts.tolist(), self._ends[drawings].tolist(), strict=True)
        return [np.array(self._points[start:end, :3]) for start, end in spans]

    def chosen(self, rows: RowNumbers) -> "Strokes":
        """Some of them, under new numbers."""
        return Strokes(self._points, self._ends, self._drawings[rows.cpu().numpy()])


class Redrawing:
    """Draws the pictures of a dataset again, as they were drawn when it was built."""

    def __init__(
        self,
        strokes: Strokes,
        spec: ImageSpec,
        stroke_channels: bool,
        settings: StrokeSettings,
    ):
        """`stroke_channels`: whether three channels are ink, order and progress, not grey."""
        self._strokes, self._spec, self._settings = strokes, spec, settings
        self._drawn_channels = spec.channels if stroke_channels else 1
        self.stroke_channels = stroke_channels

    @property
    def altering(self) -> bool:
        """Whether training sees other pictures than those that are stored."""
        return self._settings.change

    def chosen(self, rows: RowNumbers) -> "Redrawing":
        """For some of the rows, under new numbers."""
        strokes = self._strokes.chosen(rows)
        return Redrawing(strokes, self._spec, self.stroke_channels, self._settings)

    def altered(self, rows: RowNumbers, seeds: Seeds) -> Pixels:
        """These rows, each changed by chance as the settings say; on the CPU."""
        drawings = self._strokes.read(rows)
        return self._drawn(altered(drawings, self._settings, seeds.cpu()))

    def partial(self, rows: RowNumbers, share: float) -> Pixels:
        """These rows as they were after this share (0 to 1) of their points; on the CPU."""
        drawings = self._strokes.read(rows)
        return self._drawn([points[: math.ceil(share * len(points))] for points in drawings])

    def _drawn(self, drawings: Sequence[Points]) -> Pixels:
        spec = self._spec
        pixels = rasterise_points(drawings, spec.height, spec.width, self._drawn_channels)
        drawn = torch.from_numpy(pixels).permute(0, 3, 1, 2).expand(-1, spec.channels, -1, -1)
        return drawn.contiguous(memory_format=torch.channels_last)


def altered(drawings: Sequence[Points], settings: StrokeSettings, seeds: Seeds) -> list[Points]:
    """Strokes left out, then the end cut off, then every point moved."""
    most_points = max(len(points) for points in drawings)
    most_strokes = 1 + max(int(points[-1, 2]) for points in drawings)
    kept = uniform(seeds, most_strokes, stream="stroke drop").numpy()
    cut = uniform(seeds, 2, stream="stroke cut").numpy()
    moved = uniform(seeds, 2 * most_points, stream="stroke jitter").numpy() * 2 - 1
    result = []
    for points, kept_by, (whether, share), moves in zip(drawings, kept, cut, moved, strict=True):
        if settings.drop_stroke > 0:
            points = _with_strokes_left_out(points, kept_by, settings.drop_stroke)
        if whether < settings.partial:
            fewest = min(FEWEST_POINTS, len(points))
            points = points[: max(fewest, math.ceil(float(share) * len(points)))]
        if settings.jitter > 0:
            points = _moved(points, moves, settings.jitter)
        result.append(points)
    return result


def _with_strokes_left_out(points: Points, chances: np.ndarray, probability: float) -> Points:
    """Never all: the one of the best chance stays."""
    strokes = points[:, 2].astype(int)
    stays = chances >= probability
    stays[chances[: strokes[-1] + 1].argmax()] = True
    kept: Points = points[stays[strokes]]
    return kept


def _moved(points: Points, moves: np.ndarray, share: float) -> Points:
    """By up to this share of the longer side, in x and in y."""
    reach = share * np.ptp(points[:, :2], axis=0).max()
    here = points.copy()
    here[:, :2] += reach * moves[: 2 * len(points)].reshape(-1, 2)
    return here
