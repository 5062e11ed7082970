"""How a run prepares what it is given: as the pictures it learnt from, wherever it is asked."""

from typing import cast

from maquette.core.errors import DatasetError
from maquette.data.manifest import read_manifest
from maquette.data.pictures.looking import Bench
from maquette.data.pictures.preparation import Fit
from maquette.data.sizes import ImageSize
from maquette.runs.folder import Run

PAPER = 127.5  # mean level of a border from which a drawing is taken for one on paper


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
    """Whether it learnt from drawings, bright on dark: grey pictures, or channels of strokes."""
    return run.spec.channels == 1 or bool(run.info["dataset"].get("stroke_channels"))
