"""Pictures made small, for measures that look at the layout and not at the detail."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Pixels


def thumbnails(pixels: Pixels, longest_px: int) -> Float[Tensor, "batch channels h w"]:
    """Area averages in [0, 1], the longer side at most `longest_px`, never enlarged."""
    height, width = pixels.shape[2:]
    scale = min(1, longest_px / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return F.interpolate(pixels.float() / 255, size=size, mode="area")
