"""What a classifier got wrong, to look at: pictures in the order of its mistakes, those framed."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from maquette.core.images import Images, Labels


def mistakes_first(
    images: Images, probabilities: Float[Tensor, "batch classes"], labels: Labels
) -> Images:
    """The same pictures from the surest mistake to the surest right answer; mistakes are framed.

    Those without a label (-1) come last and without a frame.
    """
    known = labels >= 0
    place = labels.clamp(min=0)[:, None]
    right = probabilities.gather(1, place)[:, 0]
    others = probabilities.scatter(1, place, 0.0).amax(1)
    lead = torch.where(known, right - others, 2.0)  # -1 a sure mistake, 1 surely right
    order = lead.argsort(stable=True)
    return framed(images[order], lead[order] < 0)


def framed(images: Images, which: Bool[Tensor, " batch"]) -> Images:
    """The same, with a frame inside some: black, and in it red, or white where there is no red.

    The black keeps a white frame apart from the white paper that pictures are shown on.
    """
    channels, height, width = images.shape[1:]
    rows, columns = (torch.arange(side, device=images.device) for side in (height, width))
    down, right = (
        torch.minimum(rows, height - 1 - rows),
        torch.minimum(columns, width - 1 - columns),
    )
    inwards = torch.minimum(down[:, None], right[None])  # px from the nearest edge
    px = max(1, min(height, width) // 32)
    bright = torch.tensor([1.0, -1.0, -1.0] if channels == 3 else [1.0], device=images.device)
    frame = torch.where(inwards < px, -1.0, bright[:, None, None])
    return torch.where(which[:, None, None, None] & (inwards < 2 * px), frame, images)
