"""A graph that draws: points of a pen in, the picture a classifier was trained on out.

A browser runs it, exported to ONNX, with the arithmetic datasets are built with (`core/strokes`):
every line is measured from every sample, which needs no loop and no choice that depends on data.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.images import Pixels
from maquette.core.strokes import Lines, painted, placed, samples


class Rasteriser(nn.Module):
    """One drawing, its points as in `core/strokes`, to a batch of one picture, as stored."""

    def __init__(self, channels: int, height: int, width: int):
        """`channels`: 1 for ink; 3 for ink, order of the strokes and progress of the pen."""
        super().__init__()
        self.channels, self.size = channels, (height, width)

    def forward(self, points: Float[Tensor, "_points 3"]) -> Pixels:
        height, width = self.size
        finer = samples(height, width)
        lines = Lines(*(part[:, None, None] for part in placed(points, height, width, torch)))
        x, y = (
            (torch.arange(side * finer, device=points.device) + 0.5) / finer
            for side in (width, height)
        )
        drawn = painted(lines, x, y[:, None], self.size, self.channels, torch)
        fine = torch.stack([channel.amax(0) for channel in drawn])
        values = fine.reshape(1, self.channels, height, finer, width, finer).mean((3, 5))
        return (values * 255 + 0.5).to(torch.uint8)
