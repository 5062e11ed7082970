"""How far training has come: by steps, or by the hours it was given.

With a time budget the fraction is time used over time given, so every schedule stretches over it.
A reserve is kept back for the last checkpoint, previews and report.
"""

import time

from maquette.core.family import Progress
from maquette.training.settings import TrainingSettings


class Clock:
    """Seconds trained so far (all sessions of the run together) and the progress they mean."""

    def __init__(self, settings: TrainingSettings, pictures: int):
        self.steps = settings.planned_steps(pictures)
        self.batch_size = settings.batch_size
        self.epochs_a_step = settings.batch_size / pictures
        self.is_planned = settings.gives_length  # or else the hours alone end it
        self.budget_seconds = None if settings.hours is None else settings.hours * 3600
        self._before = 0.0
        self._started = time.monotonic()
        self._reserve = 0.0

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def start(self, seconds_before: float) -> None:
        """Begin a session of a run that has already trained for so long."""
        self._before, self._started = seconds_before, time.monotonic()

    def keep_back(self, seconds: float) -> None:
        """Leave room at the end for work that takes this long (twice, to be safe)."""
        self._reserve = max(self._reserve, 2 * seconds)

    def progress(self, step: int) -> Progress:
        if self.budget_seconds is None:
            fraction = min(1.0, step / self.steps)
        else:
            reserve = min(self._reserve + 5, 0.25 * self.budget_seconds)
            fraction = min(1.0, self.seconds / (self.budget_seconds - reserve))
        return self.progress_at(step, fraction)

    def progress_at(self, step: int, fraction: float) -> Progress:
        """The progress of a step, this fraction of the way; a plan's epochs stretch with it."""
        steps = fraction * self.steps if self.is_planned else step
        return Progress(step, step * self.batch_size, fraction, steps * self.epochs_a_step)
