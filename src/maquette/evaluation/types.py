"""Tensor types for comparing two sets: same shape of picture, not always equally many."""

from jaxtyping import Int, UInt8
from torch import Tensor

RealPixels = UInt8[Tensor, "reals channels height width"]  # values in 0..255
RealLabels = Int[Tensor, "reals"]
GeneratedPixels = UInt8[Tensor, "generated channels height width"]
GeneratedLabels = Int[Tensor, "generated"]
