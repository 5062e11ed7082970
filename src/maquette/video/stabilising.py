"""Steadier translations: what was changed a frame ago is carried along and changed alike.

The blend of Ruder et al. 2016 and Lai et al. 2018 without their training. Notable: what is carried
along is the *change* (translation minus source), not the picture, so that however long it goes on
nothing of the source gets blurred. Where the source's own past does not agree (something uncovered,
a cut), the new translation stands.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Images, Pixels, to_float, to_pixels
from maquette.video.flow import AnyFlow, flow_between, inside, resized_flow, warped

LOOKED_AT_PX = 256  # longest side of the pictures whose motion is followed
WATCHED_EVERY = 4  # frames, where flicker is only measured: following motion costs time
_KEPT = 0.9  # of the past, where it agrees fully
_AGREEING = 0.12  # difference in [-1, 1] (15 grey levels) at which a third of that is left
_AROUND_PX = 5  # differences are averaged over so many pixels, so that grain is no disagreement


@dataclass(frozen=True)
class Moved:
    """Two frames at a small size, the one before warped onto the one now."""

    source: Images
    source_before: Images
    made: Images
    made_before: Images
    within: Float[Tensor, "1 1 height width"]  # 1 where the past was inside the film


@dataclass(frozen=True)
class Past:
    """The frame before: all that there is to remember."""

    source: Pixels  # (1, C, H, W)
    made: Pixels


class Stabiliser:
    """Takes frames in order."""

    def __init__(self, steady: bool, past: Past | None = None, device: torch.device | str = "cpu"):
        """Without `steady` it only watches one frame in WATCHED_EVERY; computes on `device`."""
        self._kept = _KEPT if steady else 0.0
        self._device, self._seen = torch.device(device), 0
        self.past = past

    def __call__(self, source: Pixels, made: Pixels) -> tuple[Pixels, Moved | None]:
        """One source frame and its translation; what to show, and how it compares with before.

        None where it did not watch: there is no frame before, or one of another size.
        """
        # In one order of memory: another rounds differently, and what is resumed must not.
        source, made = source.contiguous(), made.contiguous()
        past, moved = self.past, None
        due = bool(self._kept) or self._seen % WATCHED_EVERY == 0
        if due and past is not None and past.source.shape == source.shape:
            small = [self._small(x) for x in (source, past.source, past.made)]
            flow = flow_between(small[1], small[0])
            if self._kept:
                images = [self._floats(x) for x in (source, made)]
                made = self._steadied(images[0], images[1], past, flow).cpu()
            before = [warped(x, flow) for x in small[1:]]
            moved = Moved(small[0], before[0], self._small(made), before[1], inside(flow))
        self.past, self._seen = Past(source, made), self._seen + 1
        return made, moved

    def _steadied(self, source: Images, made: Images, past: Past, flow: AnyFlow) -> Pixels:
        whole = resized_flow(flow, *source.shape[2:])
        both = warped(torch.cat([self._floats(past.source), self._floats(past.made)], 1), whole)
        channels = source.shape[1]
        source_before, made_before = both[:, :channels], both[:, channels:]
        apart = (source - source_before).abs().amax(1, keepdim=True)
        apart = F.avg_pool2d(
            F.pad(apart, (_AROUND_PX // 2,) * 4, mode="replicate"), _AROUND_PX, stride=1
        )
        trust = self._kept * torch.exp(-((apart / _AGREEING) ** 2)) * inside(whole)
        change = made - source
        return to_pixels(source + change + trust * (made_before - source_before - change))

    def _floats(self, pixels: Pixels) -> Images:
        return to_float(pixels.to(self._device))

    def _small(self, pixels: Pixels) -> Float[Tensor, "1 channels _ _"]:
        """Reduced to LOOKED_AT_PX; smaller frames as they are."""
        images = self._floats(pixels)
        height, width = images.shape[2:]
        scale = min(1.0, LOOKED_AT_PX / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        return F.interpolate(images, size, mode="area") if scale < 1 else images
