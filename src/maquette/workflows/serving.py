"""How a run prepares what it is given: as the pictures it learnt from, wherever it is asked."""

from typing import cast

import numpy as np
import torch

from maquette.core.errors import DatasetError
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
from maquette.data.pictures.content import Content, Drawing, Raster
from maquette.data.pictures.looking import Bench
from maquette.data.pictures.preparation import Fit
from maquette.data.sizes import ImageSize
from maquette.runs.folder import Run

PAPER = 127.5  # mean level of a border from which a drawing is taken for one on paper


_SEEN = 256  # pictures that tell bright on dark from dark on bright


def preparation_of(run: Run) -> Bench:
    """As its dataset says, or, where that is gone, as datasets are made when nothing is chosen."""
    spec = run.spec
    strokes = bool(run.info["dataset"].get("stroke_channels"))
    fit, keep_bars = "cover", False
    try:
        policy = read_manifest(run.dataset_path)[0].policy
        fit, keep_bars = policy.fit, policy.bars == "kept"
    except DatasetError:
        pass
    size = ImageSize(spec.height, spec.width)
    return Bench(size, spec.channels, cast(Fit, fit), keep_bars, strokes)


def as_learnt(pixels: Raster, content: Content, bench: Bench, turns_over: bool) -> Raster:
    """What the bench made of this content, as the pictures that a run learnt from are drawn.

    Dark on bright is turned over for one that learnt bright on dark (`turns_over`). A picture does
    not tell when its lines were drawn: beside ink, strokes get half of it for order and progress.
    """
    if isinstance(content, Drawing):
        return pixels
    pixels = _on_dark(pixels) if turns_over else pixels
    if bench.stroke_channels:
        ink = pixels[..., :1]
        pixels = np.concatenate([ink, *[ink - ink // 2] * (bench.channels - 1)], axis=-1)
    return pixels


def _on_dark(pixels: Raster) -> Raster:
    """The same, light and dark swapped where its border is bright."""
    edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    bright = np.concatenate([edge.reshape(-1) for edge in edges]).mean() > PAPER
    return 255 - pixels if bright else pixels


def reads_drawings(run: Run) -> bool:
    """Whether a pen can draw what it learnt from: strokes, or grey pictures bright on dark.

    Where the dataset is gone, grey pictures are taken for such.
    """
    if run.info["dataset"].get("stroke_channels"):
        return True
    if run.spec.channels != 1:
        return False
    try:
        dataset = open_dataset(run.dataset_path)
    except DatasetError:
        return True
    pixels = dataset.pictures(torch.arange(min(_SEEN, len(dataset)))).float()
    edges = [pixels[..., 0, :], pixels[..., -1, :], pixels[..., 0], pixels[..., -1]]
    return dataset.keeps_strokes or bool(torch.cat(edges, -1).mean() < PAPER)
