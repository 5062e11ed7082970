"""Muon: steps that are orthogonal matrices (Jordan et al. 2024, "Muon: an optimizer for hidden
layers in neural networks").

PyTorch has it too, always in bfloat16 though, which processors without it emulate: there its step
would take longer than all the rest of training (docs/decisions/0015).
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # steep at 0: small singular values grow soonest
LENGTH = 0.2  # root mean square of a step at rate 1, as of Adam's (Liu et al. 2025, section 2.2)

Matrix = Float[Tensor, "rows columns"]


class Muon:
    """Momentum (Nesterov's) made orthogonal, for parameters that are matrices when the indices
    after the first are taken together: a row for each output of a layer or convolution, for each
    input of a transposed one."""

    def __init__(self, weights: Mapping[str, nn.Parameter], momentum: float, weight_decay: float):
        self.weights, self.momentum, self.weight_decay = weights, momentum, weight_decay
        self.averages: dict[str, Tensor] = {}  # of gradients

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every weight that has a gradient."""
        for name, weight in self.weights.items():
            if weight.grad is None:
                continue
            if name not in self.averages:
                self.averages[name] = torch.zeros_like(weight, requires_grad=False)
            average = self.averages[name].lerp_(weight.grad, 1 - self.momentum)
            ahead = weight.grad.lerp(average, self.momentum).flatten(1)
            step = orthogonal(ahead) * (LENGTH * max(ahead.shape) ** 0.5)
            weight.mul_(1 - rate * self.weight_decay)
            weight.sub_(rate * step.reshape(weight.shape))

    def state(self) -> dict[str, Tensor]:
        """The averages, shaped as the weights, by name."""
        return dict(self.averages)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.averages = {
            name: torch.empty_like(self.weights[name], requires_grad=False).copy_(tensor)
            for name, tensor in tensors.items()
        }


def orthogonal(matrix: Matrix) -> Matrix:
    """float32, singular values brought near 1 (0.7 to 1.2), those far below the largest less far.

    Jordan's Newton-Schulz iteration X <- (a + b A + c A^2) X with A = X X^T. All its factors are
    polynomials of the first A and commute, so that only they are iterated, and X, of which one
    side may be long, is multiplied once: less than half of the arithmetic for convolutions of 3x3.
    """
    wide = matrix.float()
    if matrix.shape[0] > matrix.shape[1]:
        wide = wide.T
    wide = wide / wide.norm().clamp(min=1e-7)
    a, b, c = QUINTIC
    square = wide @ wide.T
    identity = torch.eye(len(square), device=square.device)
    factor = identity
    for last in (False,) * (ITERATIONS - 1) + (True,):
        step = torch.addmm(torch.add(a * identity, square, alpha=b), square, square, alpha=c)
        factor = step @ factor
        if not last:
            square = step @ square @ step
    made: Matrix = factor @ wide
    return made.T if matrix.shape[0] > matrix.shape[1] else made
