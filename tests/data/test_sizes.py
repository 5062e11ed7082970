"""Sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.sizes import ImageSize, parse_size

sides = st.integers(8, 1024)


@given(height=sides, width=sides)
def test_height_comes_first(height: int, width: int) -> None:
    size = parse_size(f"{height}x{width}")
    assert size == ImageSize(height, width)
    assert parse_size(str(size)) == size


@given(side=sides)
def test_one_number_is_a_square(side: int) -> None:
    assert parse_size(f" {side} ") == ImageSize(side, side)


@pytest.mark.parametrize("text", ["7", "1025", "64x7", "2000x64", "0", "999999"])
def test_sides_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="8 to 1024 pixels"):
        parse_size(text)


@given(text=st.text(max_size=8))
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    try:
        size = parse_size(text)
    except DatasetError as problem:
        assert repr(text) in str(problem)
    else:
        assert 8 <= size.height <= 1024
