"""Notices that training has gone wrong, while it does.

Rules and thresholds were calibrated on healthy and broken runs (docs/notebook.md): a spike must
last, because single outliers are normal for adversarial losses, and only accepted values move the
median. In a game of several players a loss that comes back to a level it once had is no spike: one
rises as another falls, and a discriminator that won may lose again.
The guard only judges; going back is the trainer's work. It is state, and travels in checkpoints.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import median
from typing import Any

from maquette.training.settings import GuardSettings

GRADIENT = "/gradient_norm"  # ending of the names of gradient norms among the watched values


@dataclass(frozen=True)
class Alarm:
    """Training went wrong."""

    step: int  # of the first bad value
    cause: str  # one clause, for a person


class Guard:
    """Watches every loss and gradient norm of every step, in order."""

    def __init__(self, settings: GuardSettings):
        self.settings = settings
        self._accepted: dict[str, deque[float]] = {}
        self._levels: dict[str, float] = {}  # what spikes of each loss are measured by
        self._spikes: dict[str, int] = {}

    def observe(self, step: int, values: Mapping[str, float]) -> Alarm | None:
        """Take in one step's losses and gradient norms; say if they mean that training broke."""
        if not self.settings.enabled:
            return None
        for name, value in values.items():
            if not isfinite(value):
                return Alarm(step, f"{name} is {value}")
        # Gradient norms vary too much for their size to be judged.
        losses = {name: value for name, value in values.items() if not name.endswith(GRADIENT)}
        patience = self.settings.patience_steps
        for name, value in losses.items():
            if self._spike_lasts(name, value, is_game=len(losses) > 1):
                return Alarm(
                    step - patience + 1,
                    f"{name} stayed above {self.settings.spike_factor:g} times its median "
                    f"({value:.3g} against {self._levels[name]:.3g}) for {patience} steps",
                )
        return None

    def _spike_lasts(self, name: str, value: float, *, is_game: bool) -> bool:
        """SPIKE(k, p): above k levels and 8 robust deviations, p times in a row.

        The level is the running median; in a game, the highest it has been so far.
        """
        accepted = self._accepted.setdefault(name, deque(maxlen=self.settings.window_steps))
        if len(accepted) >= self.settings.least_steps and value > self._limit(name):
            self._spikes[name] = self._spikes.get(name, 0) + 1
            return self._spikes[name] >= self.settings.patience_steps
        self._spikes[name] = 0
        accepted.append(value)
        # The first values of all are no level yet: it takes as many as it takes for an alarm.
        if len(accepted) >= min(self.settings.patience_steps, self.settings.least_steps):
            middle = median(accepted)
            self._levels[name] = max(middle, self._levels.get(name, middle)) if is_game else middle
        return False

    def _limit(self, name: str) -> float:
        accepted = self._accepted[name]
        middle = median(accepted)
        deviation = 1.4826 * median(abs(value - middle) for value in accepted)
        return max(self.settings.spike_factor * self._levels[name], middle + 8 * deviation)

    def state(self) -> dict[str, Any]:
        return {
            "accepted": {name: list(values) for name, values in self._accepted.items()},
            "levels": dict(self._levels),
            "spikes": dict(self._spikes),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._accepted = {
            name: deque(values, maxlen=self.settings.window_steps)
            for name, values in state["accepted"].items()
        }
        medians = {name: median(values) for name, values in self._accepted.items() if values}
        self._levels = dict(state.get("levels", medians))  # older checkpoints have none
        self._spikes = dict(state["spikes"])
