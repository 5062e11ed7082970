"""What happens to frames of films: bars off, smaller where asked, translated, bars on again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from maquette.core.images import Pixels
from maquette.data.pictures.content import Box, Raster
from maquette.video.facts import FilmFacts
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_pictures import reduced
from maquette.workflows.translating_quickly import passes_at_once

_BATCHES = (8, 4, 2, 1)
_LUMA = np.array([299, 587, 114], np.uint32)  # of 1000; ITU-R BT.601, as mode L of Pillow


@dataclass(frozen=True)
class Change:
    """One frame and what the network makes of it; batches of one."""

    shown: Raster  # whole, at the size of the result
    source: Pixels  # within the bars
    made: Pixels


class FrameChanger:
    """For the frames of one film."""

    def __init__(self, facts: FilmFacts, translator: PictureTranslator, wish: Wish):
        self._translator, self._compare = translator, wish.compare
        width, height = reduced((facts.width, facts.height), wish.shorter_px)
        self._size = width, height
        self._smaller = (width, height) != (facts.width, facts.height)
        across, down = width / facts.width, height / facts.height
        left, top, right, bottom = facts.picture
        self._box = Box(
            round(left * across), round(top * down), round(right * across), round(bottom * down)
        )
        self.passes_at_once = passes_at_once(translator, *self.picture_size)
        self.threads_each = torch.get_num_threads() // self.passes_at_once

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of what the network gets."""
        left, top, right, bottom = self._box
        return bottom - top, right - left

    @property
    def batch_frames(self) -> int:
        """How many frames are best translated together."""
        height, width = self.picture_size
        return next(n for n in _BATCHES if n == 1 or n * height * width <= self._translator.pass_px)

    @property
    def device(self) -> torch.device:
        """Where they are translated."""
        return self._translator.device

    def translated(self, shown: Sequence[Raster]) -> list[Change]:
        """Each frame with its picture, as the network sees it, and the translation of that."""
        left, top, right, bottom = self._box
        whole = [self._sized(raster) for raster in shown]
        within = np.stack([raster[top:bottom, left:right] for raster in whole])
        if self._translator.spec.channels == 1:
            within = ((within * _LUMA).sum(3, keepdims=True) // 1000).astype(np.uint8)
        source = torch.from_numpy(within).permute(0, 3, 1, 2)
        parts = torch.split(source, 1), torch.split(self._translator(source), 1)
        return [Change(*one) for one in zip(whole, *parts, strict=True)]

    def composed(self, change: Change, made: Pixels) -> Raster:
        """The whole frame with `made` in place of its picture."""
        left, top, right, bottom = self._box
        after = change.shown.copy()
        after[top:bottom, left:right] = made[0].permute(1, 2, 0).numpy()  # grey fills all three
        if not self._compare:
            return after
        before = change.shown.copy()
        before[top:bottom, left:right] = change.source[0].permute(1, 2, 0).numpy()
        return np.hstack([before, after])

    def _sized(self, raster: Raster) -> Raster:
        if not self._smaller:
            return raster
        image = Image.fromarray(raster)
        return np.asarray(image.resize(self._size, Image.Resampling.LANCZOS, reducing_gap=3))
