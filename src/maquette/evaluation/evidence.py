"""What metrics of generators look at: the pictures made, real ones, and pictures of nothing."""

from dataclasses import dataclass

import torch

from maquette.core.images import Labels, Pixels
from maquette.core.randomness import derived_seed
from maquette.evaluation.features import Features


@dataclass(frozen=True)
class Seen:
    """Pictures and what the feature network makes of them."""

    pixels: Pixels  # on the CPU
    features: Features
    labels: Labels | None = None  # for generated pictures the classes asked for

    def __len__(self) -> int:
        return len(self.pixels)

    def at(self, rows: torch.Tensor) -> "Seen":
        """Some of them."""
        labels = None if self.labels is None else self.labels[rows]
        return Seen(self.pixels[rows], self.features[rows], labels)


@dataclass(frozen=True)
class Evidence:
    """Everything about one model at one moment."""

    generated: Seen
    noise: Seen  # as many, every value drawn by itself: the floor
    train: Seen
    holdout: Seen
    mirrored: Features  # of the training pictures, flipped left to right
    features: str  # network, hash of its weights, and resizer
    network: str  # its name alone, for the names of numbers
    classes: tuple[str, ...] = ()

    def halves(self) -> tuple[Seen, Seen]:
        """Two equal parts of all real pictures, drawn at random, none larger than what was made.

        A distance depends on how many pictures it is taken from, so the same numbers are used for
        real against real as for generated against real.
        """
        order = torch.randperm(
            len(self.train) + len(self.holdout),
            generator=torch.Generator().manual_seed(derived_seed(0, "halves of the real")),
        )
        size = min(len(order) // 2, len(self.generated))
        real = self.real()
        return real.at(order[:size]), real.at(order[size : 2 * size])

    def real(self) -> Seen:
        """All of them."""
        parts = (self.train, self.holdout)
        labels = [part.labels for part in parts if part.labels is not None]
        return Seen(
            torch.cat([part.pixels for part in parts]),
            torch.cat([part.features for part in parts]),
            torch.cat(labels) if len(labels) == len(parts) else None,
        )
