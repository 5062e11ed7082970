"""Small geometric changes of pictures on their device: another hand, another page, the same thing.

Each picture is changed by its own seed alone. Uncovered parts continue the picture's border, which
is paper under a drawing and the scene's edge in a photo.
"""

import math

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images, Seeds
from maquette.core.randomness import noise, uniform
from maquette.core.settings import Settings

_KNOTS = 4  # by so many moved points the wobble is interpolated


class WarpSettings(Settings):
    """How far pictures are bent while they are learnt from; all 0 leaves them alone."""

    rotation_degrees: float = Field(default=10.0, ge=0, le=180)
    """Turned by up to this much, either way."""

    scale: float = Field(default=0.1, ge=0, le=1)
    """Stretched by up to this share, or shrunk likewise, height and width each for itself."""

    shear_degrees: float = Field(default=5.0, ge=0, le=45)
    """Slanted by up to this much, either way."""

    shift: float = Field(default=0.07, ge=0, le=0.5)
    """Moved by up to this share of the height and of the width, either way."""

    wobble: float = Field(default=0.02, ge=0, le=0.2)
    """Standard deviation of a smooth bending, as a share of the height and of the width."""

    @property
    def is_none(self) -> bool:
        return not any(self.model_dump().values())


def warp(images: Images, seeds: Seeds, settings: WarpSettings, stream: str) -> Images:
    """Turned, stretched, slanted, moved and bent (bilinear); the same size.

    The bending is that of Simard et al. 2003 ("Best Practices for Convolutional Neural Networks"),
    with cubic interpolation between few moved points in place of their smoothed noise.
    """
    if settings.is_none:
        return images
    sides = images.shape[2:]
    where = F.affine_grid(
        _sampling(seeds, settings, stream, *sides), list(images.shape), align_corners=False
    )  # (B, H, W, 2), from -1 to 1
    if settings.wobble:
        moved = noise(seeds, 2, _KNOTS, _KNOTS, stream=f"{stream}/wobble") * (2 * settings.wobble)
        bent = F.interpolate(moved, sides, mode="bicubic", align_corners=True)
        where = where + bent.permute(0, 2, 3, 1)
    return F.grid_sample(images, where, padding_mode="border", align_corners=False)


def _sampling(
    seeds: Seeds, settings: WarpSettings, stream: str, height: int, width: int
) -> Float[Tensor, "batch 2 3"]:
    """From a place in the new picture to the one in the old, both from -1 to 1."""
    drawn = uniform(seeds, 6, stream=f"{stream}/affine") * 2 - 1
    turn, slant, wide, high, right, down = drawn.unbind(1)
    turn = turn * math.radians(settings.rotation_degrees)
    slant = (slant * math.radians(settings.shear_degrees)).tan()
    wide, high = ((side * math.log1p(settings.scale)).exp() for side in (wide, high))
    cos, sin, aspect = turn.cos(), turn.sin(), height / width  # degrees are those of square pixels
    rows = [
        torch.stack([cos * wide, (slant * cos - sin) * high * aspect, 2 * settings.shift * right]),
        torch.stack([sin * wide / aspect, (slant * sin + cos) * high, 2 * settings.shift * down]),
    ]
    return torch.stack(rows).permute(2, 0, 1)
