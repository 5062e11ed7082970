"""Describes pictures without a trained network: colours, their coarse layout, and edges.

Enough to tell a drawing from a photo or a cut-out from a scene, not a cat from a dog. The parts are
classic: colour layout and moments in CIELAB, and oriented gradients (Dalal & Triggs 2005,
"Histograms of Oriented Gradients for Human Detection").
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float32

from maquette.data.pictures.content import Raster

_SIDE = 32  # pixels of the square that colours are read from
_FINE = 64  # and edges, for which more detail counts
_CELLS = 4  # of the colour layout, each way
_DIRECTIONS = 8  # of gradients, over half a turn
_LIGHTNESS_BINS, _CHROMA_BINS, _HUE_BINS = 10, 6, 8
_EDGE_LEVELS = (1.0, 3.0, 7.0, 14.0, 28.0)  # between steps of lightness from pixel to pixel
_FLAT = 2.0  # a smaller step of lightness is no edge


class TonesAndEdges:
    """Needs no weights; about half a millisecond a picture."""

    name = "tones and edges"

    def describe(self, rasters: Iterable[Raster]) -> Float32[np.ndarray, "pictures dims"]:
        """One row for each, every number roughly within -1..1; RGB or grey, any size."""
        rows = [_described(raster) for raster in rasters]
        return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def _described(raster: Raster) -> Float32[np.ndarray, " dims"]:
    fine = _squeezed(raster, _FINE)
    lab = cielab(fine.reshape(_SIDE, _FINE // _SIDE, _SIDE, -1, 3).mean((1, 3)))
    parts = [_layout(lab), _moments(lab), _histograms(lab), _frame(lab), _edges(fine)]
    return np.concatenate(parts).astype(np.float32)


def _squeezed(raster: Raster, side: int) -> np.ndarray:
    """Area means on a square grid, whatever the proportions: float32 (side, side, 3), 0..255."""
    pixels = raster.astype(np.float32)
    for axis in (0, 1):
        edges = np.arange(side + 1) * raster.shape[axis] // side
        # Of a picture with fewer pixels than the grid, `reduceat` repeats single ones.
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        counts = np.maximum(np.diff(edges), 1).reshape(shape).astype(np.float32)
        pixels = np.add.reduceat(pixels, edges[:-1], axis=axis) / counts
    return np.broadcast_to(pixels, (side, side, 3))


def cielab(rgb: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* (D65) divided by 100, from sRGB 0..255 (IEC 61966-2-1); the same shape."""
    value = rgb / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T
    cut = (6 / 29) ** 3
    f = np.where(xyz > cut, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([1.16 * y - 0.16, 5 * (x - y), 2 * (y - z)], -1)


# From linear sRGB, each row divided by D65's white.
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
) / np.array([[0.9505], [1.0], [1.089]], np.float32)


def _layout(lab: np.ndarray) -> np.ndarray:
    """Mean colour of each cell."""
    step = _SIDE // _CELLS
    return lab.reshape(_CELLS, step, _CELLS, step, 3).mean((1, 3)).ravel()


def _moments(lab: np.ndarray) -> np.ndarray:
    """Mean, deviation and the cube root of the third moment of each channel."""
    pixels = lab.reshape(-1, 3)
    mean = pixels.mean(0)
    centred = pixels - mean
    return np.concatenate([mean, pixels.std(0), np.cbrt((centred * centred * centred).mean(0))])


def _histograms(lab: np.ndarray) -> np.ndarray:
    """Square roots of shares, so that Euclidean distance is Hellinger's; hue weighs by chroma."""
    lightness, a, b = lab.reshape(-1, 3).T
    chroma = np.hypot(a, b)
    hue = np.arctan2(b, a) / (2 * np.pi) % 1
    return np.concatenate(
        [
            _shares(lightness, _LIGHTNESS_BINS),
            _shares(np.sqrt(chroma), _CHROMA_BINS),
            np.sqrt(_counted(hue, _HUE_BINS, chroma) / chroma.size),
        ]
    )


def _shares(values: np.ndarray, bins: int) -> np.ndarray:
    return np.sqrt(_counted(values, bins) / values.size)


def _counted(values: np.ndarray, bins: int, weights: np.ndarray | None = None) -> np.ndarray:
    """In equal bins over 0..1."""
    return np.bincount((values * bins).clip(0, bins - 1).astype(int), weights, bins)


def _frame(lab: np.ndarray) -> np.ndarray:
    """How uniform the outermost pixels are, and how much lighter than the middle."""
    outer = np.concatenate([lab[:2].reshape(-1, 3), lab[-2:].reshape(-1, 3)])
    outer = np.concatenate([outer, lab[:, :2].reshape(-1, 3), lab[:, -2:].reshape(-1, 3)])
    quarter = _SIDE // 4
    middle = lab[quarter:-quarter, quarter:-quarter, 0]
    return np.append(outer.std(0), outer[:, 0].mean() - middle.mean())


def _edges(fine: np.ndarray) -> np.ndarray:
    """Gradients of grey: their sizes, and by quarters of the picture their directions."""
    grey = (fine @ np.array((0.299, 0.587, 0.114), np.float32)) * (100 / 255)
    across, down = (grey[1:-1, 2:] - grey[1:-1, :-2]) / 2, (grey[2:, 1:-1] - grey[:-2, 1:-1]) / 2
    size = np.hypot(across, down)
    sizes = np.bincount(np.searchsorted(_EDGE_LEVELS, size.ravel()), minlength=6) / size.size
    turn = np.arctan2(down, across) / np.pi % 1
    direction = (turn * _DIRECTIONS + 0.5).astype(int) % _DIRECTIONS
    half = np.arange(len(size)) >= len(size) // 2
    quarter = 2 * half[:, None] + half
    weight = np.where(size > _FLAT, size, 0)
    place = (quarter * _DIRECTIONS + direction).ravel()
    directions = np.bincount(place, weight.ravel(), 4 * _DIRECTIONS)
    # The total says how many edges there are; unlike lengths of blocks it is kept.
    return np.concatenate([np.sqrt(sizes), np.sqrt(directions / size.size / 10)])
