"""The classic small VGG of drawing sites: pairs of convolutions, pooling, and a dense head.

After Simonyan and Zisserman 2014, without normalisation as in those days, two or three blocks deep.
"""

import math
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.images import Images, ImageSpec
from maquette.networks.grids import coarse_grid

_DENSE = 16  # units of the dense layer, in units of the width


class Vgg(nn.Module):
    """Blocks of 2, 4, 8 ... widths of channels, each at half the grid, to one of about 7x7."""

    def __init__(self, spec: ImageSpec, width: int, dropout: float):
        super().__init__()
        blocks = max(1, round(math.log2(min(spec.height, spec.width) / 7)))
        channels = [spec.channels, *(2 * width * 2**block for block in range(blocks))]
        rows, columns = coarse_grid(spec, blocks)
        self.blocks = nn.Sequential()
        for before, after in pairwise(channels):
            self.blocks.extend(
                [
                    nn.Conv2d(before, after, 3, padding=1),
                    nn.ReLU(),
                    nn.Conv2d(after, after, 3, padding=1),
                    nn.ReLU(),
                    nn.MaxPool2d(2, ceil_mode=True),
                ]
            )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels[-1] * rows * columns, _DENSE * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(_DENSE * width, len(spec.classes)),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, images: Images) -> Float[Tensor, "batch classes"]:
        logits: Tensor = self.head(self.blocks(images))
        return logits
