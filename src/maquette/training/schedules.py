"""Learning rates as functions of progress: what the rate is, never how it changes.

Nothing is stepped, so nothing can be stepped past its end: a linear decay that ran an epoch too far
goes negative and multiplies every loss by a thousand. Every law here stays in [0, highest].
"""

from abc import abstractmethod
from bisect import bisect_right
from itertools import accumulate
from math import cos, pi
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from maquette.core.family import Progress
from maquette.core.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class ScheduleSettings(Settings):
    """What all schedules share: a linear warm-up."""

    warmup_images: int = Field(default=0, ge=0)
    """Images over which the rate rises linearly from zero."""

    def rate(self, base: float, progress: Progress) -> float:
        """The learning rate at this progress, for a player whose own rate is `base`."""
        warm = min(1.0, (progress.images + 1) / (self.warmup_images + 1))
        rate = warm * self.law(base, progress)
        assert 0 <= rate <= self.highest(base), f"learning rate {rate} left its law"
        return rate

    def highest(self, base: float) -> float:
        """The largest rate this schedule ever gives."""
        return base

    @abstractmethod
    def law(self, base: float, progress: Progress) -> float:
        """The rate before warm-up."""


class Constant(ScheduleSettings):
    """The same rate from beginning to end."""

    kind: Literal["constant"] = "constant"

    def law(self, base: float, progress: Progress) -> float:  # noqa: ARG002
        return base


class LinearDecay(ScheduleSettings):
    """Constant, then falling in a straight line to zero at the end (CycleGAN's)."""

    kind: Literal["linear_decay"] = "linear_decay"
    start: Share = 0.5
    """Fraction of training after which the rate begins to fall."""

    def law(self, base: float, progress: Progress) -> float:
        if progress.fraction <= self.start:
            return base
        return base * max(0.0, (1 - progress.fraction) / (1 - self.start))


class Cosine(ScheduleSettings):
    """Falling along half a cosine (Loshchilov and Hutter 2017, equation 5)."""

    kind: Literal["cosine"] = "cosine"
    final: Share = 0.0
    """Share of the rate that is left at the end."""

    def law(self, base: float, progress: Progress) -> float:
        swing = (1 + cos(pi * min(1.0, progress.fraction))) / 2
        return base * min(1.0, self.final + (1 - self.final) * swing)


class Phase(Settings):
    """One stretch of a `phases` schedule."""

    learning_rate: float = Field(gt=0, le=10)
    """Rate during this phase, for every player."""
    epochs: PositiveFloat
    """Length in passes over the dataset (of two domains the smaller one); the proportion counts
    when a time budget stretches it."""


class Phases(ScheduleSettings):
    """A list of rates and their epochs, e.g. 2e-4 for 300, 1e-4 for 200, 1e-5 for 100."""

    kind: Literal["phases"] = "phases"
    phases: tuple[Phase, ...] = Field(min_length=1)
    """The phases in order; together they are the whole training."""

    @property
    def total_epochs(self) -> float:
        return sum(phase.epochs for phase in self.phases)

    def highest(self, base: float) -> float:  # noqa: ARG002
        return max(phase.learning_rate for phase in self.phases)

    def law(self, base: float, progress: Progress) -> float:  # noqa: ARG002
        ends = list(accumulate(phase.epochs for phase in self.phases))
        position = bisect_right(ends, progress.fraction * self.total_epochs)
        return self.phases[min(position, len(ends) - 1)].learning_rate


class TableRow(Settings):
    """One line of a `table` schedule."""

    from_epoch: float = Field(ge=0)
    """Epoch from which this rate holds."""
    learning_rate: float = Field(gt=0, le=10)
    """Rate for every player."""


class Table(ScheduleSettings):
    """The rate from epoch N on, up and down as wished."""

    kind: Literal["table"] = "table"
    rows: tuple[TableRow, ...] = Field(min_length=1)
    """Rows by rising epoch; the first holds from epoch 0."""

    @model_validator(mode="after")
    def _rows_rise_from_zero(self) -> "Table":
        starts = [row.from_epoch for row in self.rows]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("rows must begin at from_epoch 0 and rise")
        return self

    def highest(self, base: float) -> float:  # noqa: ARG002
        return max(row.learning_rate for row in self.rows)

    def law(self, base: float, progress: Progress) -> float:  # noqa: ARG002
        starts = [row.from_epoch for row in self.rows]
        return self.rows[bisect_right(starts, progress.epochs) - 1].learning_rate


Schedule = Annotated[Constant | LinearDecay | Cosine | Phases | Table, Field(discriminator="kind")]
