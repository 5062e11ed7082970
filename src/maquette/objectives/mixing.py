"""What a classifier is asked to answer: in part another class, and nothing with full certainty.

Targets are probabilities for each class. A picture without a label (-1) has none at all, and so
counts for nothing in a cross-entropy.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Images, Labels, Seeds
from maquette.core.randomness import uniform

Targets = Float[Tensor, "batch classes"]  # probabilities


def mixed(
    images: Images, labels: Labels, classes: int, seeds: Seeds, alpha: float
) -> tuple[Images, Targets]:
    """Mixup: each picture over the one before it, and both labels in the same proportion.

    The share of the picture itself is drawn from Beta(alpha, alpha) by its own seed (Zhang et al.
    2018, equation 1) and is at least a half, so that the first label stays the main one. alpha 0
    mixes nothing.
    """
    targets = (labels[:, None] == torch.arange(classes, device=labels.device)).float()
    if alpha == 0:
        return images, targets
    drawn = symmetric_beta(uniform(seeds, 2, stream="mixup"), alpha)
    share = torch.maximum(drawn, 1 - drawn)
    over, under = share[:, None, None, None], (1 - share)[:, None, None, None]
    images = over * images + under * images.roll(1, 0)
    return images, share[:, None] * targets + (1 - share)[:, None] * targets.roll(1, 0)


def smoothed(targets: Targets, share: float) -> Targets:
    """This share of the certainty spread over all classes (Szegedy et al. 2016, section 7)."""
    return (1 - share) * targets + share * targets.mean(1, keepdim=True)


def symmetric_beta(drawn: Float[Tensor, "batch 2"], alpha: float) -> Float[Tensor, " batch"]:
    """Beta(alpha, alpha) from two uniform numbers in [0, 1) each.

    Devroye 1996, "Random variate generation in one line of code", section 4; rewritten so that
    nothing overflows for a small alpha.
    """
    u, v = drawn.double().unbind(1)
    w, c = (1 - u) ** (1 / alpha), (2 * math.pi * v).cos()
    share = 0.5 + 0.5 * c * ((1 - w) / (w + (1 - w) * c**2)).sqrt()
    return share.clamp(0, 1).float()  # rounding may leave it
