"""What can be done to the normal numbers pictures are made from: go between, and keep close."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def between(
    start: Float[Tensor, " latents"],
    end: Float[Tensor, " latents"],
    along: Float[Tensor, "steps 1"],
) -> Float[Tensor, "steps latents"]:
    """Points on the arc from `start` (along 0) to `end` (along 1), as long as normal numbers are.

    A straight line would pass near 0, where hardly any of them lie (White 2016, "Sampling
    Generative Networks", section 2.1: slerp).
    """
    cosine: Tensor = torch.dot(start, end) / (start.norm() * end.norm())
    angle = cosine.clamp(-1, 1).acos()
    if angle.sin() < 1e-4:  # the same direction, or the opposite one: there is no arc to choose
        return torch.lerp(start, end, along)
    arc: Tensor = ((1 - along) * angle).sin() * start + (along * angle).sin() * end
    way: Tensor = arc / angle.sin()
    return way


def truncated(
    latents: Float[Tensor, "batch latents"], most: float
) -> Float[Tensor, "batch latents"]:
    """Normal numbers made into ones that are normal on [-most, most] and never outside.

    Each moves to the same rank of the truncated distribution, so that a seed stays a like picture;
    Brock et al. 2019 (section 3.1) draw again instead.
    """
    share = math.erf(most / math.sqrt(2))  # of all normal numbers that lie within
    exact = latents.float() if latents.device.type == "mps" else latents.double()  # all it has
    ranks = torch.erf(exact / math.sqrt(2)) * share
    values = math.sqrt(2) * torch.erfinv(ranks)
    return values.clamp(-most, most).to(latents.dtype)
