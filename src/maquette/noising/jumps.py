"""Jumps: from one level of noise to a much lower one by asking a network once.

A network that is told how far to jump learns to jump from itself: one jump leads where two of half
its length lead, and the shortest trusts the network that only takes noise off ("shortcut models",
Frans et al. 2024, equation 4; for any two parts of a jump SplitMeanFlow, Guo et al. 2025). In the
straight blend of levels.py a jump from `share` to `following` is the picture it aims at,

    y_following = aim + following / share (y - aim)

and the aim of two jumps is a mean of theirs, so that it stays a picture within [-1, 1].
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from maquette.core.images import Images, Seeds
from maquette.core.randomness import uniform
from maquette.noising.schedules import Levels, Schedule

FINEST = 8  # shortest jumps from noise to a picture
KINDS = 4  # lengths: 1, 2, 4 and 8 of these
STEPS = tuple(FINEST >> number for number in range(KINDS))  # 8, 4, 2, 1: steps to a picture

Shares = Float[Tensor, " batch"]
Kinds = Int[Tensor, " batch"]  # 1 to 4, the length of a jump doubling; 0 takes noise off


@dataclass(frozen=True)
class Jumps:
    """One jump for each picture, made of two: over `middle`."""

    chosen: Bool[Tensor, " batch"]  # pictures that learn a jump
    kinds: Kinds  # 0 for the others
    starts: Shares
    middles: Shares
    ends: Shares

    def at(self, rows: Int[Tensor, " rows"]) -> "Jumps":
        """Those of some pictures."""
        return Jumps(*(getattr(self, each.name)[rows] for each in fields(self)))


def jump_levels(schedule: Schedule) -> Levels:
    """float64 (9,): evenly spaced shares from the noisiest one sampled down to 0."""
    return torch.linspace(float(schedule.path(1)[0]), 0.0, FINEST + 1, dtype=torch.float64)


def jump_path(schedule: Schedule, steps: int) -> list[float]:
    """The levels that `steps` jumps visit; one of STEPS."""
    path: list[float] = jump_levels(schedule)[:: FINEST // steps].tolist()
    return path


def kind_of(steps: int) -> int:
    """Of the jumps that lead to a picture in so many of STEPS."""
    return STEPS.index(steps) + 1


def drawn_jumps(schedule: Schedule, seeds: Seeds, part: float) -> Jumps:
    """Each picture's seed decides whether it is among this part, and which jump it learns: every
    length as often as the others, every place of that length too."""
    chance, length, place = uniform(seeds, 3, stream="jump").unbind(1)
    chosen = chance < part
    kinds = (1 + (length * KINDS).long()) * chosen
    long = 2 ** (kinds - 1).clamp(min=0)  # in shortest jumps
    begin = (place * (FINEST // long)).long() * long
    levels = jump_levels(schedule).to(seeds.device)
    starts, ends = levels[begin], levels[begin + long]
    return Jumps(chosen, kinds, starts.float(), ((starts + ends) / 2).float(), ends.float())


def jumped(aim: Images, y: Images, shares: Shares, following: Shares) -> Images:
    """Where a jump leads."""
    return torch.lerp(aim, y, (following / shares)[:, None, None, None])


def joined(first: Images, second: Images, jumps: Jumps) -> Images:
    """The aim of a jump that leads where `first`, and then from the middle `second`, lead.

    Both written out with `jumped` and solved for the aim.
    """
    of_second = (1 - jumps.ends / jumps.middles) / (1 - jumps.ends / jumps.starts)
    return torch.lerp(first, second, of_second[:, None, None, None])
