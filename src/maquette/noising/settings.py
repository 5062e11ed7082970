"""How noise is added and asked for, as settings of every family that learns to take it off."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field, model_validator

from maquette.core.errors import SettingsError
from maquette.core.settings import Settings
from maquette.noising.checking import complaint
from maquette.noising.schedules import (
    Schedule,
    Steps,
    cosine_betas,
    edm,
    flow,
    linear_betas,
    sigmoid_betas,
)
from maquette.noising.targets import TargetName, WeightName

NUMBERED = ("linear", "cosine", "sigmoid")  # schedules of numbered steps
ScheduleName = Literal["linear", "cosine", "sigmoid", "edm", "flow"]


class NoiseSettings(Settings):
    """How noise is added, and what a network is asked about it."""

    schedule: ScheduleName = "edm"
    """How noise is added: linear, cosine and sigmoid in numbered steps; edm and flow gradually."""

    steps: int = Field(default=1000, ge=2, le=100_000)
    """Numbered steps from a picture to noise (linear, cosine, sigmoid)."""

    beta_min: float = Field(default=1e-4, gt=0, lt=1)
    """Variance of the noise added by the first step (linear)."""

    beta_max: float = Field(default=0.02, gt=0, lt=1)
    """Variance of the noise added by the last step (linear)."""

    noise_mean: float = Field(default=-1.2, ge=-10, le=10)
    """Logarithm of the noise-to-signal ratio that is learnt most (edm; 0 is usual for flow)."""

    noise_spread: float = Field(default=1.2, gt=0, le=10)
    """Standard deviation of that logarithm (edm; 1 is usual for flow)."""

    sigma_min: float = Field(default=0.002, gt=0, lt=1)
    """Least noise while sampling, as a standard deviation beside the picture's values (edm)."""

    sigma_max: float = Field(default=80.0, ge=1, le=10_000)
    """Most noise while sampling (edm)."""

    target: TargetName = "edm"
    """What the network predicts: epsilon (the noise), v, x0 (the picture), edm or flow."""

    weighting: WeightName = "even"
    """What counts how much: even (each target's usual loss) or min_snr (Hang et al. 2023)."""

    @model_validator(mode="after")
    def _fits_together(self) -> "NoiseSettings":
        if self.schedule == "linear" and self.beta_min > self.beta_max:
            raise ValueError("beta_min is above beta_max: swap them")
        if self.target == "epsilon" and self.schedule == "flow":
            raise ValueError(
                "pure noise, from which schedule flow begins, says nothing about a picture to a "
                "network that predicts noise: take target v, x0, edm or flow instead of epsilon"
            )
        return self


def noise_schedule(s: NoiseSettings) -> Schedule:
    """The schedule the settings describe, whether it can teach anything or not."""
    choices: dict[ScheduleName, Callable[[], Schedule]] = {
        "linear": lambda: Steps(linear_betas(s.steps, s.beta_min, s.beta_max)),
        "cosine": lambda: Steps(cosine_betas(s.steps)),
        "sigmoid": lambda: Steps(sigmoid_betas(s.steps)),
        "edm": lambda: edm(s.noise_mean, s.noise_spread, s.sigma_min, s.sigma_max),
        "flow": lambda: flow(s.noise_mean, s.noise_spread),
    }
    return choices[s.schedule]()


def teaching_schedule(s: NoiseSettings) -> Schedule:
    """The schedule the settings describe; SettingsError for one that no network could learn from.

    Refused where a family is made and not where a recipe is read, so that a recipe with a broken
    schedule can still be drawn by `maquette schedule`.
    """
    schedule = noise_schedule(s)
    if problem := complaint(schedule, s.schedule):
        raise SettingsError(problem)
    return schedule
