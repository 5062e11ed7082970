"""Blocks cover every row once and stay small."""

import pytest

from maquette.evaluation.blocks import row_blocks


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (50_000, 50_000), (3, 10**8), (0, 5)])
def test_every_row_once_in_small_blocks(rows: int, columns: int) -> None:
    blocks = list(row_blocks(rows, columns))
    assert [i for b in blocks for i in range(b.start, b.stop)] == list(range(rows))
    assert all((b.stop - b.start) * columns <= max(2**23, columns) for b in blocks)
