"""Instance normalisation that keeps the memory layout of convolutions (channels_last) on a CPU.

torch's own copies such a picture into another layout, and the next convolution copies it back: more
time than the normalisation itself. Batch normalisation of one picture is the same arithmetic, and
has code for either layout.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class InstanceNorm(nn.InstanceNorm2d):
    """torch's, faster while learning on a CPU; the same values but for rounding."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        pictures = [
            F.batch_norm(picture, None, None, training=True, eps=self.eps)
            for picture in x.chunk(len(x))
        ]
        return torch.cat(pictures) if len(pictures) > 1 else pictures[0]
