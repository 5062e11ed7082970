"""Walking through large sets of features a block of rows at a time, so that memory stays bounded.

A matrix of all pairs of 50,000 pictures would be 20 GB; a block of its rows is 64 MB.
"""

from collections.abc import Iterator

_MOST_ENTRIES = 2**23  # of one block: 64 MB in float64


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cover range(rows) in order, each of at most 8 million entries or one row."""
    height = max(1, _MOST_ENTRIES // max(1, columns))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
