"""Noise schedules: at which levels a network learns, and through which levels a picture is made.

Two kinds. `Steps` are the numbered levels of DDPM, made from a list of betas (linear, cosine,
sigmoid). `Spread` has all levels between two ends, learnt as often as a bell curve over the
logarithm of EDM's sigma says; EDM and rectified flow are both of this kind, since sigma is
share / (1 - share) and so a log-normal sigma is a logit-normal share.
"""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.errors import SettingsError
from maquette.noising.levels import share_of_sigma, share_of_signal

Levels = Float[Tensor, " levels"]


class Schedule(ABC):
    """Levels to learn at and to sample through; all are shares of noise (noising/levels.py)."""

    @abstractmethod
    def shares(self, quantiles: Levels) -> Levels:
        """The level at each quantile of training: of uniform numbers in [0, 1), what to learn."""

    @abstractmethod
    def clock(self, shares: Levels) -> Levels:
        """What the network is told of a level: 0 to about 1000."""

    @abstractmethod
    def path(self, steps: int) -> Levels:
        """float64 (steps + 1,): the levels a sampler visits, from the noisiest down to 0."""


class Steps(Schedule):
    """Numbered levels; each step adds noise of variance beta (Ho et al. 2020, equation 2)."""

    def __init__(self, betas: Levels):
        self.betas = betas.double()
        self.signal_left = (1 - self.betas).cumprod(0)  # alpha-bar, float64 (T,)
        self.levels = share_of_signal(self.signal_left)

    def shares(self, quantiles: Levels) -> Levels:
        numbers = (quantiles * len(self.levels)).long().clamp(max=len(self.levels) - 1)
        return self.levels.to(quantiles.device)[numbers].to(quantiles.dtype)

    def clock(self, shares: Levels) -> Levels:
        """The number of the nearest level, 0 to T - 1, as diffusers counts."""
        levels = self.levels.to(shares.device)
        above = torch.searchsorted(levels, shares.double()).clamp(1, len(levels) - 1)
        nearer_below = shares - levels[above - 1] < levels[above] - shares
        return (above - nearer_below.long()).to(shares.dtype)

    def path(self, steps: int) -> Levels:
        """Evenly spaced numbers, the last always among them (Lin et al. 2024, "trailing")."""
        count = len(self.levels)
        if steps > count:
            raise SettingsError(
                f"{steps} sampling steps are more than the {count} of the noise schedule: ask for "
                f"at most {count} (model.sampling_steps), or raise model.steps"
            )
        numbers = (torch.arange(steps, 0, -1, dtype=torch.float64) * count / steps).round().long()
        return torch.cat([self.levels[numbers - 1], torch.zeros(1, dtype=torch.float64)])


class Spread(Schedule):
    """All levels, those in the middle more often: ln sigma is normal (Karras et al. 2022, table 1;
    for rectified flow the same as Esser et al. 2024, section 3.1)."""

    def __init__(self, mean: float, deviation: float, bend: float, ends: tuple[float, float]):
        """`ends`: the least and the largest share sampled; `bend`: how much more densely the path
        visits low levels, EDM's rho, in sigma; 0 spaces shares evenly."""
        self.mean, self.deviation, self.bend, self.ends = mean, deviation, bend, ends

    def shares(self, quantiles: Levels) -> Levels:
        middle = quantiles.clamp(1e-6, 1 - 1e-6)
        sigmas_log: Levels = self.mean + self.deviation * torch.special.ndtri(middle)
        return sigmas_log.sigmoid()

    def clock(self, shares: Levels) -> Levels:
        """A thousand times the share, where Karras et al. 2022 have ln(sigma) / 4: finite at both
        ends, and on the scale of the encoding that all schedules have in common."""
        return 1000 * shares

    def path(self, steps: int) -> Levels:
        least, largest = self.ends
        if not self.bend:
            return torch.linspace(largest, 0.0, steps + 1, dtype=torch.float64)
        # Karras et al. 2022, equation 5.
        along = torch.linspace(0, 1, max(steps, 2), dtype=torch.float64)[:steps]
        low, high = ((s / (1 - s)) ** (1 / self.bend) for s in (least, largest))
        sigmas = (high + along * (low - high)) ** self.bend
        return torch.cat([share_of_sigma(sigmas), torch.zeros(1, dtype=torch.float64)])


def linear_betas(steps: int, least: float, largest: float) -> Levels:
    """Evenly spaced (Ho et al. 2020, section 4: 1e-4 to 0.02 in 1000 steps)."""
    return torch.linspace(least, largest, steps, dtype=torch.float64)


def cosine_betas(steps: int) -> Levels:
    """Signal left falls as cos^2 (Nichol and Dhariwal 2021, equation 17)."""
    times = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    return _betas_of(((times + 0.008) / 1.008 * math.pi / 2).cos().square())


def sigmoid_betas(steps: int) -> Levels:
    """Signal left falls as a sigmoid from 3 to -3 (Chen 2023, section 2.1, tau 1)."""
    times = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    start, end = (torch.tensor(v, dtype=torch.float64).sigmoid() for v in (-3.0, 3.0))
    return _betas_of((end - (6 * times - 3).sigmoid()) / (end - start))


def _betas_of(signal_left: Float[Tensor, " edges"]) -> Levels:
    """No step may take everything: at most 0.999 (Nichol and Dhariwal 2021, section 3.2)."""
    return (1 - signal_left[1:] / signal_left[:-1]).clamp(max=0.999)


def edm(mean: float, deviation: float, sigma_min: float, sigma_max: float) -> Spread:
    """Karras et al. 2022, table 1, column "ours": rho is 7."""
    ends = sigma_min / (1 + sigma_min), sigma_max / (1 + sigma_max)
    return Spread(mean, deviation, 7.0, ends)


def flow(mean: float, deviation: float) -> Spread:
    """Rectified flow (Liu et al. 2023), learnt at logit-normal times (Esser et al. 2024)."""
    return Spread(mean, deviation, 0.0, (0.0, 1.0))
