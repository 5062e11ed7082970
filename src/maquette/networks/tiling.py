"""Pictures too large for memory, translated in tiles whose seams cannot be seen.

Tiles overlap, and what lies near a cut edge counts little. Notable is normalisation: a tile with
statistics of its own would get colours of its own, so all tiles use those of the whole picture.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images

ALIGNED_PX = 8  # tiles begin at multiples, so that halving meets the same pixels in each
SMALLEST_PX = 16  # what networks of two halvings can reflect at their borders
SAMPLED_TILES = 8  # from all over the picture, whose statistics stand for it
OVERLAP_PX = 128
_DISCARDED = 0.25  # of the overlap, next to a cut edge, where the network saw too little

Translate = Callable[[Images], Images]
Features = Float[Tensor, "batch features _ _"]
Shares = Float[Tensor, "tiles 1 _ _"]


def translated_whole(translate: Translate, images: Images) -> Images:
    """Pictures of any size in one piece; those smaller than networks take are extended for it."""
    height, width = images.shape[2:]
    low, narrow = max(0, SMALLEST_PX - height), max(0, SMALLEST_PX - width)
    if not (low or narrow):
        return translate(images)
    extended = F.pad(images, (0, narrow, 0, low), mode="replicate")
    return translate(extended)[:, :, :height, :width]


def translated_in_tiles(
    translate: Translate,
    network: nn.Module,
    images: Images,
    tile_px: int,
    overlap_px: int = OVERLAP_PX,
) -> Images:
    """The same as in one piece but for the statistics of normalisation, which are estimated.

    `network` is what `translate` computes with. At most SAMPLED_TILES tiles are held at once.
    """
    height, width = images.shape[2:]
    down, right = -height % ALIGNED_PX, -width % ALIGNED_PX
    padded = F.pad(images, (0, right, 0, down), mode="replicate")
    rows = tile_starts(padded.shape[2], tile_px, overlap_px)
    columns = tile_starts(padded.shape[3], tile_px, overlap_px)
    places = [(top, left) for top in rows for left in columns]
    weights = [_weight(place, padded, tile_px, overlap_px) for place in places]
    everywhere = padded.new_zeros(1, 1, *padded.shape[2:])
    for place, weight in zip(places, weights, strict=True):
        _tile(everywhere, place, tile_px).add_(weight)
    shares = [
        w / _tile(everywhere, place, tile_px) for place, w in zip(places, weights, strict=True)
    ]
    some = _spread(len(places), SAMPLED_TILES)
    made = torch.zeros_like(padded)
    with statistics_of_first_pass(network, torch.cat([shares[i] for i in some])):
        translate(torch.cat([_tile(padded, places[i], tile_px) for i in some]))
        for place, share in zip(places, shares, strict=True):
            tile = translate(_tile(padded, place, tile_px))
            _tile(made, place, tile_px).add_(tile * share)
    return made[:, :, :height, :width]


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles of one axis begin, evenly, so that each shares `overlap` or more with the next.

    All but the tile are multiples of ALIGNED_PX where length is.
    """
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    last = (length - tile) // ALIGNED_PX
    return [round(last * i / (count - 1)) * ALIGNED_PX for i in range(count)]


@contextmanager
def statistics_of_first_pass(network: nn.Module, shares: Shares) -> Iterator[None]:
    """Instance normalisation keeps the statistics of the first batch it sees here, all together.

    `shares` says how much each pixel of that batch counts. All layers in one pass: each sees what
    those before it make of these statistics. Counting over all tiles afterwards and correcting
    layer by layer was tried: the layers drifted apart.
    """

    def keep(norm: nn.Module, given: tuple[Features]) -> None:
        assert isinstance(norm, nn.InstanceNorm2d)
        if not norm.track_running_stats:
            norm.running_mean, norm.running_var = _statistics(given[0], shares)
            norm.track_running_stats = True  # in evaluation mode the layer now uses the two

    norms = [module for module in network.modules() if isinstance(module, nn.InstanceNorm2d)]
    hooks = [norm.register_forward_pre_hook(keep) for norm in norms]
    try:
        yield
    finally:
        for hook, norm in zip(hooks, norms, strict=True):
            hook.remove()
            norm.running_mean = norm.running_var = None
            norm.track_running_stats = False


def _statistics(x: Features, shares: Shares) -> tuple[Tensor, Tensor]:
    """Mean and variance of each feature, places weighted."""
    height, width = x.shape[2:]
    weights = F.adaptive_avg_pool2d(shares, (height, width))
    total = weights.sum()
    mean = (x * weights).sum((0, 2, 3)) / total
    variance = ((x - mean[:, None, None]).square() * weights).sum((0, 2, 3)) / total
    return mean, variance


def _spread(count: int, most: int) -> list[int]:
    """So many numbers below `count`, from all over; steps of the golden ratio miss no row."""
    if count <= most:
        return list(range(count))
    return [int((0.5 + i) * 0.6180339887 % 1 * count) for i in range(most)]


def _tile(images: Features, place: tuple[int, int], tile_px: int) -> Features:
    top, left = place
    return images[:, :, top : top + tile_px, left : left + tile_px]


def _weight(place: tuple[int, int], whole: Features, tile_px: int, overlap_px: int) -> Shares:
    """1 inside, falling to almost 0 across the overlaps; the picture's own edges count fully."""
    axes = []
    discarded = overlap_px * _DISCARDED
    for start, end in zip(place, whole.shape[2:], strict=True):
        length = min(tile_px, end - start)
        here = torch.arange(length, device=whole.device) + 0.5
        blended = overlap_px - 2 * discarded
        ramps = torch.ones(length, device=whole.device)
        if start > 0:
            ramps = (here - discarded) / blended
        if start + length < end:
            ramps = torch.minimum(ramps, (length - here - discarded) / blended)
        axes.append(ramps.clamp(1e-6, 1))
    return (axes[0][:, None] * axes[1])[None, None]
