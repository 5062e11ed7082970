"""Tensor types and the batch: what flows between data, families and training.

Images are float32 (B, C, H, W) in [-1, 1]; H and W need not be equal.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

Images = Float[Tensor, "batch channels height width"]  # values in [-1, 1]
Pixels = UInt8[Tensor, "batch channels height width"]  # values in 0..255
Kept = Float[Tensor, "batch 1 height width"]  # 1 where a picture is kept, 0 where it is not
Labels = Int[Tensor, "batch"]  # class indices, -1 where unlabelled
Shares = Float[Tensor, "batch classes"]  # how much of each class, rows summing to 1
Seeds = Int[Tensor, "batch"]  # one per picture
Scalar = Float[Tensor, ""]


@dataclass(frozen=True)
class ImageSpec:
    """What a family must know about the images before it can build its networks."""

    channels: int  # 1 grey or 3 RGB
    height: int  # pixels
    width: int  # pixels
    classes: tuple[str, ...] = ()  # names, in the order of the class indices

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    def __str__(self) -> str:
        colour = {1: "grey", 3: "RGB"}.get(self.channels, f"{self.channels} channels")
        named = f", {len(self.classes)} classes" if self.classes else ""
        return f"{self.height}x{self.width} {colour}{named}"


@dataclass(frozen=True)
class Batch:
    """Images to learn from; the optional parts are present only where the dataset has them."""

    images: Images
    seeds: Seeds  # the only source of randomness a family may use, one per picture
    labels: Labels | None = None
    partners: Images | None = None  # unpaired images of the second domain

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> "Batch":
        return self._each(lambda tensor: tensor.to(device))

    def part(self, index: int, parts: int) -> "Batch":
        """The index-th of so many equal pieces, for micro-batches and for processes."""
        return self._each(lambda tensor: tensor.chunk(parts)[index])

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        present = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: change(v) for k, v in present.items() if v is not None})


def to_float(pixels: Pixels) -> Images:
    """uint8 0..255 to float32 [-1, 1]."""
    return pixels.float() / 127.5 - 1


def to_pixels(images: Images) -> Pixels:
    """float [-1, 1] to uint8 0..255, rounded; values outside are clipped."""
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
