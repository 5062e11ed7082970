"""Changes of pictures that a network is told about, so that none shows in what it makes.

A small set looks larger when its pictures are turned, stretched and moved; a network that is told
by how much learns what pictures look like unchanged as well, and is told of no change when it makes
some (Karras et al. 2022, appendix F.2 and table 6; of its changes pictures upside down are left
out, and its resampling by wavelets).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images, Seeds
from maquette.core.randomness import noise, uniform

TOLD = 8  # numbers that describe the changes of one picture
_KINDS = 5  # mirror, scale, turn, stretch, move
_SCALE = 0.2  # standard deviation of the binary logarithm; of the stretch as well
_MOVE = 1 / 8  # standard deviation, as a share of the side

Told = Float[Tensor, "batch 8"]


def changed(images: Images, seeds: Seeds, probability: float, stream: str) -> tuple[Images, Told]:
    """Each kind of change with this probability to each picture, and what to tell of it.

    Mirrored left to right; made larger or smaller; turned by any angle; stretched along any axis;
    moved. What is uncovered is the picture's reflection. All 0 is told of a picture left as it was.
    """
    told = drawn_changes(seeds, probability, stream)
    where = F.affine_grid(
        _sampling(told, *images.shape[2:]), list(images.shape), align_corners=False
    )
    moved = F.grid_sample(
        images, where.to(images), mode="bicubic", padding_mode="reflection", align_corners=False
    )
    untouched = ~told.any(1)[:, None, None, None]
    return torch.where(untouched, images, moved.clamp(-1, 1)), told


def drawn_changes(seeds: Seeds, probability: float, stream: str) -> Told:
    """Mirrored or not; the logarithm of the scale; of the turn the cosine less 1 and the sine; of
    the stretch its logarithm along two axes that lie 45 degrees apart; the move right and down."""
    happens = uniform(seeds, _KINDS, stream=f"{stream}/happens") < probability
    mirror, scale, turn, stretch, move = happens.to(torch.float32).unbind(1)
    angle, axis = (uniform(seeds, 2, stream=f"{stream}/angles") * (2 * math.pi)).unbind(1)
    larger, longer, right, down = noise(seeds, 4, stream=f"{stream}/sizes").unbind(1)
    longer = longer * _SCALE * stretch
    described = [
        mirror,
        larger * _SCALE * scale,
        (angle.cos() - 1) * turn,
        angle.sin() * turn,
        longer * axis.cos(),
        longer * axis.sin(),
        right * _MOVE * move,
        down * _MOVE * move,
    ]
    return torch.stack(described, 1)


def _sampling(told: Told, height: int, width: int) -> Float[Tensor, "batch 2 3"]:
    """From a place in the changed picture to the one in the old, both from -1 to 1: what was done
    last is undone first. In float64, which autocast leaves alone: half precision would move places
    by whole pixels."""
    mirror, scale, less, sin, along, across, right, down = told.double().unbind(1)
    cos, aspect = less + 1, height / width  # angles are those of square pixels
    moved = torch.stack([right, down], 1)[:, :, None] * 2
    turned = _matrix(cos, sin * aspect, -sin / aspect, cos)
    # The stretch exp(A) of a symmetric matrix A without trace, along its axes.
    size = (along.square() + across.square()).sqrt() * math.log(2)
    growth = torch.where(size > 0, size.sinh() / size.clamp(min=1e-9), 1.0) * math.log(2)
    even, odd = -along * growth, -across * growth
    stretched = _matrix(size.cosh() + even, odd * aspect, odd / aspect, size.cosh() - even)
    scaled = torch.exp2(-scale)[:, None, None] * turned @ stretched
    mirrored = torch.stack([1 - 2 * mirror, torch.ones_like(mirror)], 1)[:, :, None] * scaled
    return torch.cat([mirrored, -mirrored @ moved], 2)


def _matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Float[Tensor, "batch 2 2"]:
    return torch.stack([torch.stack([a, b], 1), torch.stack([c, d], 1)], 1)
