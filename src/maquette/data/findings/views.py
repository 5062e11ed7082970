"""Parts of pictures brought to one scale, where what was laid over them lies at one place.

An overlay is fitted to a picture in one of few ways: stretched with it, or at a corner, an edge or
in the middle, with a size relative to the longer side, to the width, or in pixels. Each way is a
view; in the right one, the overlay has the same pixels in every picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int8, UInt8
from PIL import Image

from maquette.data.pictures.looking import THUMBNAIL_PX, Facts

ONE = 24  # how normalised values are stored in 8 bits: this is one standard deviation
ANCHORS = (  # shares of the free height and width above and left of it
    (1.0, 1.0),
    (1.0, 0.0),
    (0.0, 1.0),
    (0.0, 0.0),
    (1.0, 0.5),
    (0.0, 0.5),
    (0.5, 0.5),
)
_PART = 40, 72  # height and width of an anchored view
_VARY = 0.03  # sizes and proportions that differ less count as equal
_RADIUS_PX = 4  # of the surroundings whose mean is taken away, and whose contrast is divided by
_GREY_NOISE, _COLOUR_NOISE = 2.5, 4.0  # levels of 256; contrast below them is that of JPEG
_AT_ONCE = 64  # pictures normalised

Scale = Literal["stretched", "longer side", "width", "pixels"]


@dataclass(frozen=True)
class View:
    """A rectangle in every picture of a survey."""

    scale: Scale
    anchor: tuple[float, float]
    height: int
    width: int
    reference: float = 0.0  # width of a thumbnail, or longer side of a picture, of usual size

    def of(self, image: Image.Image, facts: Facts) -> UInt8[np.ndarray, "h w 3"] | None:
        """Out of a thumbnail; None where a picture is too small for it."""
        size = self.width, self.height
        if self.scale == "stretched":
            return np.asarray(image.resize(size, Image.Resampling.HAMMING))
        factor = self._factor(image, facts)
        height, width = self.height * factor, self.width * factor
        if height > image.height or width > image.width:
            return None
        top, left = self.anchor[0] * (image.height - height), self.anchor[1] * (image.width - width)
        box = left, top, min(left + width, image.width), min(top + height, image.height)
        if factor == 1 and top == int(top) and left == int(left):
            return np.asarray(image.crop((int(left), int(top), int(box[2]), int(box[3]))))
        return np.asarray(image.resize(size, Image.Resampling.HAMMING, box))

    def _factor(self, image: Image.Image, facts: Facts) -> float:
        """Pixels of the thumbnail for one of the view."""
        if self.scale == "longer side":
            return max(image.size) / THUMBNAIL_PX
        if self.scale == "width":
            return image.width / self.reference
        return max(image.size) / max(facts.height, facts.width) * self.reference / THUMBNAIL_PX


def views_for(sizes: Sequence[tuple[int, int]]) -> list[View]:
    """Those that differ from each other for pictures of these (height, width)."""
    heights, widths = np.array(sizes, float).T
    longer, proportion = np.maximum(heights, widths), float(np.median(widths / heights))
    height = round(THUMBNAIL_PX * min(1, 1 / proportion))
    width = round(THUMBNAIL_PX * min(1, proportion))
    views = [View("stretched", (0.0, 0.0), max(height, 48), max(width, 48))]
    if _vary(widths / heights):
        reference = float(np.median(THUMBNAIL_PX * widths / longer))
        views += [View("longer side", anchor, *_PART) for anchor in ANCHORS]
        views += [View("width", anchor, *_PART, reference) for anchor in ANCHORS]
    if _vary(longer):
        reference = float(np.median(longer))
        views += [View("pixels", anchor, *_PART, reference) for anchor in ANCHORS]
    return views


def _vary(values: np.ndarray) -> bool:
    low, high = np.quantile(values, (0.05, 0.95))
    return bool(high > (1 + _VARY) * low)


def stacked(
    view: View, images: Sequence[Image.Image], facts: Sequence[Facts]
) -> Int8[np.ndarray, "n h w"]:
    """Normalised; 0 for pictures too small for the view."""
    stack = np.zeros((len(images), 2 * view.height, view.width), np.int8)
    for start in range(0, len(images), _AT_ONCE):
        end = start + _AT_ONCE
        seen = [view.of(*pair) for pair in zip(images[start:end], facts[start:end], strict=True)]
        there = [place for place, part in enumerate(seen) if part is not None]
        if there:
            parts = np.stack([part for part in seen if part is not None])
            stack[np.array(there) + start] = _normalised(parts)
    return stack


def _normalised(stack: UInt8[np.ndarray, "n h w 3"]) -> Int8[np.ndarray, "n h2 w"]:
    """Fine structure only, with the same contrast everywhere, in units of 1/ONE.

    A faint mark over grass then counts no less than a strong edge elsewhere in the picture. Grey
    comes first, and below it how much redder than blue; a logo as light as what it covers shows
    in its colour alone.
    """
    red, green, blue = np.moveaxis(stack.astype(np.float32), -1, 0)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    return np.concatenate(
        [_flattened(grey, _GREY_NOISE), _flattened((red - blue) / 2, _COLOUR_NOISE)], axis=1
    )


def _flattened(values: Float32[np.ndarray, "n h w"], noise: float) -> Int8[np.ndarray, "n h w"]:
    values = values - _local_mean(values)
    contrast = np.sqrt(_local_mean(values**2).clip(0) + noise**2)
    return (values / contrast * ONE).round().clip(-127, 127).astype(np.int8)


def _local_mean(stack: Float32[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w"]:
    """Over squares, cut off at the borders."""
    down, across = (_averaging(side) for side in stack.shape[1:])
    result: Float32[np.ndarray, "n h w"] = down @ (stack @ across.T)
    return result


def _averaging(count: int) -> Float32[np.ndarray, "n n"]:
    """A matrix that gives for each of so many values the mean of those around it."""
    near = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) <= _RADIUS_PX
    weights: Float32[np.ndarray, "n n"] = (near / near.sum(1, keepdims=True)).astype(np.float32)
    return weights
