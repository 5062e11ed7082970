"""A translator's network as films want it on a processor: the same arithmetic in less time.

Instance normalisation that leaves channels together, as convolutions like them, gives 1.5 times the
frames for small networks and 1.1 for wide ones. bf16 gives twice as many where the processor
multiplies in it.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maquette.core.images import Images
from maquette.networks.instance_norm import InstanceNorm
from maquette.workflows.translating_networks import PictureTranslator

_SIDE_BY_SIDE_PX = 2**20  # of all passes together; larger pictures keep several threads busy alone


class QuickNetwork:
    """One direction of a translator, for frames of any size."""

    def __init__(self, translator: PictureTranslator, bf16: bool = False):
        self._family = copy.deepcopy(translator.family)
        self._direction, self._bf16 = translator.direction, bf16
        for module in self._family.modules():
            if isinstance(module, InstanceNorm):
                module.train()  # its quick way; the same values but for rounding

    def __call__(self, images: Images) -> Images:
        ordered = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            return self._family.translate(ordered, self._direction)


def passes_at_once(translator: PictureTranslator, height: int, width: int) -> int:
    """How many passes of the network may go on side by side, each on its share of the threads.

    Threads that share one small picture mostly wait for each other, the more so where something
    else wants the processor too.
    """
    pass_px = max(height * width, translator.pass_px)
    if translator.device.type != "cpu" or height * width > translator.largest_px:
        return 1
    fitting = min(_SIDE_BY_SIDE_PX, translator.largest_px) // pass_px
    return max(1, min(torch.get_num_threads(), fitting))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """For torch in this thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
