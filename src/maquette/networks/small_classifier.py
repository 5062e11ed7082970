"""The default classifier: a small residual network, quick on a CPU and light enough for a web page.

Plain 3x3 convolutions: a step takes a CPU half the time of networks of depthwise ones with as many
weights. Every grid costs about the same arithmetic, so most weights sit at the coarsest.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images, ImageSpec
from maquette.networks.grids import levels

# Channels of the coarsest grid, the one before, and so on, in units of the width.
_STAGES = (8, 4, 2, 1)
_DEEP = 3  # so many of the coarsest grids have a residual block


class SmallClassifier(nn.Module):
    """Any height and width from 8 px; width 12, 345 classes, up to 90 px: 309,000 parameters."""

    def __init__(self, spec: ImageSpec, width: int, dropout: float):
        super().__init__()
        left = list(reversed(range(levels(spec))))  # halvings still to come
        channels = [width * _STAGES[min(later, len(_STAGES) - 1)] for later in left]
        self.margin = (0, spec.width % 2, 0, spec.height % 2)
        self.input = normalised(4 * spec.channels, channels[0])
        self.blocks = nn.Sequential()
        for later, before, after in zip(left, channels[:1] + channels, channels, strict=False):
            if later != left[0]:
                self.blocks.extend([nn.MaxPool2d(2, ceil_mode=True), normalised(before, after)])
            if later < _DEEP:
                self.blocks.append(Residual(after))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(channels[-1], len(spec.classes))

    def forward(self, images: Images) -> Float[Tensor, "batch classes"]:
        padded = F.pad(images, self.margin, mode="replicate")
        features = self.blocks(self.input(F.pixel_unshuffle(padded, 2)))  # (B, C, h, w)
        logits: Tensor = self.output(self.dropout(features.mean((2, 3))))
        return logits


class Residual(nn.Module):
    """x + f(x), where f is two convolutions (He et al. 2015, figure 2), the last not rectified."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = normalised(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        changed: Tensor = x + self.norm(self.second(self.first(x)))
        return changed


def normalised(before: int, after: int) -> nn.Sequential:
    """A 3x3 convolution, its batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
