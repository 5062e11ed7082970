"""The contract between a model family and everything around it.

A family is some networks, the losses that train them and what they can do once trained. It *yields*
its losses in the order its players take turns; the training loop does backward and step between two
yields, so a family never sees an optimizer, a device or a precision.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.errors import DatasetError
from maquette.core.images import Batch, Images, ImageSpec, Kept, Labels, Scalar, Seeds, Shares
from maquette.core.settings import Settings as AnySettings


@dataclass(frozen=True)
class Update:
    """One loss for one player to reduce, now."""

    player: str  # name of a child network of the family
    loss: Scalar
    notes: Mapping[str, Scalar] = field(default_factory=dict)  # for the history, not for learning
    # By name of the player's parameter, from families that differentiate by hand: the gradient of
    # the loss. None lets autograd find it.
    gradients: Mapping[str, Tensor] | None = None


@dataclass(frozen=True)
class Progress:
    """How far training has come. Schedules are functions of this and of nothing else."""

    step: int
    images: int  # training images seen so far
    fraction: float  # from 0 at the first step to 1 at the last
    epochs: float = 0.0  # passes over the dataset the whole plan amounts to, times fraction


class Family(nn.Module, ABC):
    """Networks, the losses that train them, and what they can do once trained.

    Every direct child with trainable parameters is a player: it gets its own optimizer. Whatever
    else must survive an interruption is a buffer.
    """

    Settings: ClassVar[type[AnySettings]]
    made_for_classes: ClassVar[bool] = False  # learns without them too, but that is not its point

    def __init__(self, settings: AnySettings, spec: ImageSpec):
        super().__init__()
        self.settings, self.spec = settings, spec

    @classmethod
    def for_saved_weights(cls, settings: AnySettings, spec: ImageSpec) -> "Family":
        """One whose weights will be replaced: none are fetched from elsewhere to begin with."""
        return cls(settings, spec)

    @classmethod
    def learns_unlabelled(cls, settings: AnySettings) -> bool:  # noqa: ARG003
        """Whether pictures without a label (-1) teach it anything; else it is shown none."""
        return False

    @classmethod
    def objection(cls, settings: AnySettings, last: Progress, mirrored: bool) -> str | None:  # noqa: ARG003
        """Why a new training with these settings would come to nothing good; None if it may.

        It takes its last step at `last`, and half of its pictures are flipped where `mirrored`.
        """
        return None

    @abstractmethod
    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        """Yield losses in the order the players take turns.

        The loop updates the named player before asking for the next loss. Draw randomness from
        `batch.seeds` with `maquette.core.randomness`. Do not yield inside a `with` block: its
        effect would leak into the loop.
        """

    @abstractmethod
    def preview(self, batch: Batch) -> Images:
        """Pictures that show a person how well training is going; same seeds, same pictures."""

    def players(self) -> dict[str, nn.Module]:
        return {
            name: child
            for name, child in self.named_children()
            if any(p.requires_grad for p in child.parameters())
        }

    def compilable(self) -> Iterable[str]:
        """Names of the submodules that `training.compile` may compile: those never differentiated
        twice."""
        return self.players()

    def complete_from(self) -> float:
        """Share of training before which it does not know yet all that it is to know: a score from
        before chooses nothing."""
        return 0.0

    def steering(self) -> list[Tensor]:
        """Float buffers that decide which losses the next step yields.

        The loop averages them over processes after every turn, extra ones too, because all must
        yield the same players in the same order; for the same reason a step reads them before its
        first loss, and changes them after its last.
        """
        return []

    def concerns(self, recent: Mapping[str, Sequence[float]]) -> Iterator[str]:  # noqa: ARG002
        """What a person should hear about the last losses and notes: "topic: what, and advice".

        `recent` holds the last 100 values of each loss (by player) and each note.
        """
        yield from ()


class OwnStep(nn.Module, ABC):
    """A player that takes its optimizer's steps itself, for families written out by hand.

    The loop adds up, averages and clips its gradients as everybody's; the rate is the schedule's.
    """

    @abstractmethod
    def step(self, rate: float, memory: dict[str, Tensor]) -> None:
        """Move every parameter along its `.grad`, in place. Nothing is recorded for autograd.

        `memory` holds what earlier steps left in it; it is empty at first, and in checkpoints.
        """


class Generates(Family):
    """A family that makes pictures out of seeds."""

    @abstractmethod
    def generate(self, labels: Labels | None, seeds: Seeds) -> Images:
        """One picture per seed, on the seeds' device, depending on that seed and label alone.

        `labels` is given exactly when the spec has classes.
        """


class Varies(Generates):
    """A family that also makes pictures out of pictures."""

    @abstractmethod
    def vary(
        self,
        images: Images,
        labels: Labels | None,
        seeds: Seeds,
        strength: float,
        kept: Kept | None = None,
    ) -> Images:
        """One picture for each, like it: `strength` 0 leaves it as it is, 1 makes it quite anew.

        Without labels they are of no class in particular. Where `kept` is 1 the picture stays as it
        was, and what is made beside it continues it. Each depends on its own picture, label, seed
        and part of `kept` alone.
        """


class Blends(Generates):
    """A family that makes pictures out of latents, and knows what lies between two of them."""

    def shares(self, labels: Labels | None) -> Shares | None:
        """What `blend` is given for pictures of one class each; None where the spec has none."""
        if labels is None or not self.spec.classes:
            return None
        return F.one_hot(labels, len(self.spec.classes)).float()

    @abstractmethod
    def latents(self, seeds: Seeds) -> Float[Tensor, "batch latents"]:
        """The standard normal numbers that `generate` makes each seed's picture from."""

    @abstractmethod
    def blend(self, latents: Float[Tensor, "batch latents"], shares: Shares | None) -> Images:
        """One picture for each row: `generate` where the latents are a seed's and one class has the
        whole share. `shares` is given exactly when the spec has classes."""


class Translates(Family):
    """A family that turns pictures of one domain into pictures of another."""

    directions: ClassVar[tuple[str, ...]] = ("a_to_b", "b_to_a")  # those it learns

    @abstractmethod
    def translate(self, images: Images, direction: str) -> Images:
        """The same pictures in the other domain, same size; direction is one of `directions`."""


class Classifies(Family):
    """A family that names the class of a picture."""

    temperature: Tensor

    def __init__(self, settings: AnySettings, spec: ImageSpec):
        """DatasetError when the spec has fewer than two classes."""
        super().__init__(settings, spec)
        if len(spec.classes) < 2:
            raise DatasetError(
                "to learn to tell classes apart, a dataset needs two or more: build it from "
                "folders named after them, or with --label-table"
            )
        # Stays 1 while training; a run sets what it found on held-out pictures (Guo et al. 2017).
        self.register_buffer("temperature", torch.ones(()))

    @abstractmethod
    def logits(self, images: Images) -> Float[Tensor, "batch classes"]:
        """Unnormalised log-probabilities."""

    def classify(self, images: Images) -> Float[Tensor, "batch classes"]:
        """Probabilities, each row summing to 1, as sure as the temperature says."""
        return (self.logits(images).float() / self.temperature).softmax(1)
