"""Every random choice is a function of a seed, so a resumed run repeats itself exactly.

`noise` and `uniform` hash (seed, position) instead of walking a generator: one seed per picture,
the same numbers on every device, and picture 42 never depends on its neighbours, its micro-batch or
the number of processes.
"""

import hashlib
import math

import torch
from torch import Tensor

from maquette.core.images import Seeds


def derived_seed(*parts: int | str) -> int:
    """A 63-bit seed that differs whenever any part differs."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seed_everything(*parts: int | str) -> None:
    """Point torch's own generators (weight initialisation, dropout) at one place of one run."""
    torch.manual_seed(derived_seed(*parts))


def shuffled(count: int, *parts: int | str) -> Tensor:
    """A permutation of range(count), int64 (count,), on the CPU."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(derived_seed(*parts)))


def picture_seeds(count: int, *parts: int | str) -> Seeds:
    """`count` int64 seeds, one per picture, on the CPU."""
    start = torch.tensor(derived_seed(*parts))
    return _mix(start + torch.arange(count) * _GOLDEN)


def uniform(seeds: Seeds, *shape: int, stream: str = "") -> Tensor:
    """float32 (B, *shape) in [0, 1), one independent sequence for each (seed, stream)."""
    bits = _bits(seeds, math.prod(shape), stream) >> 40 & 0xFFFFFF
    return (bits.float() * 2**-24).reshape(len(seeds), *shape)


def noise(seeds: Seeds, *shape: int, stream: str = "") -> Tensor:
    """Standard normal float32 (B, *shape), one independent sequence for each (seed, stream).

    Box and Muller (1958): sqrt(-2 ln u) cos(2 pi v).
    """
    count = math.prod(shape)
    half = (count + 1) // 2
    bits = _bits(seeds, half, stream)
    u = ((bits >> 32 & 0xFFFFFFFF).double() + 1) * 2**-32  # (0, 1]
    v = (bits & 0xFFFFFFFF).float() * (2 * math.pi * 2**-32)
    radius = u.log().mul(-2).sqrt().float()
    both = torch.cat([radius * v.cos(), radius * v.sin()], dim=1)
    return both[:, :count].reshape(len(seeds), *shape)


# splitmix64 (Steele, Lea, Flood 2014), constants as signed 64-bit numbers. int64 products wrap.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def _mix(state: Tensor) -> Tensor:
    state = (state ^ _shifted(state, 30)) * _FIRST
    state = (state ^ _shifted(state, 27)) * _SECOND
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, bits: int) -> Tensor:
    """Logical right shift; torch's is arithmetic."""
    return state >> bits & (1 << 64 - bits) - 1


def _bits(seeds: Seeds, count: int, stream: str) -> Tensor:
    """64 random bits as int64 (B, count)."""
    start = _mix(seeds ^ derived_seed("stream", stream))
    return _mix(start[:, None] + torch.arange(1, count + 1, device=seeds.device) * _GOLDEN)
