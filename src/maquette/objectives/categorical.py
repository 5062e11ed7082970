"""Losses of a discriminator that answers with K real classes and, last, "generated".

All are the cross-entropy between answers and one category for each picture; who is asked about what
makes the game (Tan et al. 2017, section 3; Salimans et al. 2016, section 5, for softmax).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images, Labels, Scalar

Answers = Float[Tensor, "batch categories"]  # unnormalised
Answering = Literal["sigmoid", "softmax"]


def cross_entropy(answers: Answers, labels: Labels, answering: Answering) -> Scalar:
    """How surprised the answers are by these categories, in nats, averaged over the pictures.

    softmax: -log p_k, the categories exclude each other. sigmoid: -log p_k - sum over i != k of
    log(1 - p_i), each category is a question of its own. A picture without a label (-1) counts for
    nothing, but it is one of the pictures that are averaged over, so that micro-batches add up.
    """
    known = labels >= 0
    targets = F.one_hot(labels.clamp(min=0), answers.shape[1]).to(answers.dtype)
    if answering == "softmax":
        each = -(targets * answers.log_softmax(1)).sum(1)
    else:
        each = F.binary_cross_entropy_with_logits(answers, targets, reduction="none").sum(1)
    return torch.where(known, each, 0).sum() / len(answers)


def called_generated(answers: Answers) -> Bool[Tensor, " batch"]:
    """Whether "generated" is the likeliest answer of all."""
    return answers.argmax(1) == answers.shape[1] - 1


def squared_error(images: Images, redrawn: Images) -> Scalar:
    """Mean squared difference of the pixels (the paper's L2), both in [-1, 1], counted in [0, 1]
    as the paper does."""
    return (images - redrawn).square().mean() / 4
