"""Strokes become pixels: all of them, in proportion, inside the frame."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maquette.data.pictures.content import Drawing
from maquette.data.pictures.drawing import rasterise

coordinates = st.floats(-1e6, 1e6, width=32)
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6).map(
    lambda points: np.array(points, np.float32).T
)
sides = st.integers(8, 40)


@given(drawn=st.lists(strokes, max_size=4), height=sides, width=sides)
def test_any_drawing_fits_inside_its_margin(
    drawn: list[np.ndarray], height: int, width: int
) -> None:
    pixels = rasterise(Drawing(tuple(drawn)), height, width).copy()
    assert pixels.shape == (height, width, 1) and pixels.dtype == np.uint8
    assert (pixels.max() > 0) == bool(drawn)
    pixels[1:-1, 1:-1] = 0
    assert pixels.max() < 128  # nothing is cut off at the edges


def test_proportions_are_kept_and_the_drawing_is_centred() -> None:
    square = np.array([[0, 30, 30, 0, 0], [0, 0, 30, 30, 0]], np.float32)
    for unit in (1, 255):
        inside = rasterise(Drawing((square * unit + 7,)), 64, 128)[..., 0] > 128
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
        assert rows[0] + rows[-1] == 63 and columns[0] + columns[-1] == 127
        assert np.ptp(rows) > 50


def test_lines_are_white_smooth_and_as_thick_in_every_size() -> None:
    line = Drawing((np.array([[0, 10], [0, 0]], np.float32),))
    shares = []
    for side in (28, 64, 256):
        column = rasterise(line, side, side)[:, side // 2, 0]
        assert column.max() == 255 and column.min() == 0
        shares.append(column.sum() / 255 / side)
    assert max(shares) - min(shares) < 0.01
    slanted = rasterise(Drawing((np.array([[0, 10], [0, 3]], np.float32),)), 28, 28)
    assert len(np.unique(slanted)) > 6


def test_times_are_not_drawn() -> None:
    timed = np.array([[0, 10, 5], [0, 4, 9], [0, 17, 900]], np.float32)
    assert np.array_equal(
        rasterise(Drawing((timed,)), 28, 28), rasterise(Drawing((timed[:2],)), 28, 28)
    )


def test_a_single_point_is_a_dot_in_the_middle() -> None:
    pixels = rasterise(Drawing((np.array([[5], [5]], np.float32),)), 28, 28)[..., 0]
    assert pixels[13:15, 13:15].min() > 128 and 0 < (pixels > 0).sum() < 16
