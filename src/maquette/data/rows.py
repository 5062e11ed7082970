"""Where pixels are kept: in a tensor on some device, or in memory-mapped shards on disk.

Both keep channels last, so that what they return is already in torch's channels_last layout.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from maquette.core.images import Pixels

RowNumbers = Int[Tensor, "batch"]


class Rows(ABC):
    """Random access to uint8 pictures by row number."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def bytes_each(self) -> int: ...

    @abstractmethod
    def read(self, rows: RowNumbers) -> Pixels:
        """The pictures of these rows, in this order, channels_last, on the device that has them."""


class ResidentRows(Rows):
    """Every picture in one tensor."""

    def __init__(self, pixels: Pixels):
        self._pixels = pixels.permute(0, 2, 3, 1).contiguous()

    def __len__(self) -> int:
        return len(self._pixels)

    @property
    def bytes_each(self) -> int:
        return self._pixels[0].numel()

    def read(self, rows: RowNumbers) -> Pixels:
        # index_select copies whole pictures; indexing with [rows] is 18 times slower on a CPU.
        return self._pixels.index_select(0, rows.to(self._pixels.device)).permute(0, 3, 1, 2)


class MappedRows(Rows):
    """Rows start..stop of the shards laid end to end; only what is asked for is read."""

    def __init__(self, shards: Sequence[np.ndarray], start: int, stop: int):
        self._shards, self._start, self._stop = shards, start, stop
        self._ends = np.cumsum([len(shard) for shard in shards])

    def __len__(self) -> int:
        return self._stop - self._start

    @property
    def bytes_each(self) -> int:
        return int(np.prod(self._shards[0].shape[1:]))

    def read(self, rows: RowNumbers) -> Pixels:
        wanted = rows.cpu().numpy() + self._start
        # Sorted, because a disk (and the page cache) reads forwards much faster than to and fro.
        order = np.argsort(wanted, kind="stable")
        shard_of = np.searchsorted(self._ends, wanted[order], side="right")
        pixels = np.empty((len(wanted), *self._shards[0].shape[1:]), np.uint8)
        for index in np.unique(shard_of):
            here = order[shard_of == index]
            shard = self._shards[index]
            pixels[here] = shard[wanted[here] - (self._ends[index] - len(shard))]
        return torch.from_numpy(pixels).permute(0, 3, 1, 2)


class ChosenRows(Rows):
    """Some of another's rows, under new numbers."""

    def __init__(self, rows: Rows, numbers: RowNumbers):
        self._rows, self._numbers = rows, numbers.cpu()

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def bytes_each(self) -> int:
        return self._rows.bytes_each

    def read(self, rows: RowNumbers) -> Pixels:
        return self._rows.read(self._numbers[rows.cpu()])
