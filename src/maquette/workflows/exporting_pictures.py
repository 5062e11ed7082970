"""Pictures of any size brought to a model's size, as arithmetic that travels inside an ONNX graph.

The same steps as `data/pictures/preparation.py` takes with Pillow: colours, box, averaging of
pictures far too large, Lanczos in two passes, each rounded to whole levels. At most one level off.
All shapes but those of the input are fixed, so that a graph needs no loops.
"""

import math
from typing import NamedTuple, cast

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor, nn

from maquette.core.images import ImageSpec
from maquette.data.pictures.preparation import REDUCING_GAP, Fit

_LANCZOS = 3  # half the width of the filter, in pixels of the result
_LUMA = (19595, 38470, 7471)  # of 65536; ITU-R BT.601 as Pillow's mode L
Number = Float64[Tensor, ""]
Length = int | torch.SymInt  # of a side, px; not known while a graph is made


class Picture(nn.Module):
    """What a person gives, opaque RGBA of any size, as the pixels that a model learnt from."""

    def __init__(self, spec: ImageSpec, fit: Fit, grey: bool):
        """`grey`: one channel; where there are more they are strokes', whose order and progress a
        picture does not tell: half of its ink (see `serving.as_learnt`)."""
        super().__init__()
        self.spec, self.fit, self.grey = spec, fit, grey

    def forward(
        self, rgba: UInt8[Tensor, "height width 4"], swap: UInt8[Tensor, "1"]
    ) -> tuple[UInt8[Tensor, "1 channels to_height to_width"], Float64[Tensor, "1"]]:
        """One picture in the model's size, light and dark swapped where `swap` is 1, and the mean
        level of its border before that (0 to 255), which tells paper from blackboard."""
        height, width = rgba.shape[:2]
        down, across = _axes(height, width, self.spec.height, self.spec.width, self.fit)
        colours = _luma(rgba) if self.grey else rgba[..., :3].int()
        small = _averaged(colours, down, across)
        # Across first, as Pillow does; both are rounded.
        wide = _level(torch.einsum("ow,hwc->hoc", across.weights(), small))
        whole = _level(torch.einsum("oh,hwc->owc", down.weights(), wide))
        inside = down.inside()[:, None] & across.inside()
        pixels = torch.where(inside[..., None], whole, 255.0).permute(2, 0, 1)[None]
        border = torch.cat([pixels[..., 0, :], pixels[..., -1, :]], -1).flatten()
        sides = torch.cat([pixels[..., :, 0], pixels[..., :, -1]], -1).flatten()
        level = torch.cat([border, sides]).double().mean()[None]
        flipped = torch.where(swap.bool(), 255.0 - pixels, pixels)
        if self.grey:
            half = (flipped / 2).ceil()
            flipped = torch.cat([flipped, *[half] * (self.spec.channels - 1)], 1)
        return flipped.to(torch.uint8), level


