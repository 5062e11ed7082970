"""How far the network's answers are off, by what it was asked about: for curves and reports."""

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Scalar
from maquette.noising.jumps import Kinds


def error_notes(
    errors: Float[Tensor, " batch"], shares: Float[Tensor, " batch"], kinds: Kinds | None
) -> dict[str, Scalar]:
    """Mean errors of pictures with much noise, with little, and of those that learn a jump."""
    jumping = torch.zeros_like(shares) if kinds is None else (kinds > 0).float()
    noisy = (1 - jumping) * (shares > 0.5)
    sorts = {"noisy": noisy, "clear": 1 - jumping - noisy}
    if kinds is not None:
        sorts["jumps"] = jumping
    return {
        f"error_of_{name}": (errors * among).sum() / among.sum().clamp(min=1)
        for name, among in sorts.items()
    }
