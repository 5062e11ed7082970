"""Pictures moved as a whole in a batch: mirrored, and shifted with their edges mirrored outwards.

A network that always sees the same frame learns where its edges are, and paints by place.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from maquette.core.images import Images, Seeds
from maquette.core.randomness import uniform


@dataclass(frozen=True)
class Moves:
    """What is done to pictures, drawn anew in every batch."""

    mirror: bool = False
    """Flip half of them left to right."""
    shift: float = 0.0
    """Up to this share of each side, either way; 0 to 0.25."""

    def moved(self, images: Images, seeds: Seeds, whose: str = "") -> Images:
        """The same shape; `whose` gives another domain's pictures moves of their own."""
        if self.mirror:
            flipped = (uniform(seeds, 1, stream=f"mirror{whose}") < 0.5).to(images.device)
            images = torch.where(flipped[:, :, None, None], images.flip(-1), images)
        if self.shift:
            images = self._shifted(images, uniform(seeds, 2, stream=f"shift{whose}"))
        return images

    def _shifted(self, images: Images, drawn: torch.Tensor) -> Images:
        """Cut from the picture and its reflection around it, by whole pixels."""
        height, width = images.shape[2:]
        reach = torch.tensor([int(height * self.shift), int(width * self.shift)])
        starts = (drawn.cpu() * (2 * reach + 1)).long().tolist()
        rows, columns = reach.tolist()
        around = F.pad(images, (columns, columns, rows, rows), mode="reflect")
        cut = [
            picture[:, top : top + height, left : left + width]
            for picture, (top, left) in zip(around, starts, strict=True)
        ]
        return torch.stack(cut).contiguous(memory_format=torch.channels_last)


NO_MOVES = Moves()
