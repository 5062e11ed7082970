"""Whether a schedule can teach anything, told before a training starts.

A network that mostly sees pure noise learns to paint grey; one that never sees it cannot begin from
noise (Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed").
"""

from collections.abc import Mapping

import torch

from maquette.noising.levels import signal_left
from maquette.noising.schedules import Levels, Schedule, Steps

GONE = 0.01  # of the variance: less signal than this is none
EARLY = 0.4  # of the steps, by which there must be some
LEFT = 0.05  # of the variance: more than this at the end is too much
POINTS = 1000

# The settings that mend a schedule: (information goes too early, too much is left where sampling
# begins, too much is left at the noisiest that is learnt from).
MENDS: Mapping[str, tuple[str, str, str]] = {
    "linear": (
        "lower model.beta_max",
        "raise model.beta_max or model.steps",
        "raise model.beta_max or model.steps",
    ),
    "cosine": ("raise model.steps", "raise model.steps", "raise model.steps"),
    "sigmoid": ("raise model.steps", "raise model.steps", "raise model.steps"),
    "edm": (
        "lower model.noise_mean",
        "raise model.sigma_max",
        "raise model.noise_mean or model.noise_spread",
    ),
    # Sampling begins with noise alone, whatever the settings are.
    "flow": ("lower model.noise_mean", "", "raise model.noise_mean or model.noise_spread"),
}


def curve(schedule: Schedule, points: int = POINTS) -> Levels:
    """Signal left (share of the variance) at evenly spaced steps of training, from 1 to about 0."""
    quantiles = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    return signal_left(schedule.shares(quantiles))


def complaint(schedule: Schedule, name: str) -> str | None:
    """What is wrong with the schedule and which setting mends it; None if all is well.

    `name` is how a recipe calls it.
    """
    too_early, too_near, too_little = MENDS[name]
    left = curve(schedule)
    gone_at = float((left >= GONE).double().mean())  # share of the steps with information
    if gone_at < EARLY:
        if name == "linear" and _first_step_is_too_much(schedule):
            too_early = "lower model.beta_min, then model.beta_max"
        return (
            f"the {name} noise schedule leaves less than {GONE:.0%} of the signal after "
            f"{gone_at:.0%} of its steps, so most of training would be on pure noise: {too_early}"
        )
    for still, mend in ((signal_left(schedule.path(1)[0]), too_near), (left[-1], too_little)):
        if still > LEFT:
            return (
                f"the {name} noise schedule still leaves {float(still):.0%} of the signal at its "
                f"end, so pictures could not begin from noise: {mend}"
            )
    return None


def _first_step_is_too_much(schedule: Schedule) -> bool:
    """Whether steps that all add as little as the first one would still destroy it too early."""
    assert isinstance(schedule, Steps)
    steps = int(EARLY * len(schedule.betas))
    return float(1 - schedule.betas[0]) ** steps < GONE
