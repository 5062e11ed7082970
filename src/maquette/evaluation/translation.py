"""What a translator keeps: the content of a picture, the picture itself there and back.

Each number stands beside the same number for the wrong picture, another one of the same set: a
translator that forgets its input scores no better. One that changes nothing is faultless here, so
read these together with the distance to the target domain.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from torch import Tensor

from maquette.core.images import Pixels
from maquette.evaluation.bootstrap import bootstrap_interval
from maquette.evaluation.similarity import ssim

Values = Float64[Tensor, " batch"]  # one for each picture

_PICTURES_AT_ONCE = 256
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
_SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]) / 4


@dataclass(frozen=True)
class Kept:
    """A mean over pictures with its 95 % interval (bootstrap), and the same for wrong pictures."""

    value: float
    low: float
    high: float
    floor: float  # each picture beside the result of another
    count: int


def content_kept(pictures: Pixels, translated: Pixels, seed: int = 0) -> Kept:
    """Structural similarity (SSIM) of the luminance of pictures and their translations; 1 is all.

    As translators change colours on purpose, only brightness counts. Grey pictures as they are.
    """
    return _kept(_luminance_similarity, pictures, translated, seed)


def edges_kept(pictures: Pixels, translated: Pixels, seed: int = 0) -> Kept:
    """Structural similarity of the edges (Sobel magnitude of the luminance); 1 is all.

    Forgives what `content_kept` does not: light turned to dark, as of a horse to a zebra.
    """
    return _kept(_edge_similarity, pictures, translated, seed)


def cycle_error(pictures: Pixels, round_trip: Pixels, seed: int = 0) -> Kept:
    """Mean absolute difference of pictures and their translation there and back, in grey levels.

    Zhu et al. 2017 (CycleGAN), eq. 2, on 0..255; 0 is best.
    """
    return _kept(_difference, pictures, round_trip, seed)


def identity_error(targets: Pixels, translated: Pixels, seed: int = 0) -> Kept:
    """Mean absolute difference of target-domain pictures and themselves translated to that domain.

    Zhu et al. 2017 (CycleGAN), section 5.2 (identity loss), in grey levels on 0..255; 0 is best: a
    zebra asked to be a zebra stays as it is.
    """
    return _kept(_difference, targets, translated, seed)


def _kept(measure: Callable[[Pixels, Pixels], Values], a: Pixels, b: Pixels, seed: int) -> Kept:
    """`measure` of every pair, and of every picture with the result of another."""
    count = len(a)
    assert count == len(b) > 1
    ring = torch.from_numpy(np.random.default_rng(seed).permutation(count))
    right, wrong = _in_blocks(measure, a, b), _in_blocks(measure, a[ring], b[ring.roll(1)])
    values = right.cpu()
    found = bootstrap_interval(lambda weights: weights @ values, count, seed=seed)
    return Kept(found.value, found.low, found.high, wrong.mean().item(), count)


def _in_blocks(measure: Callable[[Pixels, Pixels], Values], a: Pixels, b: Pixels) -> Values:
    parts = zip(*(torch.split(side, _PICTURES_AT_ONCE) for side in (a, b)), strict=True)
    return torch.cat([measure(*part) for part in parts])


def _difference(a: Pixels, b: Pixels) -> Values:
    return (a.double() - b.double()).abs().mean((1, 2, 3))


def _luminance_similarity(a: Pixels, b: Pixels) -> Values:
    return ssim(_luminance(a), _luminance(b))


def _edge_similarity(a: Pixels, b: Pixels) -> Values:
    return ssim(_edges(a), _edges(b))


def _luminance(pixels: Pixels) -> Float[Tensor, "batch 1 height width"]:
    """In [0, 1]."""
    values = pixels.float() / 255
    if pixels.shape[1] == 1:
        return values
    weights = values.new_tensor(_LUMINANCE)[:, None, None]
    return (values * weights).sum(1, keepdim=True)


def _edges(pixels: Pixels) -> Float[Tensor, "batch 1 height width"]:
    """Length of the slope, in [0, sqrt 2]; 1 where black meets white across or down."""
    framed = F.pad(_luminance(pixels), (1, 1, 1, 1), mode="replicate")
    kernels = torch.stack([_SOBEL, _SOBEL.T])[:, None].to(framed)
    return F.conv2d(framed, kernels).square().sum(1, keepdim=True).sqrt()
