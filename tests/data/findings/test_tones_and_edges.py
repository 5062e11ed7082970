import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maquette.data.findings.tones_and_edges import TonesAndEdges, cielab


def described(*rasters: np.ndarray) -> np.ndarray:
    return TonesAndEdges().describe(rasters)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(1, 160), st.integers(1, 160), st.sampled_from((1, 3)))
def test_any_size(height: int, width: int, channels: int) -> None:
    rows = described(noise(height, width)[..., :channels])
    assert rows.shape == (1, described(noise(8, 8)).shape[1])
    assert rows.dtype == np.float32 and np.isfinite(rows).all()


def test_no_pictures() -> None:
    assert len(described()) == 0


def test_rows_are_independent_of_each_other() -> None:
    rasters = [noise(40, 50, seed) for seed in range(3)]
    together = described(*rasters)
    for row, raster in zip(together, rasters, strict=True):
        np.testing.assert_array_equal(row, described(raster)[0])


def test_enlarged_picture_is_alike() -> None:
    small = noise(64, 64)
    small_row, large_row, other = described(small, small.repeat(2, 0).repeat(2, 1), small // 4)
    np.testing.assert_allclose(small_row, large_row, atol=1e-4)
    assert np.linalg.norm(small_row - other) > 1


@pytest.mark.parametrize("change", ["colour", "layout", "edges"])
def test_sees(change: str) -> None:
    """Each change keeps what the other two look at."""
    before = np.full((64, 64, 3), (100, 120, 140), np.uint8)
    if change == "colour":
        after = np.full_like(before, (160, 110, 90))
    elif change == "layout":
        before[:32] //= 2
        after = before[::-1]
    else:
        before[::4] //= 2
        after = before.transpose(1, 0, 2)
    same, other = described(before, np.ascontiguousarray(after))
    assert np.linalg.norm(same - other) > 0.3


def test_cielab() -> None:
    """Published values for sRGB's corners, D65 (Lindbloom, CIE Color Calculator)."""
    rgb = np.array([(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255)], np.float32)
    expected = [(0, 0, 0), (100, 0, 0), (53.24, 80.09, 67.20), (32.30, 79.19, -107.86)]
    np.testing.assert_allclose(cielab(rgb) * 100, expected, atol=0.1)
