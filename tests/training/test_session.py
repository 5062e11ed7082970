"""Going back, giving up, turns, time budgets: the sittings of a run, on a family made for it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from conftest import toy_dataset
from maquette.core.devices import Engine, start_engine
from maquette.core.errors import RunError, SettingsError
from maquette.core.family import Family, Progress, Update
from maquette.core.images import Batch, Images
from maquette.core.settings import Settings
from maquette.training.callback import Callback
from maquette.training.players import Player
from maquette.training.settings import TrainingSettings
from maquette.training.trainer import Trainer
from toys import TRIED, toy_family, toy_recipe, toy_session


class NoSettings(Settings):
    pass


class Painter(Family):
    """Learns the mean picture; `explodes` says at which steps and attempts its loss goes wild."""

    Settings = NoSettings

    def __init__(self, explodes=lambda progress, seeds: 1.0):
        super().__init__(NoSettings(), toy_dataset().spec)
        torch.manual_seed(0)
        self.first, self.second = (torch.nn.Linear(1, 3) for _ in range(2))
        self.explodes = explodes
        self.turns: list[str] = []

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        mean = batch.images.mean((0, 2, 3))
        factor = self.explodes(progress, batch.seeds)
        for name, network in (("first", self.first), ("second", self.second)):
            self.turns.append(name)
            yield Update(name, factor * ((network(torch.ones(1)) - mean).square().mean() + 1))

    def preview(self, batch: Batch) -> Images:
        return batch.images


@dataclass
class Ear(Callback):
    """Hears everything."""

    every_steps: int = 10
    events: list[tuple[int, str, str]] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)

    def after_step(self, moment) -> None:
        self.rates[moment.progress.step] = moment.values["first/learning_rate"]

    def event(self, step, kind, message) -> None:
        self.events.append((step, kind, message))


def trainer(family=None, **settings) -> Trainer:
    given = {"steps": 700, "batch_size": 4} | settings
    training = TrainingSettings.model_validate(given)
    return Trainer(family or Painter(), toy_dataset(), training, start_engine("cpu", "fp32"))


def test_a_transient_explosion_is_survived(tmp_path):
    seeds_of_first_attempt = {
        step: int(toy_dataset().batch(step, 4, 0).seeds[0]) for step in range(700)
    }

    def wild(progress, seeds):
        first = seeds_of_first_attempt[progress.step] == int(seeds[0])
        return 1e4 if first and progress.step >= 500 else 1.0

    ear, t = Ear(), trainer(Painter(wild))
    session = toy_session(t, tmp_path, [ear], save_every_steps=100)
    assert session.run() == "finished"
    (step, _, message), *others = [e for e in ear.events if e[1] == "rollback"]
    assert not others
    assert step == 501
    assert "went back to step 300" in message  # 400 had not been quiet for 200 steps
    assert "0.5 of the learning rate" in message
    assert t.attempt == 1
    assert ear.rates[700] == pytest.approx(1e-4)


def test_a_weight_that_is_not_finite_is_never_saved(tmp_path):
    def poison(progress, seeds):
        return float("nan") if progress.step == 450 and t.attempt == 0 else 1.0

    t = trainer(Painter(poison))
    session = toy_session(t, tmp_path, save_every_steps=100)
    session.run()
    assert t.attempt == 1
    assert all(p.isfinite().all() for p in t.family.parameters())


def test_it_gives_up_after_three_attempts_and_keeps_what_is_certified(tmp_path):
    t = trainer(Painter(lambda progress, seeds: 1e4 if progress.step >= 500 else 1.0))
    ear = Ear()
    session = toy_session(t, tmp_path, [ear], save_every_steps=100)
    with pytest.raises(RunError, match="training keeps going wrong"):
        session.run()
    kinds = [kind for _, kind, _ in ear.events]
    assert kinds == ["rollback"] * 3 + ["failed"]
    steps = [entry.step for entry in session.store.entries()]
    assert 300 in steps


def test_going_back_repeats_itself_after_a_kill(tmp_path):
    """Killed right after a rollback, the run explodes and goes back again, to the same weights."""

    def wild(progress, seeds):
        first = int(toy_dataset().batch(progress.step, 4, 0).seeds[0]) == int(seeds[0])
        return 1e4 if first and progress.step >= 350 else 1.0

    whole = trainer(Painter(wild), steps=400)
    toy_session(whole, tmp_path / "whole", save_every_steps=50).run()

    class Killed(Exception):
        pass

    class KillAtRollback(Ear):
        def event(self, step, kind, message):
            if kind == "rollback":
                raise Killed

    cut = trainer(Painter(wild), steps=400)
    with pytest.raises(Killed):
        toy_session(cut, tmp_path / "cut", [KillAtRollback()], save_every_steps=50).run()
    again = trainer(Painter(wild), steps=400)
    toy_session(again, tmp_path / "cut", save_every_steps=50).run()
    assert again.attempt == whole.attempt == 1
    for p, q in zip(again.family.parameters(), whole.family.parameters(), strict=True):
        assert torch.equal(p, q)


def test_extra_turns_move_one_player_more_often():
    painter = Painter()
    t = trainer(painter, players={"second": {"turns": 2}}, optimizer={"kind": "sgd"})
    t.learn()
    assert painter.turns == ["first", "second", "first", "second"]  # the story is told again
    t2 = trainer(Painter(), optimizer={"kind": "sgd"})
    t2.learn()
    assert torch.equal(t.family.first.bias, t2.family.first.bias)
    assert not torch.equal(t.family.second.bias, t2.family.second.bias)


@pytest.mark.parametrize("kind", ["adam", "adamw", "rmsprop", "sgd", "muon"])
def test_every_optimizer_learns_and_resumes(kind, tmp_path):
    settings = {"optimizer": {"kind": kind, "momentum": 0.5, "learning_rate": 1e-2}, "steps": 40}
    whole, half = trainer(**settings), trainer(**settings)
    before = whole.family.first.bias.clone()
    toy_session(whole, tmp_path / "whole").run()
    assert not torch.equal(before, whole.family.first.bias)

    half_session = toy_session(half, tmp_path / "cut")
    stopper = Stopper(half_session)
    half_session.callbacks = [stopper]
    half_session.run()
    again = trainer(**settings)
    toy_session(again, tmp_path / "cut").run()
    assert torch.equal(again.family.first.bias, whole.family.first.bias)


class Stopper(Callback):
    every_steps = 20

    def __init__(self, session):
        self.session = session

    def after_step(self, moment) -> None:
        self.session.stop()


def test_clipping_bounds_the_step():
    free = trainer(optimizer={"kind": "sgd", "learning_rate": 1.0})
    clipped = trainer(optimizer={"kind": "sgd", "learning_rate": 1.0, "clip": 1e-3})
    before = clipped.family.first.bias.clone()
    free.learn(), clipped.learn()
    assert (clipped.family.first.bias - before).norm() <= 1e-3 + 1e-7
    assert (free.family.first.bias - before).norm() > 1e-2


def test_a_time_budget_is_kept_and_stretches_the_schedule(tmp_path):
    class Slow(Painter):
        def training_step(self, batch, progress):
            time.sleep(0.005)
            yield from super().training_step(batch, progress)

    ear = Ear()
    t = trainer(
        Slow(),
        steps=None,
        hours=8 / 3600,
        optimizer={"schedule": {"kind": "linear_decay", "start": 0.0}},
    )
    started = time.monotonic()
    assert toy_session(t, tmp_path, [ear]).run() == "finished"
    assert 4 < time.monotonic() - started < 8
    rates = list(ear.rates.values())
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.1 * rates[0]


def test_an_unknown_player_is_named():
    with pytest.raises(SettingsError, match="did you mean 'second'"):
        trainer(players={"secnod": {"turns": 2}})


def test_the_average_follows_with_its_half_life():
    t = trainer(average_halflife_images=8, average_rampup=1.0)
    for _ in range(50):
        t.learn()
    before = t.average.first.bias.clone()
    now = t.family.first.bias.clone()
    t.learn()
    expected = before.lerp(t.family.first.bias, 1 - 0.5 ** (4 / 8))
    assert torch.allclose(t.average.first.bias, expected)
    assert not torch.equal(now, t.average.first.bias)


def test_what_was_certified_stays_so_when_training_fails_sooner_after_it(tmp_path):
    t = trainer(Painter(lambda p, _: 1e4 if p.step >= (500 if t.attempt == 0 else 320) else 1.0))
    session = toy_session(t, tmp_path, save_every_steps=100)
    with pytest.raises(RunError, match="keeps going wrong"):
        session.run()
    assert session.certified_until == 300


def test_a_table_without_a_planned_length_goes_by_the_epochs_there_were():
    rows = [{"from_epoch": 0, "learning_rate": 1e-3}, {"from_epoch": 3, "learning_rate": 1e-5}]
    t = trainer(steps=None, hours=1, optimizer={"schedule": {"kind": "table", "rows": rows}})
    found = []
    for _ in range(20):  # four epochs
        found.append(t.rates()["first"])
        t.learn()
    assert found == [1e-3] * 15 + [1e-5] * 5


def test_a_restored_optimizer_keeps_the_layout_it_learns_in():
    convolution = torch.nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    player = Player(convolution, TrainingSettings(steps=1).optimizer, start_engine("cpu", "fp32"))
    player.blame(Update("convolution", convolution(torch.ones(1, 4, 5, 5)).sum()))
    player.improve(0.1)
    player.restore({name: tensor.contiguous() for name, tensor in player.state().items()})
    moment = player.state()["0/exp_avg"]
    assert moment.stride() == convolution.weight.stride()


@pytest.mark.parametrize(("processes", "micro_batches"), [(3, 1), (2, 4)])
def test_a_batch_that_cannot_be_divided_is_refused(processes, micro_batches):
    settings = TrainingSettings(steps=1, batch_size=4, micro_batches=micro_batches)
    engine = Engine(torch.device("cpu"), "fp32", 0, processes)
    with pytest.raises(SettingsError, match="batch_size 4 cannot be divided"):
        Trainer(Painter(), toy_dataset(), settings, engine)


def test_another_machine_is_told(tmp_path):
    first = toy_session(trainer(steps=30), tmp_path)
    first.callbacks = [Stopper(first)]
    first.run()
    elsewhere, ear = trainer(steps=30), Ear()
    elsewhere.engine = replace(elsewhere.engine, precision="bf16")
    toy_session(elsewhere, tmp_path, [ear]).run()
    (warning,) = [message for _, kind, message in ear.events if kind == "warning"]
    assert "precision fp32 → bf16" in warning


@pytest.mark.parametrize("name", TRIED)
def test_half_precision_learns(name):
    dataset = toy_dataset()
    recipe = toy_recipe(name)
    t = Trainer(
        toy_family(recipe, dataset.spec), dataset, recipe.training, start_engine("cpu", "bf16")
    )
    before = [p.clone() for p in t.family.parameters()]
    for _ in range(3):  # what begins at zero lets others learn only after its own first step
        values = t.learn()
    assert all(value.isfinite() and value.dtype == torch.float32 for value in values.values())
    assert all(p.dtype == torch.float32 for p in t.family.parameters())
    changed = [not torch.equal(p, q) for p, q in zip(t.family.parameters(), before, strict=True)]
    assert sum(changed) > len(changed) / 2


COMPARE_COMPILED = """
import torch
from conftest import toy_dataset
from toys import toy_recipe, toy_trainer
eager, compiled = (
    toy_trainer(toy_recipe("gan").with_training(compile=c), toy_dataset()) for c in (False, True)
)
for _ in range(2):
    eager.learn(), compiled.learn()
for p, q in zip(eager.family.parameters(), compiled.family.parameters(), strict=True):
    torch.testing.assert_close(p, q, rtol=1e-3, atol=2e-5)
"""


@pytest.mark.slow
def test_compiled_networks_learn_what_eager_ones_do():
    """In a process of its own: the run-time type checks of the tests cannot be compiled."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", COMPARE_COMPILED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
