"""What gives a score while training, whatever the capability."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from maquette.core.family import Family
from maquette.core.randomness import derived_seed


@dataclass(frozen=True)
class Scored:
    """Numbers for the history, with a "score" (lower is better), and sentences of warning.

    Where "x" is uncertain, "x_low" and "x_high" are the ends of its 95 % interval.
    """

    scores: dict[str, float]
    warnings: tuple[str, ...] = ()


class Scorer(ABC):
    """Judges weights by held-out pictures, at any moment of training.

    It needs no downloaded network, and held-out pictures, so memorising the training pictures does
    not help.
    """

    count: int  # pictures it judges by; of two domains the smaller number

    @abstractmethod
    def judge(self, family: Family, fraction: float) -> Scored:
        """`fraction` of the training is over."""

    def mark(self) -> dict[str, Any]:
        """What to remember in a checkpoint so that `rewind` can return to this moment."""
        return {}

    def rewind(self, mark: Mapping[str, Any]) -> None:  # noqa: B027
        """Return to a mark."""


def picture_rows(available: int, wanted: int, seed: int) -> torch.Tensor:
    """At most `wanted` row numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(derived_seed(seed, "scored rows"))
    return torch.randperm(available, generator=generator)[:wanted].sort().values
