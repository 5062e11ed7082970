"""From a picture's size to the coarse grid a convolutional network starts from or ends at.

Any height and width from 8 px: each level is half the next, rounded up, and what is too much at the
end is cropped.
"""

import math

from maquette.core.errors import SettingsError
from maquette.core.images import ImageSpec

SMALLEST_PX = 8


def levels(spec: ImageSpec) -> int:
    """How often the picture is halved until its shorter side is about 4; at least once.

    SettingsError for pictures with a side below 8 px.
    """
    shorter = min(spec.height, spec.width)
    if shorter < SMALLEST_PX:
        raise SettingsError(
            f"pictures of {spec.height}x{spec.width} px are too small for a convolutional network: "
            f"make them at least {SMALLEST_PX} px high and wide, or use the dense network"
        )
    return max(1, round(math.log2(shorter / 4)))


def coarse_grid(spec: ImageSpec, halvings: int) -> tuple[int, int]:
    """Height and width after so many halvings, each rounded up."""
    return math.ceil(spec.height / 2**halvings), math.ceil(spec.width / 2**halvings)
