"""The run folder: made whole, locked, and serving the right weights."""

import json
from pathlib import Path

import pytest
import torch

from commands import TINY
from conftest import toy_dataset
from maquette.core.errors import RunError
from maquette.recipe import parse_recipe
from maquette.runs.folder import Run, create_run, find_runs, open_run
from maquette.training.checkpoints import CheckpointStore, Snapshot


def new_run(folder: Path) -> Run:
    return create_run(folder, parse_recipe(TINY), toy_dataset(), folder / "data", {"torch": "x"})


def save(run: Run, scores: dict[int, float | None]) -> None:
    store = CheckpointStore(run.folder / "checkpoints")
    for step, score in scores.items():
        weights = {"w": torch.full((2,), float(step))}
        store.save(Snapshot(step, {"average": weights}, {"score": score}), frozenset(scores))
    store.wait()


def test_a_run_is_made_and_opened(tmp_path):
    made = new_run(tmp_path / "deep" / "run")
    opened = open_run(tmp_path / "deep" / "run")
    assert (opened.state, opened.recipe, opened.info) == ("training", made.recipe, made.info)
    assert opened.spec == toy_dataset().spec
    assert {path.name for path in made.folder.iterdir()} == {"recipe.yaml", "run.json"}


def test_an_empty_folder_may_become_a_run_and_a_full_one_not(tmp_path):
    (tmp_path / "empty").mkdir()
    new_run(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="exists and is not a run"):
        new_run(tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


def test_what_a_killed_start_left_is_no_obstacle(tmp_path):
    (tmp_path / ".run.starting").mkdir()
    (tmp_path / ".run.starting" / "recipe.yaml").write_text("half")
    new_run(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_notes_survive(tmp_path):
    run = new_run(tmp_path / "run")
    run.note(state="finished", step=3)
    assert open_run(run.folder).info["step"] == 3
    assert open_run(run.folder).state == "finished"


def test_only_one_at_a_time_may_write(tmp_path):
    run = new_run(tmp_path / "run")
    with run.locked(), pytest.raises(RunError, match="another process"), run.locked():
        pass
    with run.locked():
        pass


def test_an_error_while_locked_keeps_its_own_words(tmp_path):
    with pytest.raises(PermissionError, match="other"), new_run(tmp_path / "run").locked():
        raise PermissionError("other")


@pytest.mark.parametrize(
    ("scores", "certified_until", "served"),
    [
        ({10: 3.0, 20: 2.0, 30: 4.0}, 30, 20),  # the best
        ({10: 3.0, 20: 2.0, 30: 2.0}, 20, 20),  # as good, and certified
        ({10: 3.0, 20: 2.0, 30: 1.0}, 20, 30),  # better than every certified one
        ({10: None, 20: None, 30: None}, 20, 20),  # no scores: the newest certified
        ({10: 3.0, 20: None}, 30, 10),  # judged before unjudged
    ],
)
def test_the_best_sound_weights_are_served(tmp_path, scores, certified_until, served):
    run = new_run(tmp_path / "run")
    save(run, scores)
    run.note(certified_until=certified_until)
    assert run.served().entry.step == served


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_the_best_of_steps_that_were_given_up_is_served(tmp_path, state):
    run = new_run(tmp_path / "run")
    save(run, {10: 3.0, 20: 2.0, 30: 2.5})
    run.checkpoints.forget_after(10)
    assert run.checkpoints.newest_sound()[0].step == 10
    save(run, {10: 3.0, 20: 2.5})
    run.note(state=state, certified_until=20)
    served = run.served()
    assert (served.entry.step, served.entry.score) == (20, 2.0)
    assert served.why == "the best score (2), from before training went wrong"
    save(run, {30: 1.5})  # better than what was given up
    assert run.served().entry.step == 30


def test_without_scores_only_certified_weights_of_a_failed_run_are_served(tmp_path):
    run = new_run(tmp_path / "run")
    save(run, {10: None, 20: None, 30: None})
    run.note(state="failed", certified_until=10)
    assert run.served().entry.step == 10


def test_damaged_weights_are_never_served(tmp_path):
    run = new_run(tmp_path / "run")
    save(run, {10: 3.0, 20: 2.0})
    run.note(certified_until=20)
    path = run.folder / "checkpoints" / "00000020" / "average.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert run.served().entry.step == 10
    (run.folder / "checkpoints" / "00000010" / "average.safetensors").unlink()
    with pytest.raises(RunError, match="no weights to use yet"):
        run.served()


def test_the_untrained_start_is_never_served(tmp_path):
    run = new_run(tmp_path / "run")
    save(run, {0: None})
    with pytest.raises(RunError, match="no weights to use yet"):
        run.served()


def test_runs_are_found_newest_first(tmp_path):
    import os

    for age, name in enumerate(["new", "old"]):
        new_run(tmp_path / name)
        os.utime(tmp_path / name / "run.json", (1e9 - age, 1e9 - age))
    (tmp_path / "data").mkdir()
    assert [path.name for path in find_runs(tmp_path)] == ["new", "old"]


def test_a_run_of_another_version_is_refused(tmp_path):
    run = new_run(tmp_path / "run")
    (run.folder / "run.json").write_text(json.dumps(run.info | {"format": 2}))
    with pytest.raises(RunError, match="another version of Maquette"):
        open_run(run.folder)


def test_the_folder_one_stands_in_may_become_a_run(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    new_run(Path())
    assert open_run(tmp_path / "mine").info["name"] == "mine"
