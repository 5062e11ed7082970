"""The handwritten digits that are installed with scikit-learn: a dataset without a download."""

import numpy as np

from maquette.data.sources.arrays import ArraySource, mapped_rows


def digits_source() -> ArraySource:
    """1,797 grey pictures of 8x8 with their classes 0 to 9."""
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # published as 0..16
    labels = [str(n) for n in digits.target]
    rows = mapped_rows(pixels, "digits")
    return ArraySource("digits", "digits", rows, identity="digits", labels=labels)
