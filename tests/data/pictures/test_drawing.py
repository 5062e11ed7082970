"""Strokes become pixels: all of them, in proportion, in the frame, as Quick, Draw! drew them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from maquette.core.strokes import MARGIN, PEN
from maquette.data.pictures.content import Drawing
from maquette.data.pictures.drawing import points_of, rasterise, rasterise_points, timed_points
from maquette.data.sources.drawings import DrawingRecord, read_drawings

coordinates = st.floats(-1e6, 1e6, width=32)
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6).map(
    lambda points: np.array(points, np.float32).T
)
sides = st.integers(8, 40)


def stroke(*points: tuple[float, ...]) -> np.ndarray:
    return np.array(points, np.float32).T


def ink(drawing: Drawing, height: int = 28, width: int = 28) -> np.ndarray:
    return rasterise(drawing, height, width)[..., 0].astype(int)


def scribble(seed: int, strokes: int = 3, points: int = 12) -> Drawing:
    random = np.random.default_rng(seed)
    walks = random.normal(0, 20, (strokes, 2, points)).cumsum(2)
    return Drawing(tuple(walks.astype(np.float32)))


@given(drawn=st.lists(strokes, max_size=4), height=sides, width=sides)
def test_any_drawing_fits_inside_its_margin(
    drawn: list[np.ndarray], height: int, width: int
) -> None:
    pixels = rasterise(Drawing(tuple(drawn)), height, width, 3).copy()
    assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
    assert (pixels[..., 0].max() > 0) == bool(drawn)
    assert (pixels[..., 1:] <= pixels[..., :1]).all()
    pixels[1:-1, 1:-1] = 0
    assert pixels.max() < 128  # nothing is cut off at the edges


def test_proportions_are_kept_and_the_drawing_is_centred() -> None:
    square = np.array([[0, 30, 30, 0, 0], [0, 0, 30, 30, 0]], np.float32)
    for unit, place in ((1, 7), (255, 7), (1e-3, 0), (0.5, 1e5)):
        inside = ink(Drawing((square * unit + place,)), 64, 128) > 128
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 1
        assert rows[0] + rows[-1] == 63 and columns[0] + columns[-1] == 127
        assert np.ptp(rows) > 50


@pytest.mark.parametrize("side", [16, 28, 64, 128, 256])
@pytest.mark.parametrize("degrees", [0, 17, 45, 70, 90])
def test_lines_are_as_thick_in_every_size_and_direction(side: int, degrees: int) -> None:
    direction = np.deg2rad(degrees)
    line = Drawing((stroke((0, 0), (np.cos(direction), np.sin(direction))),))
    longer = max(np.cos(direction), np.sin(direction))
    length, pen = (1 - 2 * MARGIN) * side / longer, PEN * side
    expected = length * pen + np.pi * pen**2 / 4  # with its round ends
    coarse = 0.06 if PEN * side < 1 else 0.02
    assert ink(line, side, side).sum() / 255 == pytest.approx(expected, rel=coarse)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [(28, 28), (40, 64), (128, 100)])
def test_pixels_are_what_the_pen_covers(seed: int, size: tuple[int, int]) -> None:
    """Compared with Pillow's lines, drawn much finer and then reduced."""
    drawing = scribble(seed)
    height, width = size
    finer = 16
    points = np.concatenate(drawing.strokes, axis=1)
    low, extent = points.min(1), np.ptp(points, axis=1)
    room = np.array([width, height]) - 2 * MARGIN * min(size)
    scale, middle = (room / extent).min() * finer, np.array([width, height]) * finer / 2
    image = Image.new("L", (width * finer, height * finer))
    canvas, pen = ImageDraw.Draw(image), PEN * min(size) * finer
    for one in drawing.strokes:
        line = [tuple(p) for p in (one.T - low - extent / 2) * scale + middle]
        canvas.line(line, fill=255, width=round(pen))
        for x, y in line:
            canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    expected = np.asarray(image.reduce(finer)).astype(int)
    assert np.abs(ink(drawing, *size) - expected).mean() < 2
    assert ink(drawing, *size).mean() == pytest.approx(expected.mean(), rel=0.03)


def test_times_and_more_points_on_the_way_change_nothing() -> None:
    timed = np.array([[0, 10, 5], [0, 4, 9], [0, 17, 900]], np.float32)
    plain = rasterise(Drawing((timed[:2],)), 28, 28, 3)
    assert np.array_equal(rasterise(Drawing((timed,)), 28, 28, 3), plain)
    places = np.linspace(0, 2, 41)
    finer = np.stack([np.interp(places, [0, 1, 2], axis) for axis in timed[:2]])
    assert np.abs(rasterise(Drawing((finer.astype(np.float32),)), 28, 28, 3) - plain).max() <= 1


def test_a_single_point_is_a_dot_in_the_middle() -> None:
    for dot in (stroke((5, 5)), stroke((5, 5), (5, 5))):
        pixels = ink(Drawing((dot,)))
        assert pixels.sum() / 255 == pytest.approx(np.pi / 4 * (PEN * 28) ** 2, rel=0.05)
        assert pixels[13:15, 13:15].min() > 100 and pixels[13:15, 13:15].sum() == pixels.sum()


