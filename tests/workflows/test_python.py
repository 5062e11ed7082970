"""The same verbs from Python."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import maquette
from commands import STEPS, TINY, make_dataset
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.sizes import ImageSize
from maquette.recipe import parse_recipe
from maquette.runs.history import read_history
from maquette.training.callback import Callback, Moment


def test_every_name_resolves_and_is_explained():
    assert maquette.__all__
    for name in maquette.__all__:
        value = getattr(maquette, name)
        assert inspect.getdoc(value), f"{name} says nothing about itself"
    with pytest.raises(AttributeError, match="paint"):
        _ = maquette.paint


def test_a_dataset_is_random_access(tmp_path):
    dataset = maquette.open_dataset(make_dataset(tmp_path))
    holdout = maquette.open_dataset(make_dataset(tmp_path / "again"), split="holdout")
    assert len(dataset) + len(holdout) == 24
    assert dataset.spec.classes == ("a", "b")
    batch = dataset.batch(step=3, size=4, seed=0)
    assert batch.images.shape == (4, 1, 16, 16)
    assert batch.images.abs().max() <= 1
    assert batch.images.equal(dataset.batch(3, 4, 0).images)
    assert not batch.images.equal(dataset.batch(4, 4, 0).images)


class Counter(Callback):
    every_steps = 1

    def __init__(self) -> None:
        self.steps: list[int] = []

    def after_step(self, moment: Moment) -> None:
        self.steps.append(moment.progress.step)


def test_train_watch_generate_save_and_list(tmp_path: Path):
    counter = Counter()
    result = maquette.train(
        parse_recipe(TINY),
        make_dataset(tmp_path),
        tmp_path / "runs" / "one",
        overrides=[],
        watchers=lambda run, trainer: [counter],
    )
    assert result.outcome == "finished"
    assert counter.steps == list(range(1, STEPS + 1))
    run = maquette.open_run(tmp_path / "runs" / "one")
    made = maquette.generate(run, classes=["b"], seeds=[3])
    again = maquette.generate(str(run.folder), classes=["b", "b"], seeds=[9, 3])
    assert made.pixels.dtype == torch.uint8
    assert made.pixels[0].equal(again.pixels[1])
    (path,) = maquette.save_generated(made, tmp_path / "one.png")
    assert path.exists()
    (line,) = maquette.list_runs(tmp_path / "runs")
    assert (line.state, line.step, line.recipe) == ("finished", STEPS, "tiny")


def test_watching_changes_nothing(tmp_path):
    data = make_dataset(tmp_path)
    recipe = parse_recipe(TINY)
    silent = recipe.model_copy(
        update={"callbacks": recipe.callbacks.model_copy(update={"score_pictures": 0})}
    )
    maquette.train(recipe, data, tmp_path / "watched")
    maquette.train(silent, data, tmp_path / "silent")
    first, second = (
        (tmp_path / name / "checkpoints" / f"{STEPS:08d}" / "family.safetensors").read_bytes()
        for name in ("watched", "silent")
    )
    assert first == second


def test_overrides_reach_a_recipe_given_as_an_object(tmp_path):
    with pytest.raises(maquette.MaquetteError, match=r"training\.steps"):
        maquette.train(
            parse_recipe(TINY),
            make_dataset(tmp_path),
            tmp_path / "r",
            overrides=["training.stepz=3"],
        )


def test_scores_come_every_so_many_images_at_whole_checkpoints(tmp_path):
    overrides = [
        *("training.steps=22", "callbacks.checkpoint_every_steps=2", "callbacks.score_share=1"),
        "callbacks.score_every_images=50",  # 12.5 steps of 4 pictures: every sixth checkpoint
    ]
    result = maquette.train(
        parse_recipe(TINY), make_dataset(tmp_path), tmp_path / "run", overrides=overrides
    )
    lines = read_history(result.run.folder / "history.jsonl")
    assert [line["step"] for line in lines if "score" in line] == [12, 22]


def test_patience_without_scores_is_refused(tmp_path):
    overrides = ["callbacks.patience_images=100", "callbacks.score_pictures=0"]
    with pytest.raises(maquette.MaquetteError, match="waits for better scores"):
        maquette.train(
            parse_recipe(TINY), make_dataset(tmp_path), tmp_path / "run", overrides=overrides
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("count", [1, 2])
def test_a_split_with_too_few_pictures_to_judge_by_is_no_obstacle(tmp_path, count):
    random = np.random.default_rng(0)
    np.save(tmp_path / "few.npy", random.integers(0, 256, (count + 1, 16, 16), dtype=np.uint8))
    build([str(tmp_path / "few.npy")], tmp_path / "data", ImageSize(16, 16), Choices(holdout=0))
    manifest = json.loads((tmp_path / "data" / "dataset.json").read_text())
    manifest["splits"] = {"train": [0, count], "holdout": [count, count + 1]}
    (tmp_path / "data" / "dataset.json").write_text(json.dumps(manifest))
    result = maquette.train(parse_recipe(TINY), tmp_path / "data", tmp_path / "run")
    assert result.outcome == "finished"
    assert (result.run.served().entry.facts["score"] is not None) == (count > 1)
