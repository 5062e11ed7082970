"""Teach a classifier one more class from a person's own pictures, without forgetting the others.

The old pictures are learnt on together with the new ones, every class equally often, from the
weights there are. Old and new dataset, run and weights stay apart: nothing is overwritten.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from maquette.core.errors import DatasetError, RunError
from maquette.core.family import Classifies, Family
from maquette.core.images import to_float
from maquette.core.randomness import seed_everything
from maquette.data.building.extending import NewPicture, extend
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
from maquette.families import family_class
from maquette.recipe import Recipe, parse_recipe, to_yaml
from maquette.runs.folder import Run, open_run
from maquette.training.settings import TrainingSettings
from maquette.workflows.classifying import read_items
from maquette.workflows.serving import as_learnt, preparation_of, reads_drawings
from maquette.workflows.training import TrainingResult, Watchers, train

FEWEST_PICTURES = 3
SHARE_OF_STEPS = 0.2  # of what the run took to learn everything else
FEWEST_STEPS = 200
SHARE_OF_RATE = 0.3  # smaller steps, because most is known already
Report = Callable[[int, int | None], None]  # pictures read, of how many


@dataclass(frozen=True)
class Lesson:
    """What is about to be learnt."""

    recipe: Recipe
    dataset: Path
    weights: Mapping[str, Tensor]
    added: int  # pictures
    known: int  # left out, because the dataset had them already
    unread: tuple[str, ...]  # why, of those that could not be read


@dataclass(frozen=True)
class Taught:
    """Share of held-out pictures named right, before and after; None where there are none."""

    others_before: float
    others_after: float
    new: float | None
    count_new: int


def prepare_lesson(
    run: str | Path | Run,
    sources: Sequence[str | Path],
    name: str,
    out: str | Path,
    *,
    steps: int | None = None,
    report: Report = lambda done, total: None,  # noqa: ARG005
) -> Lesson:
    """Write the dataset with the new class beside `out` (as `OUT-data`) and find where to begin.

    `sources` are pictures or anything that `data build` reads, prepared as those the run learnt
    from. A name the run knows already gets more pictures. Raises MaquetteError in one sentence.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if not issubclass(family_class(run.recipe.family), Classifies):
        raise RunError(f"{run.folder} holds a {run.recipe.family}, which does not name classes")
    if not name.strip():
        raise DatasetError("a class needs a name: give one with --class")
    if read_manifest(run.dataset_path)[1] != run.info["dataset"]["fingerprint"]:
        raise DatasetError(
            f"{run.dataset_path} is not the dataset that {run.folder} learnt from: its pictures "
            "are needed so that nothing is forgotten"
        )
    if read_manifest(run.dataset_path)[0].columns:
        raise DatasetError(
            f"{run.dataset_path} has several label columns, and a taught class would be in one: "
            "build a dataset with one kind of label, and train on that"
        )
    pictures, unread = _read(run, sources, report)
    if len(pictures) < FEWEST_PICTURES:
        why = f" (first: {unread[0]})" if unread else ""
        raise DatasetError(
            f"{len(pictures)} pictures of {name!r} can be read{why}: give {FEWEST_PICTURES} or more"
        )
    folder = Path(out)
    extension = extend(run.dataset_path, pictures, name, folder.with_name(folder.name + "-data"))
    recipe = _shorter(run.recipe, len(open_dataset(run.dataset_path)), steps)
    dataset = open_dataset(extension.folder)
    seed_everything(recipe.training.seed, "weights")
    family = family_class(recipe.family).for_saved_weights(recipe.model, dataset.spec)
    old = run.served_family()
    weights = grown(old.state_dict(), family.state_dict(), len(old.spec.classes))
    weights["temperature"] = torch.ones(())  # found anew at the end
    return Lesson(recipe, extension.folder, weights, extension.added, extension.known, unread)


def teach(lesson: Lesson, out: str | Path, *, watchers: Watchers | None = None) -> TrainingResult:
    """Learn it. A run already in `out` goes on, so the same call does after an interruption."""
    return train(lesson.recipe, lesson.dataset, out, weights=lesson.weights, watchers=watchers)


def grown(
    old: Mapping[str, Tensor], fresh: Mapping[str, Tensor], classes: int
) -> dict[str, Tensor]:
    """The old weights in a network of more classes; what belongs to new ones is fresh."""
    weights = {}
    for name, start in fresh.items():
        before, weight = old[name], start.clone()
        if before.shape == start.shape:
            weight.copy_(before)
        else:
            differing = [i for i, n in enumerate(start.shape) if before.shape[i] != n]
            assert len(differing) == 1 and before.shape[differing[0]] == classes
            weight.narrow(differing[0], 0, classes).copy_(before)
        weights[name] = weight
    return weights


def taught(before: Run, after: Run, name: str) -> Taught | None:
    """How much was forgotten, and how well the new class is known, on held-out pictures.

    None where none were held out.
    """
    try:
        held = open_dataset(after.dataset_path, "holdout")
    except DatasetError:
        return None
    assert held.labels is not None
    is_new = held.labels == after.spec.classes.index(name)
    others = (~is_new).nonzero()[:, 0]
    new = is_new.nonzero()[:, 0]
    if not len(others):
        return None
    families = before.served_family(), after.served_family()
    rights = [_right(family, held.pictures(others), held.labels[others]) for family in families]
    share = _right(families[1], held.pictures(new), held.labels[new]) if len(new) else None
    return Taught(rights[0], rights[1], share, len(new))


def _right(family: Family, pixels: Tensor, labels: Tensor) -> float:
    assert isinstance(family, Classifies)
    with torch.inference_mode():
        parts = torch.split(pixels, 256)
        answers = [family.logits(to_float(part)).argmax(1) for part in parts]
    return (torch.cat(answers) == labels).float().mean().item()


def _read(
    run: Run, sources: Sequence[str | Path], report: Report
) -> tuple[list[NewPicture], tuple[str, ...]]:
    bench, turns_over = preparation_of(run), reads_drawings(run)
    items, total = read_items(sources)
    pictures, unread = [], []
    for done, item in enumerate(items, 1):
        look = None if item.content is None else bench.look(item.content, item.box)
        fault = item.fault if look is None else look.fault
        if fault is not None:
            unread.append(f"{item.source}: {fault.reason}")
        elif look is not None and look.pixels is not None:
            assert item.content is not None and look.facts is not None
            pixels = as_learnt(look.pixels, item.content, bench, turns_over)
            pictures.append(NewPicture(item.source, look.facts, pixels, look.strokes))
        report(done, total)
    return pictures, tuple(unread)


def _shorter(recipe: Recipe, pictures: int, steps: int | None) -> Recipe:
    """The recipe for a lesson: fewer and smaller steps, every class equally often."""
    training = recipe.training
    if steps is None:
        whole = training.planned_steps(pictures) if training.gives_length else FEWEST_STEPS
        steps = max(FEWEST_STEPS, round(SHARE_OF_STEPS * whole))
    optimizer = training.optimizer
    rate = {"learning_rate": SHARE_OF_RATE * optimizer.learning_rate}
    changes = {
        "steps": steps,
        "epochs": None,
        "hours": None,
        "optimizer": {**optimizer.model_dump(), **rate},
        "players": {},
    }
    settings = TrainingSettings.model_validate(training.model_dump() | changes)
    data = recipe.data.model_copy(update={"balance_classes": True})
    changed = recipe.model_copy(update={"training": settings, "data": data})
    return parse_recipe(to_yaml(changed), source=recipe.name)
