"""Whether two pictures that have similar hashes really show the same.

Hashes know the coarse layout only: two different strawberries on white may share one. So small
versions are laid upon each other as well as possible, and their fine structure is compared. On real
sets this separates: copies that were cropped, enlarged, recoloured or compressed correlate by 0.8
to 1, different pictures by 0.73 (two fruits on white) at the most.
"""

import io
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8
from PIL import Image

from maquette.data.findings.finding import Survey
from maquette.data.pictures.content import Box

_SIDE_PX = 64  # what is compared; pictures are stretched to squares, which undoes stretching
_COARSE = 2  # times smaller for finding the best position
_EDGE_PX = 3  # left out, since moving a picture leaves nothing to compare there
_COARSE_STEPS, _FINE_STEPS = 6, 2  # of Gauss-Newton
_FARTHEST = 0.16  # shift and stretch, half sides
_REMEMBERED = 10_000  # small versions, 4 kB each

_Planes = Float32[np.ndarray, "pairs side side"]
_Places = Float32[np.ndarray, "pairs 4"]  # shift and stretch along x, then along y


class Likeness:
    """Of the pictures of one survey."""

    def __init__(self, survey: Survey):
        self._survey = survey
        self._small = lru_cache(maxsize=_REMEMBERED)(self._read)

    def of(
        self, pairs: Int64[np.ndarray, "pairs 2"], mirrored: np.ndarray
    ) -> Float[np.ndarray, " pairs"]:
        """How much alike each pair is: 1 for the same, about 0 for unrelated pictures.

        Where `mirrored` is true, the second picture is looked at in a mirror.
        """
        one = np.stack([self._small(int(index)) for index in pairs[:, 0]]).astype(np.float32)
        other = np.stack([self._small(int(index)) for index in pairs[:, 1]]).astype(np.float32)
        other = np.where(mirrored[:, None, None], other[:, :, ::-1], other)
        place = np.zeros((len(pairs), 4), np.float32)
        place = _aligned(_halved(one), _halved(other), place, _COARSE_STEPS)
        place = _aligned(one, other, place, _FINE_STEPS)
        return _correlation(_detail(one), _detail(_moved(other, place)), _EDGE_PX)

    def _read(self, index: int) -> UInt8[np.ndarray, "side side"]:
        facts = self._survey.pictures[index].facts
        assert facts is not None
        image = Image.open(io.BytesIO(self._survey.thumbnails.jpeg(index)), formats=["JPEG"])
        image.draft("L", (_SIDE_PX, _SIDE_PX))  # faster, and no larger than needed
        box = facts.box or Box(0, 0, facts.width, facts.height)
        across, down = image.width / facts.width, image.height / facts.height
        inside = (box.left * across, box.top * down, box.right * across, box.bottom * down)
        side = (_SIDE_PX, _SIDE_PX)
        return np.asarray(image.convert("L").resize(side, Image.Resampling.BILINEAR, inside))


def _aligned(fixed: _Planes, moving: _Planes, place: _Places, steps: int) -> _Places:
    """A better shift and stretch (x, then y) to lay `moving` upon `fixed`, in half sides.

    Gauss-Newton with the gradient of the fixed picture (inverse compositional alignment: Baker &
    Matthews 2004, "Lucas-Kanade 20 years on", section 3.2), on pictures of mean 0 and variance 1.
    """
    fixed, moving = _standard(_smooth(fixed)), _smooth(moving)
    down, across = np.gradient(fixed, axis=(1, 2))
    x, y = _grid(fixed.shape[1])
    half = (fixed.shape[1] - 1) / 2
    slopes = np.stack([across, across * x, down, down * y], axis=-1) * half
    slopes = slopes[:, 1:-1, 1:-1].reshape(len(fixed), -1, 4)
    turned = slopes.transpose(0, 2, 1)
    solve = np.linalg.inv(turned @ slopes + np.eye(4, dtype=np.float32)) @ turned
    for _ in range(steps):
        rest = (_standard(_moved(moving, place)) - fixed)[:, 1:-1, 1:-1].reshape(len(fixed), -1, 1)
        place = np.clip(place - (solve @ rest)[..., 0], -_FARTHEST, _FARTHEST).astype(np.float32)
    return place


def _moved(planes: _Planes, place: _Places) -> _Planes:
    """Bilinear; beyond the edges the outermost pixels go on."""
    side = planes.shape[1]
    x, y = _grid(side)
    shift_x, stretch_x, shift_y, stretch_y = place.T[..., None, None]
    across = np.clip((x * (1 + stretch_x) + shift_x + 1) * ((side - 1) / 2), 0, side - 1.001)
    down = np.clip((y * (1 + stretch_y) + shift_y + 1) * ((side - 1) / 2), 0, side - 1.001)
    # Shifts and stretches along the axes: every row uses the same columns.
    return _along(_along(planes, down[:, :, 0]).transpose(0, 2, 1), across[:, 0]).transpose(0, 2, 1)


def _along(planes: _Planes, wanted: Float32[np.ndarray, "pairs side"]) -> _Planes:
    """Rows at fractional heights."""
    lower = wanted.astype(np.int64)[:, :, None]
    share = (wanted - wanted.astype(np.int64))[:, :, None]
    rows: _Planes = np.take_along_axis(planes, lower, 1)
    rows += share * (np.take_along_axis(planes, lower + 1, 1) - rows)
    return rows


def _grid(side: int) -> tuple[Float32[np.ndarray, "1 side"], Float32[np.ndarray, "side 1"]]:
    line = np.linspace(-1, 1, side, dtype=np.float32)
    return line[None, :], line[:, None]


def _detail(planes: _Planes) -> _Planes:
    """Without light and shade that vary over many pixels."""
    detail = _smooth(planes)
    blurred = detail
    for _ in range(3):
        blurred = _smooth(blurred)
    detail -= blurred
    return detail


def _smooth(planes: _Planes) -> _Planes:
    """With weights (1, 2, 1) / 4 along both axes."""
    for axis in (1, 2):
        planes = np.moveaxis(planes, axis, 0)
        padded = np.concatenate([planes[:1], planes, planes[-1:]])
        planes = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        planes = np.moveaxis(planes, 0, axis)
    return planes


def _halved(planes: _Planes) -> Float32[np.ndarray, "pairs half half"]:
    count, side = len(planes), planes.shape[1] // _COARSE
    small: Float32[np.ndarray, "pairs half half"]
    small = planes.reshape(count, side, _COARSE, side, _COARSE).mean((2, 4))
    return small


def _standard(planes: _Planes) -> _Planes:
    """Mean 0 and variance 1."""
    planes = planes - planes.mean((1, 2), keepdims=True)
    planes /= planes.std((1, 2), keepdims=True) + 1e-3
    return planes


def _correlation(one: _Planes, other: _Planes, edge: int) -> Float32[np.ndarray, " pairs"]:
    one, other = (_standard(planes[:, edge:-edge, edge:-edge]) for planes in (one, other))
    products: Float32[np.ndarray, " pairs"] = (one * other).mean((1, 2))
    return products
