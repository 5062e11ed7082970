"""Any shipped recipe at toy size, and sessions on it: what the contract tests train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maquette.core.devices import start_engine
from maquette.core.family import Family
from maquette.core.images import ImageSpec
from maquette.core.randomness import seed_everything
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import Recipe, read_recipe
from maquette.recipes import shipped_recipes
from maquette.training.callback import Callback
from maquette.training.checkpoints import CheckpointStore
from maquette.training.session import Session
from maquette.training.trainer import Trainer

STEPS = 6
# Where a recipe has a small sister, that one is tried for both; the paper's recipes have the large
# networks.
SHIPPED = tuple(name for name in shipped_recipes() if f"{name}-small" not in shipped_recipes())
# What no recipe turns on, and has to keep the contract all the same: recipe and its settings.
TURNED_ON: dict[str, tuple[str, dict[str, Any]]] = {
    "gan-late-classes": (
        "gan",
        {"unconditional_share": 0.3, "fading_share": 0.4, "class_scale": 0.1},
    ),
    "diffusion-told-changes": ("diffusion", {"changes": 0.5}),
}
TRIED = (*SHIPPED, *TURNED_ON)


def toy_recipe(name: str, **training: Any) -> Recipe:
    """One of TRIED, as narrow as its family allows, six steps of eight pictures."""
    shipped, turned_on = TURNED_ON.get(name, (name, {}))
    recipe = read_recipe(shipped)
    fields = type(recipe.model).model_fields
    narrow: dict[str, Any] = {"width": 4, "latents": 8, "blocks": 1}
    as_it_is = recipe.model.model_dump()
    if "discriminator" in fields:
        judge = as_it_is["discriminator"]
        small = {"width": 4, "halvings": 2, "memory": 4}  # a memory that is full at once
        narrow["discriminator"] = judge | {n: v for n, v in small.items() if n in judge}
    changes = {field: value for field, value in narrow.items() if field in fields}
    model = type(recipe.model).model_validate(as_it_is | changes | turned_on)
    length = {"steps": STEPS, "epochs": None, "batch_size": 8, "device": "cpu"}
    return recipe.model_copy(update={"model": model}).with_training(**(length | training))


def toy_family(recipe: Recipe, spec: ImageSpec) -> Family:
    seed_everything(recipe.training.seed, "weights")
    return family_class(recipe.family)(recipe.model, spec)


def toy_trainer(recipe: Recipe, dataset: ImageDataset) -> Trainer:
    engine = start_engine("cpu", "fp32")
    return Trainer(toy_family(recipe, dataset.spec), dataset, recipe.training, engine)


def toy_session(
    trainer: Trainer,
    folder: Path,
    callbacks: Sequence[Callback] = (),
    save_every_steps: int = 100,
) -> Session:
    return Session(trainer, CheckpointStore(folder), save_every_steps, 3600.0, callbacks)


class StopAt(Callback):
    """Asks for a stop after one step, as Ctrl-C would."""

    def __init__(self, step: int):
        self.every_steps, self.session = step, None

    def after_step(self, moment: Any) -> None:
        if moment.progress.step == self.every_steps:
            self.session.stop()


def same_weights(a: Trainer, b: Trainer) -> bool:
    """Networks, averages and optimizers, bit for bit."""
    first, second = a.tensors(), b.tensors()
    return all(
        first[file].keys() == second[file].keys()
        and all(first[file][name].equal(second[file][name]) for name in first[file])
        for file in first
    )
