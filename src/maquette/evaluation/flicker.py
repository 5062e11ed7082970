"""Flicker: how much a film changes from frame to frame beyond what moves in it.

The warping error of Lai et al. 2018 ("Learning blind video temporal consistency", eq. 11): each
frame beside the one before, warped along the motion of the source, where the source itself agrees.
A translation flickers by as much as it exceeds its source, measured in the same places.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from maquette.core.images import Images

Held = Float[Tensor, "batch 1 height width"]

_AGREEING = 0.1  # largest difference of a source and its warped past that counts as the same thing


@dataclass(frozen=True)
class Flicker:
    """Sums over pairs of frames; those of two stretches of a film add up to those of both."""

    made: float = 0.0  # mean differences in grey levels, of a translation
    source: float = 0.0  # and of its source, in the same places
    pairs: int = 0

    def __add__(self, other: "Flicker") -> "Flicker":
        return Flicker(self.made + other.made, self.source + other.source, self.pairs + other.pairs)

    @property
    def made_levels(self) -> float:
        """Mean of a pair, 0 (perfectly steady) to 255; nan when there was no pair."""
        return self.made / self.pairs if self.pairs else float("nan")

    @property
    def source_levels(self) -> float:
        """The same of the source: no honest translation can be much steadier."""
        return self.source / self.pairs if self.pairs else float("nan")


def flicker_of_pair(
    source: Images, source_before: Images, made: Images, made_before: Images, within: Held
) -> Flicker:
    """Of one frame and the one before, both of the latter warped; `within` is 1 inside the film.

    All (1, C, H, W) in [-1, 1]. No pair when nothing agrees, as at a cut.
    """
    seen = same_thing(source, source_before) & (within > 0)
    if not bool(seen.any()):
        return Flicker()
    levels = [
        float((now - before).abs().mean(1, keepdim=True)[seen].mean()) * 127.5
        for now, before in ((made, made_before), (source, source_before))
    ]
    return Flicker(levels[0], levels[1], 1)


def same_thing(now: Images, before: Images) -> Bool[Tensor, "batch 1 height width"]:
    """Where a frame shows what its warped past shows: neither uncovered nor cut."""
    return torch.amax((now - before).abs(), 1, keepdim=True) <= _AGREEING
