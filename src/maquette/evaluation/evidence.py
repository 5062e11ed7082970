"""What metrics look at: what a model made or answered, real pictures, and what nothing scores.

`Evidence` is of pictures that were made; a translator gives one for each of its directions, whose
floor is the pictures left as they were. `Answers` is of a classifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Labels, Pixels
from maquette.core.randomness import derived_seed
from maquette.evaluation.features import Features
from maquette.evaluation.types import GeneratedPixels


@dataclass(frozen=True)
class Seen:
    """Pictures and what the feature network makes of them."""

    pixels: Pixels  # on the CPU
    features: Features
    labels: Labels | None = None  # for generated pictures the classes asked for; -1: not known

    def __len__(self) -> int:
        return len(self.pixels)

    def at(self, rows: torch.Tensor) -> "Seen":
        """Some of them."""
        labels = None if self.labels is None else self.labels[rows]
        return Seen(self.pixels[rows], self.features[rows], labels)

    def labelled(self) -> "Seen":
        """Those whose label is known; itself where all are, or where there are no labels."""
        if self.labels is None or bool((self.labels >= 0).all()):
            return self
        return self.at((self.labels >= 0).nonzero()[:, 0])


@dataclass(frozen=True)
class Evidence:
    """Pictures that one model made at one moment."""

    generated: Seen
    noise: Seen  # as many for nothing, the floor: every value drawn by itself, or untranslated
    train: Seen
    holdout: Seen
    mirrored: Features  # of the training pictures, flipped left to right
    features: str  # network, hash of its weights, and resizer
    network: str  # its name alone, for the names of numbers
    classes: tuple[str, ...] = ()
    foreign: bool = False  # held-out pictures of another dataset: they alone are compared with

    def halves(self) -> tuple[Seen, Seen]:
        """Two equal parts of all real pictures, drawn at random, none larger than what was made.

        A distance depends on how many pictures it is taken from, so the same numbers are used for
        real against real as for generated against real.
        """
        real = self.real()
        order = torch.randperm(
            len(real),
            generator=torch.Generator().manual_seed(derived_seed(0, "halves of the real")),
        )
        size = min(len(order) // 2, len(self.generated))
        return real.at(order[:size]), real.at(order[size : 2 * size])

    def real(self) -> Seen:
        """All to compare with: training and held-out ones, unless these are another dataset's."""
        if self.foreign:
            return self.holdout
        parts = (self.train, self.holdout)
        labels = [part.labels for part in parts if part.labels is not None]
        return Seen(
            torch.cat([part.pixels for part in parts]),
            torch.cat([part.features for part in parts]),
            torch.cat(labels) if len(labels) == len(parts) else None,
        )


@dataclass(frozen=True)
class Translation:
    """One direction of a translator. Its `pictures` are of the domain that it translates to.

    There, `generated` are the translations, `noise` the pictures they were made from, in the same
    order, and the real ones those of the target domain.
    """

    name: str  # "A → B"
    pictures: Evidence
    unchanged: Pixels  # the held-out target pictures, asked to become what they are already
    returned: GeneratedPixels | None  # translated back; None where there is no way back


@dataclass(frozen=True)
class Answers:
    """What a classifier says of pictures it did not learn from."""

    pixels: Pixels  # on the CPU
    logits: Float[Tensor, "batch classes"]  # on the CPU, not divided by the temperature
    labels: Labels
    temperature: float  # what the model divides them by when it answers
    foreign: bool  # of another dataset; on held-out ones of its own, temperatures are fitted
    classes: tuple[str, ...]  # their names
    # For drawings whose strokes are known: what it says after each share of their points.
    unfinished: Mapping[float, Float[Tensor, "batch classes"]] = field(default_factory=dict)
