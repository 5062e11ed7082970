"""The contract every family keeps, tried on the shipped recipes. A new one needs no edit here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from conftest import toy_dataset
from maquette.core.errors import DatasetError
from maquette.core.family import Classifies, Generates, OwnStep
from maquette.core.images import Batch
from maquette.core.randomness import picture_seeds, seed_everything
from maquette.families import available_families, family_class
from maquette.recipe import Recipe, parse_recipe, read_recipe, to_yaml
from maquette.recipes import shipped_recipes
from maquette.training.callback import Callback, Moment
from toys import (
    STEPS,
    TRIED,
    StopAt,
    same_weights,
    toy_family,
    toy_recipe,
    toy_session,
    toy_trainer,
)

DEPENDS_ON_THE_BATCH = (nn.modules.batchnorm._BatchNorm, nn.Dropout)


@pytest.fixture(params=TRIED)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return toy_recipe(request.param)


def test_every_family_has_a_recipe():
    assert {read_recipe(name).family for name in shipped_recipes()} == set(available_families())


def test_a_recipe_survives_a_round_trip():
    for name in shipped_recipes():
        recipe = read_recipe(name)
        assert recipe.name == name
        assert parse_recipe(to_yaml(recipe)) == recipe


def test_every_turn_changes_only_its_player(recipe):
    trainer = toy_trainer(recipe, toy_dataset())
    players = trainer.family.players()
    batch, seen = trainer._batch(0), set()
    seed_everything(0)
    before = {n: [p.clone() for p in m.parameters()] for n, m in players.items()}
    for name, _ in trainer._turns(batch, only=None):
        with_gradient = {n for n, m in players.items() if any(_has_gradient(m))}
        assert with_gradient == {name}
        trainer.players[name].improve(1e-3)
        seen.add(name)
        changed = {
            n
            for n, m in players.items()
            if any(not p.equal(q) for p, q in zip(m.parameters(), before[n], strict=True))
        }
        assert changed == seen
    assert seen == set(players)


def _has_gradient(module: nn.Module) -> list[bool]:
    return [p.grad is not None for p in module.parameters()]


@pytest.mark.parametrize("stop", range(1, STEPS))
def test_a_resumed_run_is_bitwise_the_uninterrupted_one(recipe, tmp_path, stop):
    whole = toy_trainer(recipe, toy_dataset())
    toy_session(whole, tmp_path / "whole").run()

    stopper = StopAt(stop)
    first = toy_session(toy_trainer(recipe, toy_dataset()), tmp_path / "cut", [stopper])
    stopper.session = first
    assert first.run() == "interrupted"
    torch.randn(7)  # the outside world moves on
    again = toy_trainer(recipe, toy_dataset())
    second = toy_session(again, tmp_path / "cut")
    assert second.run() == "finished"

    assert same_weights(whole, again)


class Painter(Callback):
    """Looks as hard as it can."""

    every_steps = 1

    def __init__(self, batch: Batch):
        self.batch = batch

    def after_step(self, moment: Moment) -> None:
        moment.average.preview(self.batch)
        torch.randn(3)


def test_watching_changes_nothing(recipe, tmp_path):
    dataset = toy_dataset()
    alone, watched = toy_trainer(recipe, dataset), toy_trainer(recipe, dataset)
    toy_session(alone, tmp_path / "alone").run()
    painter = Painter(dataset.batch(0, 4, 0))
    toy_session(watched, tmp_path / "watched", [painter], save_every_steps=2).run()
    assert same_weights(alone, watched)


def test_micro_batches_add_up_to_the_batch(recipe):
    if any(isinstance(m, DEPENDS_ON_THE_BATCH) for m in toy_modules(recipe)):
        pytest.skip("its batch statistics or dropout depend on the batch by design")
    # Where a gradient is 0 (a bias before a normalisation), Adam must not step by rounding errors.
    settings = {"": recipe.training.optimizer, **recipe.training.players}
    if not any(isinstance(m, OwnStep) for m in toy_modules(recipe)):
        calm = {"epsilon": 1e-4}
        settings = {name: each.model_copy(update=calm) for name, each in settings.items()}
    both = {"optimizer": settings.pop(""), "players": settings}
    whole, pieces = (
        toy_trainer(recipe.with_training(micro_batches=n, **both), toy_dataset()) for n in (1, 4)
    )
    for _ in range(2):
        whole.learn(), pieces.learn()
    for p, q in zip(whole.family.parameters(), pieces.family.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-3, atol=2e-5)


def toy_modules(recipe: Recipe) -> list[nn.Module]:
    return list(toy_family(recipe, toy_dataset().spec).modules())


@pytest.mark.parametrize(("height", "width"), [(16, 24), (32, 16)])
@pytest.mark.parametrize("classes", [0, 2])
def test_rectangular_pictures_with_and_without_classes(recipe, height, width, classes):
    dataset = toy_dataset(height, width, classes, channels=1)
    if not classes and issubclass(family_class(recipe.family), Classifies):
        with pytest.raises(DatasetError, match="needs two or more"):
            toy_trainer(recipe, dataset)
        return
    trainer = toy_trainer(recipe, dataset)
    values = trainer.learn()
    assert all(value.isfinite() for value in values.values())
    images = trainer.average.preview(dataset.batch(0, 4, 0))
    assert images.shape[1:] == (1, height, width)
    assert images.isfinite().all()
    assert images.abs().max() <= 1.5  # pictures, give or take


def test_a_preview_depends_on_its_batch_alone(recipe):
    dataset = toy_dataset()
    family = toy_family(recipe, dataset.spec).eval()
    batch = dataset.batch(0, 4, 0)
    first = family.preview(batch)
    torch.randn(5)
    assert torch.equal(first, family.preview(batch))


def test_a_picture_depends_on_its_own_seed_alone(recipe):
    dataset = toy_dataset()
    family = toy_family(recipe, dataset.spec).eval()
    if not isinstance(family, Generates):
        pytest.skip("does not generate")
    seeds, labels = picture_seeds(5, "some"), torch.tensor([0, 1, 2, 0, 1])
    with torch.no_grad():
        among, alone = family.generate(labels, seeds), family.generate(labels[3:4], seeds[3:4])
    torch.testing.assert_close(among[3], alone[0], rtol=1e-4, atol=1e-5)


def test_two_processes_equal_one_with_the_same_batch(tmp_path):
    """Started by torchrun, as a person would; weights agree within float tolerance."""
    script, out = Path(__file__).with_name("two_processes.py"), tmp_path / "two.safetensors"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(script.parents[1])}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", str(script), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-2000:]

    one, two = toy_trainer(toy_recipe("gan", steps=3), toy_dataset()), load_file(out)
    for _ in range(3):
        one.learn()
    assert one.step == 3
    for name, tensor in one.family.state_dict().items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=2e-5)


def test_what_is_compiled_has_something_to_compile(recipe):
    family = toy_trainer(recipe, toy_dataset()).family
    for name in family.compilable():
        assert type(family.get_submodule(name)).forward is not nn.Module.forward, name
