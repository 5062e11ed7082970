"""Take a model out of Maquette, into a program, a browser or diffusers.

Classifiers become ONNX files and pages, diffusion models folders of diffusers.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from maquette import __version__
from maquette.core.errors import RunError, SettingsError
from maquette.core.family import Classifies
from maquette.data.pictures.preparation import Fit
from maquette.networks.rasteriser import Rasteriser
from maquette.runs.folder import Run, open_run
from maquette.workflows.exporting_diffusers import pipeline_files
from maquette.workflows.exporting_files import ABOUT, Exported, checked, write
from maquette.workflows.exporting_graphs import (
    DRAWING,
    PICTURE,
    Signature,
    graph,
    model_graph,
    require_extra,
)
from maquette.workflows.exporting_page import single_file, site
from maquette.workflows.exporting_pictures import Picture
from maquette.workflows.exporting_runtime import runtime
from maquette.workflows.serving import preparation_of, reads_drawings

FORMAT = 1
INPUTS = {
    "model": "pixels: uint8 (pictures, channels, height, width), 0 to 255",
    "picture": "rgba: uint8 (height, width, 4), opaque; swap: uint8 (1), 1 swaps light and dark",
    "drawing": "points: float32 (points, 3): x to the right, y downwards, in any unit, and the "
    "number of the stroke",
}
Form = Literal["onnx", "web", "diffusers"]
Report = Callable[[str, int, int | None], None]  # stage, done, of how many


def export(
    run: str | Path | Run,
    out: str | Path,
    to: Form = "onnx",
    *,
    single: bool = False,
    class_name: str | None = None,
    runtime_folder: str | Path | None = None,
    report: Report = lambda stage, done, total: None,  # noqa: ARG005
) -> Exported:
    """Write what a run serves into a folder, or with `single` into one HTML file.

    onnx: model.onnx (pixels to probabilities), picture.onnx (any picture to pixels), drawing.onnx
    (points of a pen to pixels; where the model reads drawings) and model.json, which describes
    them. web: a page that runs them, for any static host. diffusers: a pipeline that makes pictures
    of `class_name`. A folder that holds an export is replaced file by file. Raises RunError or
    SettingsError when that cannot be done; nothing half-written stays.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if single and to != "web":
        raise SettingsError("--single-file is for pages: write --to web")
    if class_name is not None and to != "diffusers":
        raise SettingsError("--class is for diffusers folders: write --to diffusers")
    place = checked(Path(out), single)
    if to == "diffusers":
        files, left_behind = pipeline_files(run, class_name)
    else:
        left_behind = ()
        files = _classifier_files(run, place.name, to, single, runtime_folder, report)
    write(place, files, single)
    sizes = {name: len(content) for name, content in files.items()}
    return Exported(place, sizes, left_behind)


def _classifier_files(
    run: Run,
    name: str,
    to: Literal["onnx", "web"],
    single: bool,
    runtime_folder: str | Path | None,
    report: Report,
) -> dict[str, bytes]:
    """By name; `name` is that of the single file."""
    require_extra()
    family = run.served_family()
    if not isinstance(family, Classifies):
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which does not tell classes apart: only "
            "classifiers can be exported"
        )
    carried = runtime(runtime_folder, _kilobytes(report)) if to == "web" else {}
    fit = preparation_of(run).fit
    graphs = graphs_of(family, fit, reads_drawings(run), report)
    about = _about(run, family, fit, graphs)
    if single:
        return {name: single_file(about, graphs, carried)}
    files = {f"{name}.onnx": content for name, content in graphs.items()}
    if to == "web":
        files = site(about, graphs, carried)
    return files | {ABOUT: json.dumps(about, indent=2, ensure_ascii=False).encode()}


def graphs_of(
    family: Classifies,
    fit: Fit,
    draws: bool,
    report: Report = lambda stage, done, total: None,  # noqa: ARG005
) -> dict[str, bytes]:
    """ONNX files by name: picture, model, and where it `draws` (reads strokes of a pen) drawing."""
    spec = family.spec
    wanted: dict[str, tuple[nn.Module, tuple[Tensor, ...], Signature]] = {
        "picture": (Picture(spec, fit, grey=draws or spec.channels == 1), _any_picture(), PICTURE)
    }
    if draws:
        wanted["drawing"] = (Rasteriser(*spec.shape), (torch.zeros(7, 3),), DRAWING)
    graphs = {}
    for done, (name, (module, example, signature)) in enumerate(wanted.items()):
        report("exporting", done, len(wanted) + 1)
        graphs[name] = graph(module, example, signature)
    report("exporting", len(wanted), len(wanted) + 1)
    graphs["model"] = model_graph(family)
    report("exporting", len(wanted) + 1, len(wanted) + 1)
    return graphs


def _any_picture() -> tuple[Tensor, Tensor]:
    return torch.zeros(40, 50, 4, dtype=torch.uint8), torch.zeros(1, dtype=torch.uint8)


def _about(run: Run, family: Classifies, fit: Fit, graphs: Mapping[str, bytes]) -> dict[str, Any]:
    """What model.json says."""
    served = run.served()
    return {
        "format": FORMAT,
        "made_by": f"Maquette {__version__}",
        "name": str(run.info.get("name", run.folder.name)),
        "classes": list(run.spec.classes),
        "channels": run.spec.channels,
        "height": run.spec.height,
        "width": run.spec.width,
        "fit": fit,
        "temperature": float(family.temperature),
        "graphs": sorted(graphs),
        "run": {
            "recipe": run.recipe.name,
            "family": run.recipe.family,
            "dataset": str(run.info["dataset"]["name"]),
            "step": served.entry.step,
            "served": served.why,
        },
        "inputs": {name: INPUTS[name] for name in sorted(graphs)},
    }


def _kilobytes(report: Report) -> Callable[[int, int | None], None]:
    return lambda done, total: report("downloading the runtime (kB)", done, total)
