"""Notices that training has gone wrong, while it does.

Rules and thresholds were calibrated on healthy and broken runs (docs/notebook.md): a spike must
last, because single outliers are normal for adversarial losses, and only accepted values move the
median. In a game of several players a loss that comes back to the level it began at, or had not
long ago, is no spike: one rises as another falls, and a discriminator that won may lose again.
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
LEVEL_HALFLIFE_STEPS = 500  # how soon a game forgets that a loss was high


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
        self._starts: dict[str, float] = {}  # the first full median of each loss of a game
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
                    f"{name} stayed above {self.settings.spike_factor:g} times its usual value "
                    f"({value:.3g} against {self._level(name):.3g}) for {patience} steps",
                )
        return None

    def _spike_lasts(self, name: str, value: float, *, is_game: bool) -> bool:
        """SPIKE(k, p): above k levels and 8 robust deviations, p times in a row.

        The level is the running median; in a game, the highest of it, of what it was at first, and
        of its earlier values, which count for half after every half-life.
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
            faded = self._levels.get(name, middle) * 0.5 ** (1 / LEVEL_HALFLIFE_STEPS)
            self._levels[name] = max(middle, faded) if is_game else middle
            if is_game and len(accepted) == self.settings.least_steps:
                self._starts.setdefault(name, middle)
        return False

    def _limit(self, name: str) -> float:
        accepted = self._accepted[name]
        middle = median(accepted)
        deviation = 1.4826 * median(abs(value - middle) for value in accepted)
        return max(self.settings.spike_factor * self._level(name), middle + 8 * deviation)

    def _level(self, name: str) -> float:
        return max(self._levels[name], self._starts.get(name, self._levels[name]))

    def state(self) -> dict[str, Any]:
        return {
            "accepted": {name: list(values) for name, values in self._accepted.items()},
            "starts": dict(self._starts),
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
        self._starts = dict(state.get("starts", self._levels if len(medians) > 1 else {}))
        self._spikes = dict(state["spikes"])
