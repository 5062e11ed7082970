"""Gradient penalties: how steep a discriminator may be at the pictures it looks at."""

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Images, Scalar


def squared_gradient(scores: Float[Tensor, " batch"], images: Images) -> Scalar:
    """Mean over pictures of |d score / d picture|^2, differentiable once more.

    At real pictures this is R1, at generated ones R2 (Mescheder et al. 2018, equations 9 and 10,
    without the factor gamma / 2). `images` must require gradients and `scores` must be computed
    from them, each score from its own picture alone.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3)).mean()
