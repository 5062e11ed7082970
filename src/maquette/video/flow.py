"""Where things were a frame ago: dense optical flow, coarse to fine, in torch alone.

Lucas and Kanade 1981 in a pyramid (Bouguet 2001), the same window around every pixel at once. Good
for what stabilising needs (motion of camera and bodies, to a fraction of a pixel of a small
picture), runs wherever the network runs, and needs no OpenCV.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images

Grey = Float[Tensor, "batch 1 height width"]
Flow = Float[Tensor, "batch 2 height width"]  # pixels to the right and down
AnyFlow = Float[Tensor, "batch 2 _ _"]  # of another size than the pictures beside it

_SMALLEST_PX = 12  # of the coarsest picture's shorter side
_STEPS = 3  # at each level
_WINDOW_PX = 9
_MOST_STEP_PX = 1.0
_FIRMNESS = 1e-4  # added where a window shows no texture, in squared slopes of values in [-1, 1]


def flow_between(before: Images, now: Images) -> Flow:
    """For every pixel of `now`, how far away it lay in `before`."""
    pyramid = [(before.mean(1, keepdim=True), now.mean(1, keepdim=True))]
    while min(pyramid[-1][0].shape[2:]) >= 2 * _SMALLEST_PX:
        one, other = (F.avg_pool2d(F.avg_pool2d(_framed(x, 1), 3, 1), 2) for x in pyramid[-1])
        pyramid.append((one, other))
    coarsest = pyramid[-1][0]
    flow = coarsest.new_zeros(len(coarsest), 2, *coarsest.shape[2:])
    for one, other in reversed(pyramid):
        flow = resized_flow(flow, one.shape[2], one.shape[3])
        flow = _refined(one, other, flow)
    return flow


def resized_flow(flow: AnyFlow, height: int, width: int) -> AnyFlow:
    """The same motion of a picture of another size."""
    rows, columns = flow.shape[2:]
    if (rows, columns) == (height, width):
        return flow
    scale = flow.new_tensor([width / columns, height / rows])[:, None, None]
    return F.interpolate(flow, (height, width), mode="bilinear", align_corners=False) * scale


def warped(images: Images, flow: Flow) -> Images:
    """Pictures fetched along a flow of their size; beyond the edges the edge is repeated."""
    height, width = images.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + 0.5
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + 0.5
    x, y = (columns + flow[:, 0]) * (2 / width) - 1, (rows + flow[:, 1]) * (2 / height) - 1
    grid = torch.stack([x, y], -1)
    return F.grid_sample(images, grid, "bilinear", "border", align_corners=False)


def inside(flow: Flow) -> Float[Tensor, "batch 1 height width"]:
    """1 where the flow points into the picture, else 0."""
    height, width = flow.shape[2:]
    rows = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    columns = torch.arange(width, device=flow.device) + flow[:, 0]
    held = (rows >= -0.5) & (rows <= height - 0.5) & (columns >= -0.5) & (columns <= width - 0.5)
    return held[:, None].to(flow.dtype)


def _refined(before: Grey, now: Grey, flow: Flow) -> Flow:
    """Steps of least squares: slope of `now` times step = what is left between the two."""
    framed = _framed(now, 1)
    across = (framed[:, :, 1:-1, 2:] - framed[:, :, 1:-1, :-2]) / 2
    down = (framed[:, :, 2:, 1:-1] - framed[:, :, :-2, 1:-1]) / 2
    xx = _windowed(across * across) + _FIRMNESS
    yy = _windowed(down * down) + _FIRMNESS
    xy = _windowed(across * down)
    determinant = xx * yy - xy * xy
    for _ in range(_STEPS):
        left = now - warped(before, flow)
        x, y = _windowed(across * left), _windowed(down * left)
        step = torch.cat([yy * x - xy * y, xx * y - xy * x], 1) / determinant
        flow = flow + step.clamp(-_MOST_STEP_PX, _MOST_STEP_PX)
        flow = _averaged(flow, 5)
    return flow


def _windowed(x: Tensor) -> Tensor:
    return _averaged(x, _WINDOW_PX)


def _averaged(x: Tensor, window: int) -> Tensor:
    framed = _framed(x, window // 2)
    return _sums(_sums(framed, window, 2), window, 3) / window**2


def _sums(x: Tensor, window: int, dimension: int) -> Tensor:
    """Of every so many neighbours: sums of 1, 2, 4, ... of them, of which some make the window.

    Far fewer additions than a pooling layer's, and on whole rows at once.
    """
    places = x.shape[dimension] - window + 1
    total = torch.zeros_like(x.narrow(dimension, 0, places))
    begin = 0
    for count in (2**power for power in range(window.bit_length())):
        if count > 1:
            pairs = x.shape[dimension] - count // 2
            x = x.narrow(dimension, 0, pairs) + x.narrow(dimension, count // 2, pairs)
        if window & count:
            total += x.narrow(dimension, begin, places)
            begin += count
    return total


def _framed(x: Tensor, margin: int) -> Tensor:
    return F.pad(x, (margin,) * 4, mode="replicate")
