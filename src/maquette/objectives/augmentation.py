"""Differentiable augmentation of what a discriminator sees (Zhao et al. 2020, "DiffAugment").

Real and generated pictures are changed alike, so a small dataset looks larger to the discriminator
while the generator still learns the unchanged pictures. Each kind of change happens to a picture
with a probability (Karras et al. 2020, "ADA"), drawn from the picture's own seed.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images, Scalar, Seeds
from maquette.core.randomness import uniform
from maquette.core.settings import Settings

SHIFT = 1 / 8  # largest translation, as a share of the side (DiffAugment, section 4.1)
HOLE = 1 / 2  # side of the hole, as a share of the side (the same)


class AugmentationSettings(Settings):
    """What is done to pictures on their way into the discriminator."""

    colour: bool = True
    """Change brightness, saturation and contrast."""

    translation: bool = True
    """Move pictures by up to an eighth of their side and fill with mid-grey."""

    cutout: bool = True
    """Cover a hole half as high and half as wide as the picture with mid-grey."""


def augment(
    images: Images, seeds: Seeds, strength: Scalar, settings: AugmentationSettings, stream: str
) -> Images:
    """Each chosen kind of change with probability `strength` (0 to 1); the same size.

    Pictures do not influence each other; another `stream` gives other changes for the same seeds.
    Values may leave [-1, 1]: the discriminator sees them unclipped, so gradients survive.
    """
    chosen = {
        "colour": (settings.colour, recolour),
        "translation": (settings.translation, translate),
        "cutout": (settings.cutout, cut_out),
    }
    for name, (wanted, change) in chosen.items():
        if wanted:
            happens = uniform(seeds, stream=f"{stream}/{name}/happens") < strength
            images = change(images, seeds, happens, f"{stream}/{name}")
    return images


def recolour(images: Images, seeds: Seeds, happens: Bool[Tensor, " batch"], stream: str) -> Images:
    """Brightness +-0.5, saturation x 0..2, contrast x 0.5..1.5, in this order."""
    drawn = torch.where(happens[:, None], uniform(seeds, 3, stream=stream), 0.5).to(images.dtype)
    brightness, saturation, contrast = drawn[:, :, None, None, None].unbind(1)  # (B, 1, 1, 1)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    level = images.mean((1, 2, 3), keepdim=True)
    return level + (images - level) * (contrast + 0.5)


def translate(images: Images, seeds: Seeds, happens: Bool[Tensor, " batch"], stream: str) -> Images:
    """A whole number of pixels up to an eighth of each side; uncovered parts become 0."""
    height, width = images.shape[2:]
    reach = torch.tensor([int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)], device=seeds.device)
    drawn = (uniform(seeds, 2, stream=stream) * (2 * reach + 1)).floor().long()  # 0 .. 2 reach
    top, left = torch.where(happens[:, None], drawn, reach).unbind(1)
    margin = int(reach[1]), int(reach[1]), int(reach[0]), int(reach[0])
    padded = F.pad(images, margin)
    rows = top[:, None] + torch.arange(height, device=seeds.device)
    columns = left[:, None] + torch.arange(width, device=seeds.device)
    places = (rows[:, :, None] * padded.shape[3] + columns[:, None, :]).flatten(1)  # (B, H W)
    places = places[:, None].expand(-1, images.shape[1], -1)
    return padded.flatten(2).gather(2, places).view_as(images)


def cut_out(images: Images, seeds: Seeds, happens: Bool[Tensor, " batch"], stream: str) -> Images:
    """A hole of 0, half the height and width, centred anywhere in the picture."""
    height, width = images.shape[2:]
    centres = uniform(seeds, 2, stream=stream)
    rows = _covered(centres[:, 0], height)
    columns = _covered(centres[:, 1], width)
    hole = happens[:, None, None] & rows[:, :, None] & columns[:, None, :]
    return images.masked_fill(hole[:, None], 0.0)


def _covered(centres: Float[Tensor, " batch"], side: int) -> Bool[Tensor, "batch side"]:
    """Which of the rows (or columns) a hole covers; centres are shares of the side."""
    middle = (centres * side).floor()[:, None]
    offset = torch.arange(side, device=centres.device) - middle + side * HOLE / 2
    return (offset >= 0) & (offset < side * HOLE)


def adapted(
    strength: Scalar, verdicts: Float[Tensor, " batch"], target: float, pace_images: int
) -> Scalar:
    """The strength after seeing this batch, 0 to 1 (Karras et al. 2020, section 3.1).

    `verdicts` is +1 for each real picture the discriminator takes for real and -1 for the others;
    a mean above `target` means overfitting. Unlike the paper's fixed step the change is
    proportional to the distance from the target, so that micro-batches add up to the whole batch.
    """
    return (strength + (verdicts - target).sum() / pace_images).clamp(0, 1)
