"""Which run a sitting trains: a new one, or one to go on with, and whether that may be.

Everything is refused here, before any folder is touched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette.core.devices import Engine
from maquette.core.errors import DatasetError, RunError, SettingsError
from maquette.core.images import ImageSpec
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import Recipe, parse_recipe, read_recipe, to_yaml
from maquette.recipes import shipped_recipes
from maquette.runs.folder import Run, create_run, open_run
from maquette.training.clock import Clock
from maquette.workflows.pictures import pictures_for

# What may change between two sittings of one run without making it another run.
CHANGEABLE = ("training.steps", "training.epochs", "training.hours", "training.device", "callbacks")


@dataclass(frozen=True)
class Plan:
    """What a sitting is about to do; nothing has been written yet."""

    folder: Path
    recipe: Recipe
    dataset: ImageDataset
    dataset_path: Path
    run: Run | None  # that is there already

    def begin(self, engine: Engine) -> Run:
        """The run to train: the main process makes a new one, the others find it."""
        if self.run is None and engine.is_main:
            fingerprint = engine.fingerprint()
            create_run(self.folder, self.recipe, self.dataset, self.dataset_path, fingerprint)
        engine.wait_for_all()
        return self.run or open_run(self.folder)


def planned(
    recipe: str | Recipe | Path,
    data: str | Path | None,
    out: str | Path | None,
    overrides: Sequence[str],
) -> Plan:
    """The run to go on with, or a new one, and the pictures it learns from."""
    if _is_folder(recipe):
        assert not isinstance(recipe, Recipe)
        run = open_run(recipe)
        if out is not None and Path(out).resolve() != run.folder.resolve():
            raise RunError(f"{run.folder} continues where it is: leave --out away")
        wanted = parse_recipe(to_yaml(run.recipe), overrides, source=str(recipe))
        return _continued(run, wanted, data)
    if isinstance(recipe, Recipe):
        wanted = parse_recipe(to_yaml(recipe), overrides, source=recipe.name)
    else:
        wanted = read_recipe(str(recipe), overrides)
    folder = Path(out) if out is not None else Path("runs") / wanted.name
    if (folder / "run.json").exists():
        return _continued(open_run(folder), wanted, data)
    if data is None:
        raise DatasetError(
            "say what to learn from with --data DIR: a folder made by `maquette data build`"
        )
    dataset = pictures_for(wanted, data)
    _check_new(wanted, dataset)
    return Plan(folder, wanted, dataset, Path(data), run=None)


def _is_folder(recipe: str | Recipe | Path) -> bool:
    """A shipped recipe's name wins over a folder that happens to be called the same."""
    return (
        not isinstance(recipe, Recipe)
        and str(recipe) not in shipped_recipes()
        and Path(recipe).is_dir()
    )


def _check_new(wanted: Recipe, dataset: ImageDataset) -> None:
    """Refuse what the family cannot learn, or would not by this plan."""
    kind = family_class(wanted.family)
    # Weights to begin at are fetched once, when it begins.
    kind.for_saved_weights(wanted.model, dataset.spec)
    clock = Clock(wanted.training, dataset.epoch_pictures)
    before = clock.steps - 1
    last = clock.progress_at(before, before / clock.steps)
    objection = kind.objection(wanted.model, last, wanted.data.mirror)
    if objection is not None:
        raise SettingsError(objection)


def _continued(run: Run, wanted: Recipe, data: str | Path | None) -> Plan:
    """The run with its changeable settings changed, and its dataset checked to be the same."""
    before, after = run.recipe.model_dump(), wanted.model_dump()
    changed = [path for path in _differences(before, after) if not path.startswith(CHANGEABLE)]
    if changed:
        raise RunError(
            f"{run.folder} was started with another {changed[0]}: continue it as it was "
            f"(`maquette train {run.folder}`), or start a new run with another --out"
        )
    path = Path(data) if data is not None else run.dataset_path  # it may have moved
    dataset = pictures_for(run.recipe, path)
    _check_same_pictures(run, dataset)
    return Plan(run.folder, wanted, dataset, path, run)


def _differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """The paths of settings that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            inner = f"{path}.{key}" if path else str(key)
            yield from _differences(before.get(key), after.get(key), inner)
    elif before != after:
        yield path


def _check_same_pictures(run: Run, dataset: ImageDataset) -> None:
    if dataset.spec != run.spec:
        raise DatasetError(
            f"{run.folder} learns {_described(run.spec)}, but the dataset {dataset.name} has "
            f"{_described(dataset.spec)}: continue with the dataset it began with"
        )
    if dataset.fingerprint != run.info["dataset"]["fingerprint"]:
        raise DatasetError(
            f"the dataset {dataset.name} is not the one {run.folder} began with "
            "(its pictures changed): build it again from the same pictures, or start a new run"
        )


def _described(spec: ImageSpec) -> str:
    names = ", ".join(spec.classes[:3]) + (" …" if len(spec.classes) > 3 else "")
    return f"{spec} ({names})" if names else str(spec)
