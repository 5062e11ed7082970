"""From noise to pictures: numerical solvers of dy/dshare = (y - D(y)) / share.

That is the probability-flow equation of every Gaussian diffusion in the straight blend of
levels.py, and EDM's with the share in the place of sigma (Karras et al. 2022, equation 1 with
Tweedie's formula; appendix B). So each sampler is written once, for all schedules. A step that
keeps D fixed is the same in every scaling: Euler here is DDIM for variance-preserving diffusion.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch

from maquette.core.images import Images, Seeds
from maquette.core.randomness import noise
from maquette.noising.levels import level, posterior, preserving, radius

Denoiser = Callable[[Images, float], Images]  # y and its share of noise to the expected picture
Sampler = Callable[[Denoiser, Images, Sequence[float], Seeds], Images]
SamplerName = Literal["ddpm", "ddim", "euler", "heun", "dpm"]


def euler(denoise: Denoiser, y: Images, path: Sequence[float], seeds: Seeds) -> Images:  # noqa: ARG001
    """Order 1. DDIM (Song et al. 2021, equation 12, eta 0), and Euler's method for flows."""
    for share, following in _pairs(path):
        y = _towards(denoise(y, share), y, share, following)
    return y


def heun(denoise: Denoiser, y: Images, path: Sequence[float], seeds: Seeds) -> Images:  # noqa: ARG001
    """Order 2, asking twice a step but the last (Karras et al. 2022, algorithm 1)."""
    for share, following in _pairs(path):
        slope = (y - denoise(y, share)) / share
        ahead = y + (following - share) * slope
        if following > 0:
            slope_ahead = (ahead - denoise(ahead, following)) / following
            ahead = y + (following - share) * (slope + slope_ahead) / 2
        y = ahead
    return y


def dpm(denoise: Denoiser, y: Images, path: Sequence[float], seeds: Seeds) -> Images:  # noqa: ARG001
    """Order 2, asking once a step: DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2).

    Extrapolates the denoised picture from the last two over lambda = ln(a / b); the first and the
    last step, which are infinitely long in lambda, keep it fixed.
    """
    before: Images | None = None
    stride_before = 0.0
    for share, following in _pairs(path):
        picture = denoise(y, share)
        stride = _log_ratio(following) - _log_ratio(share)
        aim = picture
        if before is not None and following > 0:
            aim = picture + stride / (2 * stride_before) * (picture - before)
        y = _towards(aim, y, share, following)
        before, stride_before = picture, stride
    return y


def ddpm(denoise: Denoiser, y: Images, path: Sequence[float], seeds: Seeds) -> Images:
    """Ancestral sampling: a draw from the posterior at every step (Ho et al. 2020, algorithm 2).

    Fresh noise follows from each picture's own seed and the number of the step.
    """
    for number, (share, following) in enumerate(_pairs(path)):
        now, later = level(following), level(share)
        keep, gain, variance = (float(value) for value in posterior(now, later))
        into, back = float(1 / radius(later)), float(radius(now))
        y = back * (keep * into * y + gain * denoise(y, share))
        if following > 0:
            fresh = noise(seeds, *y.shape[1:], stream=f"sampling/{number}").to(y.dtype)
            y = y + back * variance**0.5 * fresh
    return y


SAMPLERS: dict[SamplerName, Sampler] = {
    "ddpm": ddpm,
    "ddim": euler,
    "euler": euler,
    "heun": heun,
    "dpm": dpm,
}


def _pairs(path: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(path))


def _towards(picture: Images, y: Images, share: float, following: float) -> Images:
    """To the following level along the straight line to the denoised picture."""
    return torch.lerp(picture, y, following / share)


def _log_ratio(share: float) -> float:
    """lambda = ln((1 - share) / share), infinite at the ends."""
    a, b = (float(value) for value in preserving(level(share)))
    return float((level(a) / level(b)).log())
