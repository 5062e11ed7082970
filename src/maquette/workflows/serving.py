"""How a run prepares what it is given: as the pictures it learnt from, wherever it is asked."""

from typing import cast

import torch

from maquette.core.errors import DatasetError
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
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
