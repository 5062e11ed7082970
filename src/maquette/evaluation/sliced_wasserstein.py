"""Distance between two sets of pictures without any feature net: sliced Wasserstein on a pyramid.

Karras et al. 2018 ("Progressive Growing of GANs", section 5) compare 7x7 patches on the levels of a
Laplacian pyramid. Notable differences: the whole picture at 16 px is one more level, so that global
layout counts; both sets are normalised by the *real* mean and deviation, so that a loss of contrast
or colour counts too.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Pixels, Scalar, to_float
from maquette.evaluation.thumbnails import thumbnails
from maquette.evaluation.types import GeneratedPixels, RealPixels

Level = Float[Tensor, "_ channels _ _"]
Rows = Float[Tensor, "_ dims"]

_PATCH_PX = 7
_SMALLEST_LEVEL_PX = 16
_LAYOUT_PX = 16  # longer side of the whole picture
_PATCHES = 8192  # in each set, on each level
_DIRECTIONS = 128
_LEAST_DEVIATION = 1 / 255  # half a grey level: reals without contrast would blow up any difference


def sliced_wasserstein(real: RealPixels, generated: GeneratedPixels, seed: int = 0) -> float:
    """Mean over levels of the sliced Wasserstein-1 distance, in deviations of the real pictures.

    0 for equal sets; pictures that share a distribution stay above 0 by chance, the less the more
    there are, so compare only at equal numbers. Both sets must have the same height, width and
    channels; they may differ in number. A function of pictures and seed alone.
    """
    distances = []
    for level in zip(_pyramid(real), _pyramid(generated), strict=True):
        ours, theirs = _on_real_scale(*level)
        distances.append(_sliced(_patches(ours, seed), _patches(theirs, seed), seed))
    ours, theirs = _on_real_scale(thumbnails(real, _LAYOUT_PX), thumbnails(generated, _LAYOUT_PX))
    distances.append(_sliced(ours.flatten(1), theirs.flatten(1), seed))
    return float(torch.stack(distances).mean())


def wasserstein_1(a: Float[Tensor, "n slices"], b: Float[Tensor, "m slices"]) -> Scalar:
    """Mean over slices of the exact distance of two samples on a line, also of unequal size.

    The area between the two quantile functions, which step at i/n and at j/m (Vallender 1974).
    """
    a, b = a.sort(dim=0).values, b.sort(dim=0).values
    if len(a) == len(b):
        return (a - b).abs().mean()
    steps = [torch.arange(1, len(x) + 1, device=x.device).double() / len(x) for x in (a, b)]
    ends = torch.unique(torch.cat(steps))
    widths = ends.diff(prepend=ends.new_zeros(1))
    middles = ends - widths / 2
    gaps = a[(middles * len(a)).long()] - b[(middles * len(b)).long()]
    mean: Scalar = (gaps.abs() * widths[:, None]).sum(0).mean().to(a)
    return mean


def _sliced(ours: Rows, theirs: Rows, seed: int) -> Scalar:
    """Distance along random unit vectors (Rabin et al. 2011)."""
    random = torch.Generator().manual_seed(seed)
    directions = F.normalize(torch.randn(ours.shape[1], _DIRECTIONS, generator=random), dim=0)
    return wasserstein_1(ours @ directions.to(ours), theirs @ directions.to(ours))


def _patches(level: Level, seed: int) -> Rows:
    """Square patches at random places, equally many from each picture (give or take one)."""
    random = torch.Generator().manual_seed(seed)
    count, _, height, width = level.shape
    side = min(_PATCH_PX, height, width)
    picture = torch.arange(_PATCHES) % count
    top = torch.randint(height - side + 1, (_PATCHES,), generator=random)
    left = torch.randint(width - side + 1, (_PATCHES,), generator=random)
    rows = (top[:, None] + torch.arange(side))[:, :, None]
    columns = (left[:, None] + torch.arange(side))[:, None, :]
    return level.permute(0, 2, 3, 1)[picture[:, None, None], rows, columns].flatten(1)


def _on_real_scale(real: Level, generated: Level) -> tuple[Level, Level]:
    """Both less the real mean, over the real deviation, for each colour channel."""
    deviation, mean = torch.std_mean(real, dim=(0, 2, 3), keepdim=True)
    deviation = deviation.clamp(min=_LEAST_DEVIATION)
    return (real - mean) / deviation, (generated - mean) / deviation


def _pyramid(pixels: Pixels) -> list[Level]:
    """What each halving loses, from fine to coarse, and what is left (Burt and Adelson 1983)."""
    level, levels = to_float(pixels), []
    while min(level.shape[2:]) >= 2 * _SMALLEST_LEVEL_PX:
        smaller = _resized(level, (level.shape[2] // 2, level.shape[3] // 2))
        levels.append(level - _resized(smaller, (level.shape[2], level.shape[3])))
        level = smaller
    return [*levels, level]


def _resized(level: Level, size: tuple[int, int]) -> Level:
    """Triangle filter, both ways, pixel centres aligned."""
    return F.interpolate(level, size=size, mode="bilinear", antialias=True, align_corners=False)
