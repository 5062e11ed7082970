"""How noisy a picture is, as one number: the share of noise.

Every Gaussian diffusion is z = a x + b e with e standard normal, and differs from every other only
in the scale of z (Karras et al. 2022, appendix B; Kingma and Gao 2023, section 3.1). So all of
Maquette uses the straight blend

    y = (1 - share) x + share e,    share = b / (a + b), from 0 (picture) to 1 (noise alone)

which stays finite at both ends. EDM's sigma is share / (1 - share); rectified flow's time is the
share itself; `preserving` gives the a and b of variance-preserving diffusion (DDPM).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Images

Shares = Float[Tensor, "*levels"]  # in [0, 1]


def blended(
    images: Images, noise: Images, shares: Float[Tensor, " batch"]
) -> Float[Tensor, "batch channels height width"]:
    """(1 - share) x + share e, a share for each picture: mean (1 - share) x, variance share^2."""
    each = shares[:, None, None, None]
    return (1 - each) * images + each * noise


def share_of_sigma(sigmas: Shares) -> Shares:
    """From the noise's standard deviation beside an unscaled picture (EDM's sigma)."""
    return sigmas / (1 + sigmas)


def sigma_of_share(shares: Shares) -> Shares:
    """To EDM's sigma; infinite for a share of 1."""
    return shares / (1 - shares)


def share_of_signal(signal_left: Shares) -> Shares:
    """From the share of the variance that is signal, DDPM's alpha-bar."""
    noise, signal = (1 - signal_left).sqrt(), signal_left.sqrt()
    return noise / (noise + signal)


def signal_left(shares: Shares) -> Shares:
    """Share of the variance that is signal: a^2 / (a^2 + b^2), DDPM's alpha-bar; 1 to 0."""
    signal = (1 - shares).square()
    return signal / (signal + shares.square())


def snr(shares: Shares) -> Shares:
    """Signal-to-noise ratio a^2 / b^2 (Kingma et al. 2021, equation 2): 1 / sigma^2."""
    return ((1 - shares) / shares).square()


def radius(shares: Shares) -> Shares:
    """Length of (1 - share, share): y divided by it is variance-preserving."""
    return ((1 - shares).square() + shares.square()).sqrt()


def preserving(shares: Shares) -> tuple[Shares, Shares]:
    """a and b of variance-preserving diffusion, a^2 + b^2 = 1."""
    return (1 - shares) / radius(shares), shares / radius(shares)


def posterior(now: Shares, later: Shares) -> tuple[Shares, Shares, Shares]:
    """Where a variance-preserving z at level `later` was at the less noisy level `now`.

    q(z_now | z_later, x) is normal with mean A z_later + B x and variance V; returns A, B, V
    (Ho et al. 2020, equations 6 and 7; for any two levels Kingma et al. 2021, appendix A.2).
    """
    (a, b), (a_later, b_later) = preserving(now), preserving(later)
    between = a_later / a
    fresh = b_later.square() - between.square() * b.square()  # noise added between the levels
    part = fresh / b_later.square()
    return between * (b / b_later).square(), a * part, part * b.square()


def level(share: float) -> Tensor:
    """A level as the float64 scalar that the formulas of this file take."""
    return torch.tensor(share, dtype=torch.float64)


def shared_by_all(share: float, images: Images) -> Float[Tensor, " batch"]:
    """The same level for every picture, in float64."""
    return torch.full((len(images),), share, dtype=torch.float64, device=images.device)