def test_points_of_their_own_are_dots_and_strokes_are_not_joined() -> None:
    cornered = Drawing((stroke((0, 0)), stroke((10, 0)), stroke((10, 10)), stroke((0, 10), (0, 9))))
    pixels = ink(cornered)
    assert pixels[6:22, 6:22].max() == 0 and pixels[:3, 6:22].max() == 0
    for corner in (pixels[:4, :4], pixels[:4, -4:], pixels[-4:, -4:], pixels[-4:, :4]):
        assert corner.max() > 100


def test_strokes_without_points_do_not_count() -> None:
    line, nothing = stroke((0, 0), (10, 3)), np.empty((2, 0), np.float32)
    with_nothing = rasterise(Drawing((nothing, line, nothing)), 28, 28, 3)
    assert np.array_equal(with_nothing, rasterise(Drawing((line,)), 28, 28, 3))
    assert rasterise(Drawing((nothing,)), 28, 28, 3).max() == 0


def test_order_tells_strokes_apart_and_progress_runs_along_them() -> None:
    bars = [stroke((0, y), (30, y)) for y in (0, 10, 20, 30)]
    drawn = rasterise(Drawing(tuple(bars)), 64, 64, 3).astype(float)
    rows = [round(64 * (MARGIN + share * (1 - 2 * MARGIN))) for share in (0, 1 / 3, 2 / 3, 1)]
    inked = [drawn[row - 1 : row + 1, 10:54].max(0) for row in rows]
    for number, bar in enumerate(inked):
        assert np.abs(bar[:, 1] / bar[:, 0] - (number + 1) / 4).max() < 0.01
        progress = bar[:, 2] / bar[:, 0]
        along = (np.arange(10, 54) + 0.5 - 64 * MARGIN) / (64 * (1 - 2 * MARGIN))
        assert np.abs(progress - (number + along) / 4).max() < 0.02


def test_where_lines_cross_the_later_one_is_seen() -> None:
    cross = [stroke((0, 15), (30, 15)), stroke((15, 0), (15, 30))]
    for drawn in (cross, cross[::-1]):
        middle = rasterise(Drawing(tuple(drawn)), 65, 65, 3)[32, 32]
        assert middle.tolist()[:2] == [255, 255] and abs(int(middle[2]) - 191) < 8


def test_many_at_once_are_each_as_if_alone() -> None:
    drawings = [scribble(seed, 1 + seed % 5, 1 + 40 * (seed % 7)) for seed in range(40)]
    drawings[3:5] = [Drawing(()), Drawing((stroke((1, 1)),))]
    points = [points_of(drawing) for drawing in drawings]
    for channels in (1, 3):
        together = rasterise_points(points, 28, 20, channels)
        alone = [rasterise(drawing, 28, 20, channels) for drawing in drawings]
        assert np.array_equal(together, np.stack(alone))
    assert rasterise_points([], 28, 20, 3).shape == (0, 28, 20, 3)


def test_points_keep_what_was_recorded() -> None:
    drawing = Drawing((stroke((1, 2, 30), (3, 4, 50)), stroke((5, 6, 70))))
    expected = [[1, 2, 0, 30], [3, 4, 0, 50], [5, 6, 1, 70]]
    assert timed_points(drawing).tolist() == expected
    untimed = Drawing(tuple(one[:2] for one in drawing.strokes))
    assert timed_points(untimed).tolist() == [[*row[:3], 0] for row in expected]


CLASSES = ("airplane", "apple", "bicycle", "cat", "circle", "crown", "diamond", "eye", "fish")


def test_pictures_are_those_that_were_published(real_data: Path) -> None:
    """Some drawings are in both sets: the very pictures. Of classes, where the ink lies."""
    ours, theirs = [], []
    for name in CLASSES:
        records = read_drawings(real_data / "quickdraw" / "simplified" / f"{name}.ndjson")
        points = [points_of(r.drawing) for _, r in records if isinstance(r, DrawingRecord)]
        drawn = rasterise_points(points, 28, 28, 1)[..., 0].astype(int)
        bitmaps = np.load(real_data / "quickdraw" / "bitmaps" / f"{name}.npy").reshape(-1, 28, 28)
        for picture in drawn:
            away = np.abs(bitmaps[:, ::3, ::3].astype(int) - picture[::3, ::3]).mean((1, 2))
            nearest = bitmaps[away.argmin()].astype(int)
            if np.abs(nearest - picture).mean() < 3:
                ours.append(picture)
                theirs.append(nearest)
        assert box(drawn) == pytest.approx(box(bitmaps[::10]), abs=1.5)
        assert drawn.mean() == pytest.approx(bitmaps.mean(), rel=0.1)
    assert len(ours) > 100
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.005)
    assert np.abs(np.array(ours) - theirs).mean() < 1.5


def box(pictures: np.ndarray) -> list[float]:
    """Mean first and last row and column with ink."""
    edges = []
    for inked in pictures > 32:
        rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
        edges.append([rows[0], rows[-1], columns[0], columns[-1]])
    return [float(edge) for edge in np.mean(edges, axis=0)]
