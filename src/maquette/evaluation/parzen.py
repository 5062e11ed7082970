"""Parzen-window log-likelihood: how likely real pictures are under a cloud of generated ones.

Squared distances are whole numbers of squared grey levels, so in float64 they are exact up to
1e11 pixels a picture, and nothing cancels. Known for its faults (Theis et al. 2016: with a few
thousand samples it ranks models wrongly, and rewards copies): for comparison with older papers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

Centres = UInt8[Tensor, "generated channels height width"]
Pictures = UInt8[Tensor, "pictures channels height width"]

_WHITE = 255
_ROWS_AT_ONCE = 1024
_NUMBERS_AT_ONCE = 2**23  # 64 MB of float64


def logarithmic_grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` bandwidths from `low` to `high`, each the same factor wider than the one before."""
    return tuple(low * (high / low) ** (i / (count - 1)) for i in range(count))


# Goodfellow et al. search 10 from 0.1 to 1; sharper pictures than theirs need narrower windows.
SIGMAS = logarithmic_grid(0.01, 1.0, 21)


@dataclass(frozen=True)
class ParzenEstimate:
    """Mean log-likelihood of the test pictures in nats a picture, and how it was come by."""

    value: float
    error: float  # standard error of the mean over the test pictures
    sigma: float  # the bandwidth chosen, in units of the range of a pixel
    at_end_of_grid: bool  # a better bandwidth may lie outside of the grid
    validation: tuple[float, ...]  # mean log-likelihood of the validation pictures, by bandwidth
    count: int  # test pictures


def parzen_window(
    generated: Centres,
    validation: UInt8[Tensor, "validation channels height width"],
    test: UInt8[Tensor, "test channels height width"],
    sigmas: Sequence[float] = SIGMAS,
) -> ParzenEstimate:
    """Fit Gaussian windows to the generated pictures, their width to the validation pictures.

    Breuleux et al. 2011, section 4; as the score of generators: Goodfellow et al. 2014, section 5
    (10,000 samples; the bandwidth by validation). Pictures count as points in [0, 1]^d, so values
    of different sizes of picture do not compare. `sigmas` go from narrow to wide. Needs two test
    pictures. In float64: on a device without it, give pictures on the CPU.
    """
    assert len(test) > 1 and all(narrow < wide for narrow, wide in pairwise(sigmas))
    chances = log_likelihoods(validation, generated, sigmas).mean(1)
    best = int(chances.argmax())
    found = log_likelihoods(test, generated, [sigmas[best]])[0]
    return ParzenEstimate(
        value=found.mean().item(),
        error=found.std().item() / math.sqrt(len(test)),
        sigma=sigmas[best],
        at_end_of_grid=best in (0, len(sigmas) - 1),
        validation=tuple(chances.tolist()),
        count=len(test),
    )


def log_likelihoods(
    pictures: Pictures, generated: Centres, sigmas: Sequence[float]
) -> Float64[Tensor, "sigmas pictures"]:
    """Of every picture under windows of each width: log mean_i N(x; g_i, sigma^2 I), in nats.

    Memory grows with the number of pictures alone, not with the number of pairs.
    """
    dims = pictures[0].numel()
    rows = max(1, min(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // dims))
    widths = torch.tensor(sigmas, dtype=torch.float64, device=pictures.device)
    sums = [_log_sums(part, generated, widths, rows) for part in torch.split(pictures, rows)]
    normaliser = math.log(len(generated)) + dims / 2 * (2 * math.pi * widths.square()).log()
    return torch.cat(sums, dim=1) - normaliser[:, None]


def _log_sums(
    pictures: Pictures, generated: Centres, widths: Float64[Tensor, " sigmas"], rows: int
) -> Float64[Tensor, "sigmas pictures"]:
    """log sum_i exp(-|x - g_i|^2 / (2 sigma^2)), by blocks of generated pictures."""
    x = pictures.flatten(1).double()
    total = x.new_full((len(widths), len(x)), -math.inf)
    for part in torch.split(generated, rows):
        g = part.flatten(1).double()
        squares = x.square().sum(1)[:, None] + g.square().sum(1) - 2 * x @ g.T
        squares /= _WHITE**2
        block = [(squares / (-2 * width**2)).logsumexp(1) for width in widths]
        total = torch.logaddexp(total, torch.stack(block))
    return total
