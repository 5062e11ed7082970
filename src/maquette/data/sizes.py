"""Picture sizes as people write them: "64" for a square, "96x128" for height x width in pixels."""

import re
from dataclasses import dataclass

from maquette.core.errors import DatasetError

SMALLEST_PX, LARGEST_PX = 8, 1024


@dataclass(frozen=True)
class ImageSize:
    """Height comes first, as in tensors."""

    height: int  # pixels
    width: int  # pixels

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"


def parse_size(text: str) -> ImageSize:
    """ "64" or "96x128" (HEIGHTxWIDTH); DatasetError outside 8..1024 pixels."""
    match = re.fullmatch(r"([0-9]{1,6})(?:[xX×]([0-9]{1,6}))?", text.strip())
    if match is None:
        raise DatasetError(
            f"size {text!r} is not understood: write one number such as 64, "
            "or HEIGHTxWIDTH such as 96x128"
        )
    height, width = int(match[1]), int(match[2] or match[1])
    if not all(SMALLEST_PX <= side <= LARGEST_PX for side in (height, width)):
        raise DatasetError(
            f"size {text!r} is out of range: each side must be {SMALLEST_PX} to {LARGEST_PX} pixels"
        )
    return ImageSize(height, width)


def parse_shape(text: str) -> tuple[int, ...]:
    """ "28x28" (one channel) or "28x28x3" for bytes without a header; DatasetError otherwise."""
    match = re.fullmatch(r"([0-9]{1,5})[xX×]([0-9]{1,5})(?:[xX×]([13]))?", text.strip())
    if match is None or not int(match[1]) * int(match[2]):
        raise DatasetError(
            f"shape {text!r} is not understood: write HEIGHTxWIDTH such as 28x28, "
            "or HEIGHTxWIDTHx3 for colour"
        )
    return tuple(int(number) for number in match.groups() if number is not None)
