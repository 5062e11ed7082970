"""Notices that training has gone wrong, while it does.

Rules and thresholds were calibrated on healthy and broken runs (docs/notebook.md): a spike must
last, because single outliers are normal for adversarial losses, and only accepted values move the
median.
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
        self._spikes: dict[str, int] = {}

    def observe(self, step: int, values: Mapping[str, float]) -> Alarm | None:
        """Take in one step's losses and gradient norms; say if they mean that training broke."""
        if not self.settings.enabled:
            return None
        for name, value in values.items():
            if not isfinite(value):
                return Alarm(step, f"{name} is {value}")
            if name.endswith(GRADIENT):
                continue  # their size varies too much to judge
            if self._spike_lasts(name, value):
                limit = median(self._accepted[name])
                patience = self.settings.patience_steps
                return Alarm(
                    step - patience + 1,
                    f"{name} stayed above {self.settings.spike_factor:g} times its median "
                    f"({value:.3g} against {limit:.3g}) for {patience} steps",
                )
        return None

    def _spike_lasts(self, name: str, value: float) -> bool:
        """SPIKE(k, p): above k medians and 8 robust deviations, p times in a row."""
        accepted = self._accepted.setdefault(name, deque(maxlen=self.settings.window_steps))
        if len(accepted) >= self.settings.least_steps and value > self._limit(accepted):
            self._spikes[name] = self._spikes.get(name, 0) + 1
        else:
            self._spikes[name] = 0
            accepted.append(value)
        return self._spikes[name] >= self.settings.patience_steps

    def _limit(self, accepted: deque[float]) -> float:
        middle = median(accepted)
        deviation = 1.4826 * median(abs(value - middle) for value in accepted)
        return max(self.settings.spike_factor * middle, middle + 8 * deviation)

    def state(self) -> dict[str, Any]:
        return {
            "accepted": {name: list(values) for name, values in self._accepted.items()},
            "spikes": dict(self._spikes),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._accepted = {
            name: deque(values, maxlen=self.settings.window_steps)
            for name, values in state["accepted"].items()
        }
        self._spikes = dict(state["spikes"])
