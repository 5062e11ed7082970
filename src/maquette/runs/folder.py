"""A run: one folder that holds everything about one training, and from which it can go on.

recipe.yaml         what is trained, every setting spelt out
run.json            state, dataset, machine, and which weights are served
history.jsonl       losses, scores and events
previews/           a grid every so many images, and progress.gif
checkpoints/        everything training needs to go on
evaluation.json     what was measured;  samples.png, report.html  what to look at
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from maquette.core.errors import RunError
from maquette.core.family import Classifies, Family
from maquette.core.files import write_text
from maquette.core.images import ImageSpec
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import Recipe, parse_recipe, to_yaml
from maquette.training.checkpoints import CheckpointStore, Entry, fault_in, read_tensors

FORMAT = 1
# Pictures of an evaluation, for the report.
PANELS = (
    "neighbours.png",
    "translations.png",
    "confusion.png",
    "reliability.png",
    "unfinished.png",
)
State = Literal["training", "stopped", "finished", "failed"]


@dataclass(frozen=True)
class Served:
    """The weights a run answers with."""

    entry: Entry
    why: str


class Run:
    """An existing run folder. Open one with `open_run`, start one with `create_run`."""

    def __init__(self, folder: Path, recipe: Recipe, info: dict[str, Any]):
        self.folder, self.recipe, self.info = folder, recipe, info
        self.checkpoints = CheckpointStore(folder / "checkpoints")

    @property
    def state(self) -> State:
        state: State = self.info["state"]
        return state

    @property
    def spec(self) -> ImageSpec:
        """The pictures the run was trained on."""
        spec = self.info["dataset"]["spec"]
        return ImageSpec(spec["channels"], spec["height"], spec["width"], tuple(spec["classes"]))

    @property
    def dataset_path(self) -> Path:
        return Path(self.info["dataset"]["path"])

    def note(self, **facts: Any) -> None:
        """Change facts in run.json. Raises RunError when the folder cannot be written."""
        self.info = self.info | facts
        _write(self.folder / "run.json", json.dumps(self.info, indent=2))

    def forget_results(self) -> None:
        """Remove what was drawn and measured: training on makes it another model's."""
        for name in ("samples.png", "evaluation.json", *PANELS):
            (self.folder / name).unlink(missing_ok=True)

    def change_recipe(self, recipe: Recipe) -> None:
        self.recipe = recipe
        _write(self.folder / "recipe.yaml", to_yaml(recipe))

    def served(self) -> Served:
        """The best certified average, never simply the last step.

        Certified: followed by enough steps without an alarm. The last steps of a run have no such
        proof, and the best of steps that were given up neither: they are served only when their
        score says they are better. Raises RunError when there is nothing sound to serve.
        """
        until, failed = int(self.info.get("certified_until", 0)), self.state == "failed"
        entries = [e for e in self.checkpoints.entries() if e.step > 0]
        if failed:
            entries = [e for e in entries if e.step <= until or e.score < inf]
        proven = [e for e in entries if e.step <= until]
        given_up = self.checkpoints.set_aside()
        ranked = sorted([*entries, *given_up], key=lambda e: (e.score, e not in proven, -e.step))
        for entry in ranked:
            if fault_in(entry) is None:
                went_wrong = failed or entry in given_up
                return Served(entry, _why(entry, entry in proven, went_wrong))
        raise RunError(
            f"{self.folder} has no weights to use yet: continue it with "
            f"`maquette train {self.folder}`"
        )

    def served_family(self, device: str = "cpu") -> Family:
        """The family with the weights served, in evaluation mode."""
        return self.family_at(self.served().entry, device)

    def family_at(self, entry: Entry, device: str = "cpu") -> Family:
        """The family with the averaged weights of a checkpoint, in evaluation mode.

        A classifier answers at the temperature noted for these very weights, if there is one.
        """
        kind = family_class(self.recipe.family)
        family = kind.for_saved_weights(self.recipe.model, self.spec)
        weights = read_tensors(entry, "average")
        try:
            family.load_state_dict(weights)
        except RuntimeError as error:
            raise RunError(f"the weights of {self.folder} do not fit its recipe") from error
        noted = self.info.get("temperature")
        if isinstance(family, Classifies) and noted is not None and noted["step"] == entry.step:
            family.temperature.fill_(noted["value"])
        return family.to(device).eval().requires_grad_(False)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing. Raises RunError while another process trains it."""
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"{self.folder} is being trained by another process: wait for it, or stop it"
            ) from error
        except OSError as error:
            raise RunError(_unwritable(self.folder, error)) from error
        try:
            yield
        finally:
            lock.release()


def open_run(path: str | Path) -> Run:
    """The run in this folder. Raises RunError when it is none, or of another version."""
    folder = Path(path)
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}: `maquette runs` lists those there are")
    try:
        info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RunError(f"{folder} is not a run: it has no {Path(error.filename).name}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}/run.json cannot be read: {error}") from error
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise RunError(
            f"{folder} was written by another version of Maquette (its format is "
            f"{info.get('format') if isinstance(info, dict) else 'unknown'}, this one reads "
            f"{FORMAT}): use that version, or start a new run"
        )
    if not {"state", "dataset"} <= info.keys():
        raise RunError(f"{folder}/run.json is damaged: start a new run")
    return Run(folder, parse_recipe(recipe, source=str(folder / "recipe.yaml")), info)


def create_run(
    folder: Path,
    recipe: Recipe,
    dataset: ImageDataset,
    dataset_path: Path,
    environment: Mapping[str, Any],
) -> Run:
    """A new run folder, there whole or not at all. RunError when something is there already."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise RunError(f"{folder} exists and is not a run: choose another folder with --out")
    spec, whole = dataset.spec, folder.resolve()  # "." has no name
    info = {
        "format": FORMAT,
        "name": whole.name,
        "state": "training",
        "dataset": {
            "path": str(dataset_path.resolve()),
            "name": dataset.name,
            "count": len(dataset),
            "fingerprint": dataset.fingerprint,
            "stroke_channels": dataset.stroke_channels,
            "spec": {
                "channels": spec.channels,
                "height": spec.height,
                "width": spec.width,
                "classes": list(spec.classes),
            },
        },
        "environment": dict(environment),
    }
    partial = whole.with_name(f".{whole.name}.starting")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_text(partial / "recipe.yaml", to_yaml(recipe))
        write_text(partial / "run.json", json.dumps(info, indent=2))
        partial.replace(whole)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(_unwritable(folder, error)) from error
    return Run(folder, recipe, info)


def find_runs(folder: Path) -> list[Path]:
    """Run folders directly in this folder, newest first."""
    found = [path.parent for path in folder.glob("*/run.json")]
    return sorted(found, key=lambda path: (path / "run.json").stat().st_mtime, reverse=True)


def _why(entry: Entry, is_certified: bool, went_wrong: bool) -> str:
    if entry.score == inf:
        kind = "newest certified" if is_certified else "newest sound"
        return f"the {kind} checkpoint; no score chose it"
    proof = "from before training went wrong" if went_wrong else "with no alarm so far"
    if is_certified:
        proof = "certified by quiet steps after it"
    return f"the best score ({entry.score:.4g}), {proof}"


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise RunError(_unwritable(path.parent, error)) from error


def _unwritable(folder: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{folder} cannot be written ({reason}): mend that, or choose another with --out"
