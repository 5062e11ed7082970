"""Perceptual hashes: pictures that look alike get hashes that differ in few of their 64 bits.

The hash of the mirrored picture comes for free, because mirroring only changes the sign of every
second column of the cosine transform.
"""

import numpy as np
from jaxtyping import Float
from PIL import Image

HASHED_PX = 32  # both sides of what is transformed
_LEAST = 8.0
"""Cosine coefficients below this count as 0: a mean amplitude of half a grey level, which is what
JPEG leaves of noise in a flat picture."""


def perceptual_hash(image: Image.Image) -> tuple[int, int]:
    """The hash of a grey image (mode L) of any size, and of the same image mirrored left to right.

    DCT-II of the image brought to 32 x 32; one bit for each of the 8 x 8 lowest frequencies that
    vary both ways, set where it lies above their median (Zauner 2010, "Implementation and
    benchmarking of perceptual image hash functions", section 3.2.1).

    A picture with too little structure gives (0, 0), which says nothing: two such pictures may be
    black and white. They must be told apart otherwise.
    """
    side = (HASHED_PX, HASHED_PX)
    # This filter treats left and right alike, which Pillow's BOX does not.
    small = np.asarray(image.resize(side, Image.Resampling.HAMMING))
    lowest = _COSINES @ small.astype(np.float64) @ _COSINES.T
    lowest[np.abs(lowest) < _LEAST] = 0
    return _bits(lowest), _bits(lowest * _MIRROR)


def distance(one: int, other: int) -> int:
    """How many of the 64 bits differ: 0 for the same look, about 32 for unrelated pictures."""
    return (one ^ other).bit_count()


def _cosines() -> Float[np.ndarray, "8 32"]:
    """Rows 1 to 8 of the orthonormal DCT-II matrix of 32 points."""
    frequency, point = np.arange(1, 9)[:, None], np.arange(HASHED_PX)
    angles = np.pi * frequency * (2 * point + 1) / (2 * HASHED_PX)
    return np.asarray(np.sqrt(2 / HASHED_PX) * np.cos(angles))


def _bits(coefficients: Float[np.ndarray, "8 8"]) -> int:
    bits = coefficients > np.median(coefficients)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


_COSINES = _cosines()
_MIRROR = np.array([-1.0, 1.0] * 4)  # columns 1, 3, 5, 7 are odd functions
