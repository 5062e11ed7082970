"""Take a classifier out of Maquette: an ONNX file for any program, or a page for any browser."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
ABOUT = "model.json"  # tells an export from anything else
INPUTS = {
    "model": "pixels: uint8 (pictures, channels, height, width), 0 to 255",
    "picture": "rgba: uint8 (height, width, 4), opaque; swap: uint8 (1), 1 swaps light and dark",
    "drawing": "points: float32 (points, 3): x to the right, y downwards, in any unit, and the "
    "number of the stroke",
}
Form = Literal["onnx", "web"]
Report = Callable[[str, int, int | None], None]  # stage, done, of how many


@dataclass(frozen=True)
class Exported:
    """What was written."""

    place: Path  # the folder, or the single file
    files: Mapping[str, int]  # name: bytes


def export(
    run: str | Path | Run,
    out: str | Path,
    to: Form = "onnx",
    *,
    single: bool = False,
    runtime_folder: str | Path | None = None,
    report: Report = lambda stage, done, total: None,  # noqa: ARG005
) -> Exported:
    """Write what a run serves into a folder, or with `single` into one HTML file.

    onnx: model.onnx (pixels to probabilities), picture.onnx (any picture to pixels), drawing.onnx
    (points of a pen to pixels; where the model reads drawings) and model.json, which describes
    them. web: a page that runs them, for any static host. A folder that holds an export is
    replaced file by file. Raises RunError or SettingsError when that cannot be done; nothing
    half-written stays.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if single and to != "web":
        raise SettingsError("--single-file is for pages: write --to web")
    require_extra()
    out = _checked(Path(out), single)
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
    files = {f"{name}.onnx": content for name, content in graphs.items()}
    if single:
        files = {out.name: single_file(about, graphs, carried)}
    elif to == "web":
        files = site(about, graphs, carried)
    if not single:
        files[ABOUT] = json.dumps(about, indent=2, ensure_ascii=False).encode()
    _write(out, files, single)
    return Exported(out, {name: len(content) for name, content in files.items()})


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


# Writing


def _checked(out: Path, single: bool) -> Path:
    """Where to write; RunError when something else is there."""
    if single and out.suffix.lower() not in (".html", ".htm"):
        return _checked(out, single=False) / "index.html"
    if single:
        return out
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file: choose a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / ABOUT).is_file():
        raise RunError(f"{out} is not empty and holds no export: choose another folder with --out")
    return out


def _write(out: Path, files: Mapping[str, bytes], single: bool) -> None:
    """All files are written beside their place before the first one takes it."""
    folder = out.parent if single else out
    partial = folder.absolute().with_name(f".{folder.absolute().name}.exporting")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            (partial / name).replace(folder / name)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{folder} cannot be written ({reason}): choose another --out") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
