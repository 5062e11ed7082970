"""What happens to frames of films: bars off, smaller where asked, translated, bars on again."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from maquette.core.images import Pixels
from maquette.data.pictures.content import Box, Raster
from maquette.video.facts import FilmFacts
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_pictures import reduced

_LUMA = np.array([299, 587, 114], np.uint32)  # of 1000; ITU-R BT.601, as mode L of Pillow


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

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of what the network gets."""
        left, top, right, bottom = self._box
        return bottom - top, right - left

    def translated(self, shown: Sequence[Raster]) -> tuple[Pixels, Pixels]:
        """The pictures within the bars, as the network sees them, and their translations."""
        left, top, right, bottom = self._box
        within = np.stack([self._sized(raster)[top:bottom, left:right] for raster in shown])
        if self._translator.spec.channels == 1:
            within = ((within * _LUMA).sum(3, keepdims=True) // 1000).astype(np.uint8)
        source = torch.from_numpy(within).permute(0, 3, 1, 2)
        return source, self._translator(source)

    def composed(self, shown: Raster, source: Pixels, made: Pixels) -> Raster:
        """One whole frame with its translation in place of the picture; batches of one."""
        before = self._sized(shown)
        left, top, right, bottom = self._box
        after = before.copy()
        after[top:bottom, left:right] = made[0].permute(1, 2, 0).numpy()  # grey fills all three
        if not self._compare:
            return after
        before = before.copy()
        before[top:bottom, left:right] = source[0].permute(1, 2, 0).numpy()
        return np.hstack([before, after])

    def _sized(self, raster: Raster) -> Raster:
        if not self._smaller:
            return raster
        image = Image.fromarray(raster)
        return np.asarray(image.resize(self._size, Image.Resampling.LANCZOS, reducing_gap=3))
