"""Describes pictures by rows of numbers that are near each other where pictures look alike.

A trained network sees what is shown and needs a file of weights; without one, tones and edges do.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image

from maquette.data.findings.thumbnails import Thumbnails
from maquette.data.findings.tones_and_edges import TonesAndEdges
from maquette.data.pictures.content import Raster

_AT_ONCE = 16  # pictures in the network: about 100 MB
_BLOCK = 512  # pictures described before somebody looks at them
# Thumbnails have 160 px. At 192 more was told apart than at 128, 160, 224, 256 or 288
# (docs/notebook.md), for three quarters of the time that the usual 224 take.
_SIDE_PX = 192
_DIMS = 512
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours


@runtime_checkable
class Describer(Protocol):
    """What turns pictures into numbers."""

    name: str  # for a person: "tones and edges"

    def describe(self, rasters: Iterable[Raster]) -> Float32[np.ndarray, "pictures dims"]:
        """One row for each picture: grey or RGB, any size."""


class SqueezeNet:
    """The last features of SqueezeNet 1.1, averaged over the picture; 10 ms a picture on a core.

    Rows are the square roots of the features' shares, so that their distance is Hellinger's, with
    unit length; without the root, a few strong features speak for all. Pictures are stretched to a
    square.
    """

    name = "SqueezeNet 1.1"

    def __init__(self, weights: Path):
        """MaquetteError when the file does not hold torchvision's `squeezenet1_1` weights."""
        from maquette.networks.squeezenet import load_squeezenet

        self._features = load_squeezenet(weights).features

    def describe(self, rasters: Iterable[Raster]) -> Float32[np.ndarray, "pictures 512"]:
        """Few pictures are in memory at once, the rows of all are."""
        import torch

        rows = [np.empty((0, _DIMS), np.float32)]
        remaining = iter(rasters)
        while some := list(islice(remaining, _AT_ONCE)):
            pixels = torch.from_numpy(np.stack([_squared(raster) for raster in some]))
            with torch.no_grad():
                rows.append(self._features(pixels.movedim(3, 1)).mean((2, 3)).numpy())
        roots = np.sqrt(np.concatenate(rows))
        roots /= np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-6)
        return roots


def _squared(raster: Raster) -> Float32[np.ndarray, "192 192 3"]:
    """As ImageNet's networks want it; Pillow's bilinear is antialiased."""
    image = Image.fromarray(raster.squeeze()).convert("RGB")
    small = image.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR)
    normal: np.ndarray = (np.asarray(small, np.float32) / 255 - _MEAN) / _DEVIATION
    return normal.astype(np.float32)


def open_describer(weights: Path | None) -> Describer:
    """SqueezeNet with these weights, or tones and edges, which need none."""
    return TonesAndEdges() if weights is None else SqueezeNet(weights)


def described(
    describer: Describer, thumbnails: Thumbnails, pictures: Sequence[int]
) -> Iterator[tuple[Sequence[int], Float32[np.ndarray, "block dims"]]]:
    """These pictures of a survey block by block, so that any number needs little memory."""
    for start in range(0, len(pictures), _BLOCK):
        block = pictures[start : start + _BLOCK]
        yield block, describer.describe(thumbnails.raster(index) for index in block)
