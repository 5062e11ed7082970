"""Killed while it learns, the shipped recipes go on as if nothing had happened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import toy_dataset
from toys import STEPS, TRIED, same_weights, toy_recipe, toy_session, toy_trainer


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What runs of all recipes had saved when they were killed, by name."""
    folder, script = tmp_path_factory.mktemp("killed"), Path(__file__).with_name("killed.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(script.parents[1])}
    command = [sys.executable, str(script), str(folder), *TRIED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("name", TRIED)
def test_a_killed_run_ends_with_the_same_bytes(name, killed, tmp_path):
    whole, again = (toy_trainer(toy_recipe(name), toy_dataset()) for _ in range(2))
    toy_session(whole, tmp_path).run()
    session = toy_session(again, killed / name)
    saved = [entry.step for entry in session.store.entries()]
    assert saved and max(saved) < STEPS - 2
    assert session.run() == "finished"
    assert same_weights(whole, again)