class _Axis(NamedTuple):
    """One side of a picture on its way to one side of a model's."""

    whole: Number  # length of the picture, px
    start: Number  # the part that is shown, px
    stop: Number
    first: Number  # where it lands in the result, px
    filled: Number  # and how many pixels it fills there
    length: int  # of the result, px

    @property
    def scale(self) -> Number:
        return (self.stop - self.start) / self.filled

    @property
    def factor(self) -> Number:
        """So many pixels are averaged into one before the filter; see Pillow's `reducing_gap`."""
        return (self.scale / REDUCING_GAP).floor().clamp(min=1)

    def read(self) -> tuple[Number, Number]:
        """The part that the filter reaches, in whole pixels (`Image._get_safe_box`)."""
        reach = torch.where(
            self.factor > 1, (_LANCZOS - 0.5) * self.scale, _LANCZOS * self.scale.clamp(min=1) + 1
        )
        start = (self.start - reach).trunc().clamp(min=0)
        return start, torch.minimum(self.whole, (self.stop + reach).ceil())

    def blocks(self) -> tuple[Tensor, Tensor]:
        """Where each averaged block starts and stops, px; those past the end are empty.

        Below a factor of 2 the scale is below 4, above it at most 3 blocks make a pixel.
        """
        most = math.ceil(2 * REDUCING_GAP * (self.length + 2 * _LANCZOS)) + 4
        start, stop = self.read()
        edges = start + torch.arange(most + 1, dtype=torch.float64) * self.factor
        edges = torch.minimum(edges, stop).long()
        return edges[:-1], edges[1:]

    def weights(self) -> Tensor:
        """How much each block counts for each pixel of the result; Pillow's `precompute_coeffs`."""
        start, stop = self.read()
        starts, _ = self.blocks()
        here = torch.arange(len(starts), dtype=torch.float64)
        offset, scale = (self.start - start) / self.factor, self.scale / self.factor
        wide = scale.clamp(min=1)
        blocks = ((stop - start) / self.factor).ceil()
        result = torch.arange(self.length, dtype=torch.float64)[:, None] - self.first
        centre = offset + (result + 0.5) * scale
        low = (centre - _LANCZOS * wide + 0.5).trunc()
        high = torch.minimum(blocks, (centre + _LANCZOS * wide + 0.5).trunc())
        x = (here + 0.5 - centre) / wide
        used = (here >= low) & (here < high) & (x.abs() < _LANCZOS)
        weights = torch.where(used, _sinc(x) * _sinc(x / _LANCZOS), 0.0)
        total = weights.sum(1, keepdim=True)
        return (weights / torch.where(total == 0, 1.0, total)).float()

    def inside(self) -> Tensor:
        """Which pixels of the result the picture fills."""
        result = torch.arange(self.length, dtype=torch.float64)
        return (result >= self.first) & (result < self.first + self.filled)


def _axes(
    height: Length, width: Length, to_height: int, to_width: int, fit: Fit
) -> tuple[_Axis, _Axis]:
    """Down and across."""
    sides, target = (_number(height), _number(width)), (_number(to_height), _number(to_width))
    shares = [side / length for side, length in zip(sides, target, strict=True)]
    axes = []
    for side, length, px in zip(sides, target, (to_height, to_width), strict=True):
        zero = torch.zeros((), dtype=torch.float64)
        if fit == "cover":
            cut = ((side - torch.minimum(*shares) * length) / 2).clamp(min=0)
            axes.append(_Axis(side, cut, side - cut, zero, length, px))
        elif fit == "stretch":
            axes.append(_Axis(side, zero, side, zero, length, px))
        else:
            count = (side * torch.minimum(*(1 / share for share in shares))).round().clamp(min=1)
            first = ((length - count) / 2).floor()
            axes.append(_Axis(side, zero, side, first, count, px))
    return axes[0], axes[1]


def _luma(rgba: UInt8[Tensor, "height width 4"]) -> Tensor:
    """int32 (height, width, 1)."""
    red, green, blue = (rgba[..., i : i + 1].int() * _LUMA[i] for i in range(3))
    return (red + green + blue + 2**15) // 2**16


def _averaged(pixels: Tensor, down: _Axis, across: _Axis) -> Tensor:
    """Blocks averaged and rounded as `Image.reduce` does; float32 (rows, columns, channels)."""
    sums, sizes = pixels, []
    for dim, axis in enumerate((down, across)):
        starts, stops = axis.blocks()
        running = torch.cumsum(sums, dim, dtype=torch.int32)
        none = torch.zeros_like(running.narrow(dim, 0, 1))
        running = torch.cat([none, running], dim)
        sums = running.index_select(dim, stops) - running.index_select(dim, starts)
        sizes.append(stops - starts)
    count = (sizes[0][:, None] * sizes[1]).clamp(min=1)[..., None]
    share = torch.full_like(count, 2**24) // count  # in fixed point
    return ((sums.long() + count // 2) * share // 2**24).float()


def _sinc(x: Tensor) -> Tensor:
    angle = torch.where(x == 0, 1.0, x * math.pi)
    return torch.where(x == 0, 1.0, angle.sin() / angle)


def _level(values: Tensor) -> Tensor:
    """Whole levels 0..255; halves go up."""
    return (values + 0.5).floor().clamp(0, 255)


def _number(value: Length) -> Number:
    return torch.full((), cast(int, value), dtype=torch.float64)
