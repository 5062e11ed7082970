"""Levels of noise against the closed forms of the papers."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.randomness import noise, picture_seeds
from maquette.noising.levels import (
    blended,
    level,
    posterior,
    preserving,
    radius,
    share_of_sigma,
    share_of_signal,
    sigma_of_share,
    signal_left,
    snr,
)

SHARES = st.floats(0.001, 0.999)


def test_the_forward_process_has_its_mean_and_variance():
    seeds = picture_seeds(4000, "forward")
    images = torch.full((4000, 1, 4, 4), 0.7)
    shares = torch.full((4000,), 0.3)
    y = blended(images, noise(seeds, 1, 4, 4), shares)
    torch.testing.assert_close(y.mean(), torch.tensor(0.7 * 0.7), atol=0.005, rtol=0)
    torch.testing.assert_close(y.var(), torch.tensor(0.3**2), atol=0.002, rtol=0)


@given(SHARES)
def test_all_ways_to_say_a_level_agree(share):
    t = level(share)
    a, b = preserving(t)
    torch.testing.assert_close(a**2 + b**2, level(1))
    torch.testing.assert_close(signal_left(t), a**2)
    torch.testing.assert_close(snr(t), a**2 / b**2)
    torch.testing.assert_close(sigma_of_share(t), b / a)
    torch.testing.assert_close(share_of_sigma(sigma_of_share(t)), t)
    torch.testing.assert_close(share_of_signal(signal_left(t)), t)
    torch.testing.assert_close((1 - t) / radius(t), a)


@given(SHARES, SHARES)
def test_the_posterior_is_bayes_rule(one, other):
    """Precisions add up: of z_now given x, and of z_later given z_now."""
    now, later = sorted((one, other))
    if later - now < 1e-3:
        return
    (a, b), (a_later, b_later) = preserving(level(now)), preserving(level(later))
    step = a_later / a
    fresh = b_later**2 - (step * b) ** 2
    precision = 1 / b**2 + step**2 / fresh
    keep, gain, variance = posterior(level(now), level(later))
    torch.testing.assert_close(variance, 1 / precision)
    torch.testing.assert_close(keep, step / fresh / precision)
    torch.testing.assert_close(gain, a / b**2 / precision)


def test_the_posterior_of_one_step_is_that_of_the_paper():
    """Ho et al. 2020, equation 7, with the betas written out."""
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    left = (1 - betas).cumprod(0)
    before, after, beta = left[498], left[499], betas[499]
    keep, gain, variance = posterior(share_of_signal(before), share_of_signal(after))
    torch.testing.assert_close(gain, before.sqrt() * beta / (1 - after))
    torch.testing.assert_close(keep, (1 - beta).sqrt() * (1 - before) / (1 - after))
    torch.testing.assert_close(variance, (1 - before) / (1 - after) * beta)
