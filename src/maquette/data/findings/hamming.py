"""All pairs of 64-bit hashes that differ in few bits, without comparing all with all.

Multi-index hashing (Norouzi, Punjani & Fleet 2012, "Fast search in Hamming space with multi-index
hashing", section 2): of five bands of bits, one differs in at most a fifth of the bits that the
whole differs in. So for a distance up to RADIUS, a partner has nearly the same bits in some band,
and is found in a table sorted by that band.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64, UInt64

RADIUS = 9  # bits; the most for which a band differs in no more than one
_WIDTHS = (13, 13, 13, 13, 12)  # bits of each band
# In very uniform sets (frames of one film) many share a band. Then only those with the same band
# are compared, and of them this many on either side in the order of the other bits.
_WINDOW = 16
_CHUNK = 20_000  # hashes looked up at a time, which bounds the memory
_MOST_PAIRS = 500_000  # the nearest are kept
_ID_BITS = 24  # of an index in a key: 16 million pictures


def near_pairs(
    hashes: UInt64[np.ndarray, " n"], others: UInt64[np.ndarray, " n"]
) -> Int64[np.ndarray, "pairs 2"]:
    """Pairs i < j where hashes[i] and others[j], or hashes[j] and others[i], differ in at most
    RADIUS bits; the nearest pairs first."""
    keys, radius, top = np.empty(0, np.int64), RADIUS, 0
    for width in _WIDTHS:
        table = _Table(_rotated(others, top), width)
        for chunk, start, flip in table.lookups(_rotated(hashes, top)):
            keys = np.concatenate([keys, table.keys_near(chunk, start, flip, radius)])
            if len(keys) > 2 * _MOST_PAIRS:
                keys = np.unique(keys)[:_MOST_PAIRS]
                if len(keys) == _MOST_PAIRS:  # from here on only nearer ones count
                    radius = int(keys[-1] >> 2 * _ID_BITS)
        top += width
    keys = np.unique(keys)[:_MOST_PAIRS]
    mask = (1 << _ID_BITS) - 1
    return np.stack([keys >> _ID_BITS & mask, keys & mask], axis=1)


def _rotated(hashes: UInt64[np.ndarray, " n"], bits: int) -> UInt64[np.ndarray, " n"]:
    """To the left; what leaves at the top comes back at the bottom."""
    if bits == 0:
        return hashes
    return (hashes << np.uint64(bits)) | (hashes >> np.uint64(64 - bits))


class _Table:
    """Hashes sorted so that those with the same band, their highest bits, lie together."""

    def __init__(self, hashes: UInt64[np.ndarray, " n"], width: int):
        self._width, self._shift = width, np.uint64(64 - width)
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]
        bands = (self._sorted >> self._shift).astype(np.int64)
        self._starts = np.searchsorted(bands, np.arange((1 << width) + 1))

    def lookups(
        self, hashes: UInt64[np.ndarray, " n"]
    ) -> Iterator[tuple[UInt64[np.ndarray, " m"], int, np.uint64]]:
        """A part of the hashes, its start, and the bit of the band to flip."""
        flips = [np.uint64(0), *(np.uint64(1 << 63 - bit) for bit in range(self._width))]
        for flip in flips:
            for start in range(0, len(hashes), _CHUNK):
                yield hashes[start : start + _CHUNK], start, flip

    def keys_near(
        self, hashes: UInt64[np.ndarray, " m"], start: int, flip: np.uint64, radius: int
    ) -> Int64[np.ndarray, " found"]:
        """Keys of pairs whose bands are the same but for the flipped bit."""
        rows, places = self._compared(hashes ^ flip, crowds=not flip)
        distance = np.bitwise_count(hashes[rows] ^ self._sorted[places])
        near = distance <= radius
        one, other = rows[near] + start, self._order[places[near]]
        return _keys(distance[near].astype(np.int64), one, other)

    def _compared(
        self, wanted: UInt64[np.ndarray, " m"], crowds: bool
    ) -> tuple[Int64[np.ndarray, " c"], Int64[np.ndarray, " c"]]:
        """Which rows of `wanted` are compared with which places of the table; those for which
        many share the band only if `crowds`."""
        bands = (wanted >> self._shift).astype(np.int64)
        middle = np.searchsorted(self._sorted, wanted)
        start, end = self._starts[bands], self._starts[bands + 1]
        first, last = np.maximum(start, middle - _WINDOW), np.minimum(end, middle + _WINDOW)
        counts = np.where(crowds | (end - start <= 2 * _WINDOW), last - first, 0)
        rows = np.repeat(np.arange(len(wanted)), counts)
        within = np.arange(len(rows)) - np.repeat(counts.cumsum() - counts, counts)
        return rows, np.repeat(first, counts) + within


def _keys(
    distance: Int64[np.ndarray, " p"], one: Int64[np.ndarray, " p"], other: Int64[np.ndarray, " p"]
) -> Int64[np.ndarray, " q"]:
    """One number for each pair, sorted by distance; a hash is no partner of its own."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    keys = (distance << 2 * _ID_BITS) | (low << _ID_BITS) | high
    others: Int64[np.ndarray, " q"] = keys[low != high]
    return others
