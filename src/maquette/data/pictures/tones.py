"""What the grey tones of one picture tell of it: blank, dark, blurry, without colour.

All of it is measured on a small version and costs about a millisecond. The limits below were chosen
by looking at real pictures (photographs, paintings, product pictures, drawings) next to spoiled
copies of them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from PIL import Image, ImageChops

MEASURED_PX = 256
"""Longest side of what is measured; smaller pictures are taken as they are."""

BLANK = 16.0
"""Contrast below which nothing is seen: 31 is the least among 7,000 real pictures (horses in fog),
flat colour with noise or JPEG blocks stays below 10."""
DARK = 24.0
"""Brightness below which a picture is very dark, unless something in it is lit (see the contrast):
real ones below are woods at night, and fruit and portraits on black."""
BLURRY = 0.27
"""Sharpness below which every edge is soft: all of 600 photographs and paintings blurred by 2 px or
more (of 256), 99 % of those enlarged four times and 93 % of those smeared by 12 px lie below, and
none of the untouched ones; among 7,000 others 1 %, most of them enlarged or out of focus."""

_RISE_PX = 6  # over which the height of an edge is measured
_STEEPEST = 0.999  # share of steps that are less steep than those compared
_LEAST_EDGE = 8  # grey levels; below, there is no edge to judge
_COLOUR_PX = 64  # longest side where colours are compared, so that JPEG's chroma noise is averaged
_COLOURED = 12  # the largest difference of two channels there, in a picture that counts as grey


@dataclass(frozen=True)
class Tones:
    """As in `looking.Facts`, on 8-bit grey 0..255."""

    colourless: bool
    brightness: float
    contrast: float
    sharpness: float


def tones(image: Image.Image, grey: Image.Image) -> Tones:
    """Of a picture (mode L or RGB), and of the same at most MEASURED_PX long in grey."""
    counts = np.array(grey.histogram())
    brightness = float(counts @ np.arange(256) / counts.sum())
    contrast = float(_percentile(counts, 0.99) - _percentile(counts, 0.01))
    return Tones(_colourless(image), brightness, contrast, sharpness(grey))


def sharpness(grey: Image.Image) -> float:
    """How suddenly the steepest edges rise: 1 for at once, 1 / _RISE_PX for ramps, 0 for no edge.

    The steepest step from one pixel to the next, as a share of the largest difference between
    pixels _RISE_PX apart; the least of four directions, so that motion blur shows. Ratios do not
    depend on contrast, and one sharp region is enough: blurred backgrounds do not count. Pictures
    too small to judge count as sharp. Comparing scales is the idea of Crete et al. 2007, "The blur
    effect"; the steepest steps instead of sums make it bear noise and large smooth regions.
    """
    if min(grey.size) < 2 * _RISE_PX:
        values = np.asarray(grey)
        return float(values.max() - values.min() >= _LEAST_EDGE)
    shares = []
    for right, down in ((1, 0), (0, 1), (1, 1), (-1, 1)):
        height = _steepest(grey, _RISE_PX * right, _RISE_PX * down)
        if height >= _LEAST_EDGE:
            shares.append(_steepest(grey, right, down) / height)
    return min(1.0, *shares) if shares else 0.0


def _steepest(grey: Image.Image, right: int, down: int) -> int:
    """The difference to the pixel so far away that only one of a thousand exceeds."""
    width, height = grey.width - abs(right), grey.height - abs(down)
    here, there = (max(0, -right), 0), (max(0, right), down)
    parts = [grey.crop((x, y, x + width, y + height)) for x, y in (here, there)]
    return _percentile(np.array(ImageChops.difference(*parts).histogram()), _STEEPEST)


def _percentile(counts: Int[np.ndarray, "256"], share: float) -> int:
    """The value that so many of the counted values do not exceed."""
    return int(np.searchsorted(counts.cumsum(), share * counts.sum()))


def _colourless(image: Image.Image) -> bool:
    if image.mode == "L":
        return True
    width, height = (min(_COLOUR_PX, side) for side in image.size)
    red, green, blue = image.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0).split()
    pairs = ((red, green), (green, blue), (blue, red))
    return all(np.asarray(ImageChops.difference(*pair)).max() < _COLOURED for pair in pairs)
