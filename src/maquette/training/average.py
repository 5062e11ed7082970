"""The weight average (EMA) that is shown, judged and served: a second family that follows."""

from copy import deepcopy
from itertools import chain

import torch
from torch import Tensor, nn

from maquette.core.family import Family

_RUNNING_STATISTICS = ("running_mean", "running_var")


def averaged_twin(family: Family) -> Family:
    """A frozen copy in evaluation mode."""
    return deepcopy(family).eval().requires_grad_(False)


class Follower:
    """Moves a twin towards the trained family after every step.

    Parameters and running statistics are averaged; other buffers (memories, counters) are copied.
    """

    def __init__(self, twin: Family, family: Family, halflife_images: float, rampup: float):
        self.halflife_images, self.rampup = halflife_images, rampup
        self._slow, self._fast = _averaged(twin), _averaged(family)
        self._copies = list(zip(_copied(twin), _copied(family), strict=True))

    @torch.no_grad()
    def follow(self, batch_size: int, images_seen: int) -> None:
        """One step; the half-life is at most `rampup` of the images seen (Karras et al. 2020)."""
        halflife = min(self.halflife_images, self.rampup * max(images_seen, 1))
        weight = 1 - 0.5 ** (batch_size / halflife)
        torch._foreach_lerp_(self._slow, self._fast, weight)
        for slow, fast in self._copies:
            slow.copy_(fast)


def _is_statistic(name: str, buffer: Tensor) -> bool:
    return name.rpartition(".")[2] in _RUNNING_STATISTICS and buffer.is_floating_point()


def _averaged(module: nn.Module) -> list[Tensor]:
    statistics = (b for name, b in module.named_buffers() if _is_statistic(name, b))
    return list(chain((p.data for p in module.parameters()), statistics))


def _copied(module: nn.Module) -> list[Tensor]:
    return [b for name, b in module.named_buffers() if not _is_statistic(name, b)]
