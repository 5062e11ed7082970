"""In which order pictures are shown: endless, and with random access to every position.

An order is a function of (seed, stream, position) and of nothing else.
"""

from abc import ABC, abstractmethod
from functools import lru_cache, partial

import torch
from jaxtyping import Int
from torch import Tensor

from maquette.core.images import Labels
from maquette.core.randomness import shuffled
from maquette.data.rows import RowNumbers

Positions = Int[Tensor, "batch"]


class Order(ABC):
    """An endless sequence of row numbers for every (seed, stream)."""

    @abstractmethod
    def rows(self, positions: Positions, seed: int, stream: str) -> RowNumbers:
        """The rows at these positions, which rise."""


class ShuffledOrder(Order):
    """Every epoch shows every picture exactly once, in an order of its own."""

    def __init__(self, count: int):
        self._count = count
        self._permutation = lru_cache(maxsize=2)(partial(shuffled, count))

    def rows(self, positions: Positions, seed: int, stream: str) -> RowNumbers:
        epochs, places = positions // self._count, positions % self._count
        rows = torch.empty_like(positions)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            rows[here] = self._permutation(seed, stream, epoch)[places[here]]
        return rows


class BalancedOrder(Order):
    """Every round shows every class exactly once, in an order of its own; a class shows all of its
    pictures before it shows one again. Pictures without a label (-1) are not shown."""

    def __init__(self, labels: Labels):
        labels = labels.cpu()
        each = [(labels == kind).nonzero()[:, 0] for kind in range(int(labels.max()) + 1)]
        self._classes = [pictures for pictures in each if len(pictures)]
        # Of this round and the next, and of this and the next epoch of every class.
        self._permutation = lru_cache(maxsize=2 + 2 * len(self._classes))(shuffled)

    def rows(self, positions: Positions, seed: int, stream: str) -> RowNumbers:
        found = [self._row(position, seed, stream) for position in positions.tolist()]
        return torch.tensor(found, dtype=torch.long)

    def _row(self, position: int, seed: int, stream: str) -> int:
        count = len(self._classes)
        turn, place = divmod(position, count)
        kind = int(self._permutation(count, seed, stream, "round", turn)[place])
        pictures = self._classes[kind]
        epoch, nth = divmod(turn, len(pictures))
        order = self._permutation(len(pictures), seed, stream, "class", kind, epoch)
        return int(pictures[order[nth]])
