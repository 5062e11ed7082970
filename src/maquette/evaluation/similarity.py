"""Structural similarity of two pictures: are the same things in the same places?"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from torch import Tensor

_WINDOW_PX = 11
_DEVIATION_PX = 1.5
_C1, _C2 = 0.01**2, 0.03**2  # for values in [0, 1]
_PICTURES_AT_ONCE = 64
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

Planes = Float64[Tensor, "b c h w"]
Picture = Float[Tensor, "batch channels height width"]  # values in [0, 1]


def ssim(first: Picture, second: Picture) -> Float64[Tensor, " batch"]:
    """Mean structural similarity of each pair, in [-1, 1]; 1 for equal pictures.

    Wang et al. 2004, eq. 13, Gaussian window of 11 px with deviation 1.5 px, each channel by
    itself, averaged over channels and over all places where the whole window fits. In a picture
    narrower or lower than that the window shrinks in that direction to the largest odd number of
    pixels that fits, with the same deviation.
    """
    return torch.cat([_terms(*pair)[0] for pair in _pairs(first, second)])


def ms_ssim(first: Picture, second: Picture) -> Float64[Tensor, " batch"]:
    """SSIM on scales each half the one before, in [0, 1]: less strict about fine detail.

    Wang et al. 2003, eq. 7 with their five weights. From 176 px on; smaller pictures use the scales
    that still hold the window (at least one), their weights scaled to sum to 1. Negative
    similarities count as 0, for they have no root.
    """
    smallest = min(first.shape[2:])
    scales = max(1, sum(smallest >> i >= _WINDOW_PX for i in range(len(_SCALE_WEIGHTS))))
    weights = [w / sum(_SCALE_WEIGHTS[:scales]) for w in _SCALE_WEIGHTS[:scales]]
    parts = []
    for one, other in _pairs(first, second):
        product = torch.ones(len(one), dtype=one.dtype, device=one.device)
        for scale, weight in enumerate(weights):
            whole, structure = _terms(one, other)
            term = whole if scale == scales - 1 else structure
            product = product * term.clamp(min=0) ** weight
            if scale < scales - 1:
                one, other = F.avg_pool2d(one, 2), F.avg_pool2d(other, 2)
        parts.append(product)
    return torch.cat(parts)


def _pairs(first: Picture, second: Picture) -> list[tuple[Planes, Planes]]:
    """Blocks in float64: variances are small differences of large numbers."""
    blocks = zip(*(torch.split(side, _PICTURES_AT_ONCE) for side in (first, second)), strict=True)
    return [(one.double(), other.double()) for one, other in blocks]


def _terms(one: Planes, other: Planes) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """Mean of luminance x contrast x structure, and of contrast x structure alone."""
    sums = [_blurred(x) for x in (one, other, one * one, other * other, one * other)]
    mean_1, mean_2, square_1, square_2, product = sums
    variances = square_1 - mean_1**2 + square_2 - mean_2**2
    structure = (2 * (product - mean_1 * mean_2) + _C2) / (variances + _C2)
    luminance = (2 * mean_1 * mean_2 + _C1) / (mean_1**2 + mean_2**2 + _C1)
    return (luminance * structure).mean((1, 2, 3)), structure.mean((1, 2, 3))


def _blurred(x: Planes) -> Float64[Tensor, "b c h2 w2"]:
    """Window averages, where the whole window fits; rows and columns one after the other."""
    channels, height, width = x.shape[1:]
    rows, columns = (_window(side).to(x) for side in (height, width))
    x = F.conv2d(x, rows[:, None].expand(channels, 1, -1, -1), groups=channels)
    return F.conv2d(x, columns[None].expand(channels, 1, -1, -1), groups=channels)


def _window(side_px: int) -> Float64[Tensor, " taps"]:
    half = (min(_WINDOW_PX, side_px) - 1) // 2
    places = torch.arange(-half, half + 1, dtype=torch.float64)
    weights = (-places.square() / (2 * _DEVIATION_PX**2)).exp()
    return weights / weights.sum()
