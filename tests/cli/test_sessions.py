"""A run from its first step to its last, as a person at a terminal meets it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from commands import STEPS, TINY, make_dataset, maquette, start_maquette
from maquette.runs.folder import Run, open_run
from maquette.runs.history import read_history

LONG = 40
SELDOM = [
    "--set",
    "callbacks.preview_every_images=800",
    "--set",
    "callbacks.checkpoint_every_steps=20",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(TINY)
    make_dataset(folder).rename(folder / "data")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def last_weights(run: Path) -> dict[str, bytes]:
    """The files of the newest checkpoint: networks, averages and optimizers."""
    newest = max(run.glob("checkpoints/[0-9]*"))
    return {file.name: file.read_bytes() for file in newest.glob("*.safetensors")}


def begun(run: Path, process: subprocess.Popen[str]) -> Run:
    """Wait until a run in another process has taken some steps."""
    deadline = time.monotonic() + 60
    while not any(line.get("step", 0) >= 4 for line in read_history(run / "history.jsonl")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return open_run(run)


def train(*more: str) -> str:
    ended = maquette("train", "tiny.yaml", "--data", "data", "--out", "run", *more)
    assert ended.code == 0, ended.err
    return ended.out


def test_a_finished_run_says_so_and_goes_on_when_asked(here):
    assert f"run: {STEPS} steps" in train()
    weights = last_weights(here / "run")
    assert "nothing left to do" in train()
    assert last_weights(here / "run") == weights
    more = maquette("train", "run", "--steps", str(STEPS + 4))
    assert (more.code, open_run("run").info["step"]) == (0, STEPS + 4)
    assert f"going on from step {STEPS}" in more.err
    assert open_run("run").recipe.training.steps == STEPS + 4


def test_a_run_whose_score_stands_still_ends_early_and_goes_on_when_asked(here):
    still = ["training.optimizer.learning_rate=1e-12", "training.steps=40"]
    still += ["callbacks.checkpoint_every_steps=2", "callbacks.patience_images=24"]
    still += ["callbacks.score_share=1"]
    ended = maquette(
        *["train", "tiny.yaml", "--data", "data", "--out", "run"],
        *[word for setting in still for word in ("--set", setting)],
    )
    assert ended.code == 0, ended.err
    said = "the score has not improved for 24 images; the best was at step "
    assert f"stopped early: {said}" in ended.err
    assert "run: 8 steps" in ended.out and "serving step" in ended.out
    run = open_run("run")
    assert (run.state, run.info["step"]) == ("finished", 8)
    (event,) = [line for line in read_history(run.folder / "history.jsonl") if "event" in line]
    assert (event["event"], event["step"]) == ("stopped early", 8)
    assert event["message"].startswith(said)
    assert said in (run.folder / "report.html").read_text()
    again = maquette("train", "run")
    assert again.code == 0 and "nothing left to do" in again.out
    more = maquette("train", "run", "--steps", "50")
    assert more.code == 0 and "going on from step 8" in more.err
    assert open_run("run").info["step"] > 8


def test_a_run_folder_holds_what_it_promises(here):
    train()
    run = open_run("run")
    assert run.state == "finished"
    assert list((here / "run" / "previews").glob("0*.png"))
    steps = [line["step"] for line in read_history(here / "run" / "history.jsonl")]
    assert steps == sorted(steps) and steps[-1] == STEPS
    assert run.info["served"]["step"] == run.served().entry.step


def test_a_run_whose_dataset_moved_goes_on_with_the_new_place(here):
    train()
    (here / "data").rename(here / "elsewhere")
    assert maquette("train", "run", "--steps", "12").code == 1
    assert maquette("train", "run", "--steps", "12", "--data", "elsewhere").code == 0
    assert open_run("run").dataset_path == here / "elsewhere"


def test_a_run_cut_after_its_last_checkpoint_is_put_in_order(here):
    train()
    info = json.loads((here / "run" / "run.json").read_text())
    unfinished = {k: v for k, v in info.items() if k not in ("served", "step")}
    (here / "run" / "run.json").write_text(json.dumps(unfinished | {"state": "training"}))
    train()
    assert open_run("run").state == "finished"
    assert open_run("run").info["served"] == info["served"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_the_same_command_ends_with_the_same_bytes(here, number, code):
    command = ["train", "tiny.yaml", "--data", "data", *SELDOM, "--steps", str(LONG), "--out"]
    process = start_maquette(*command, "run", folder=here)
    run = begun(here / "run", process)
    if number == signal.SIGINT:
        second = maquette("train", "run", "--steps", "99")
        assert second.code == 1 and "being trained by another process" in second.err
        assert open_run("run").recipe.training.steps == LONG
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    stopped = open_run("run")
    assert stopped.state == "stopped"
    assert 0 < stopped.info["step"] < LONG
    assert f"stopped at step {stopped.info['step']}, everything saved" in out
    assert f"maquette train {run.folder.name}" in out

    if number == signal.SIGTERM:
        return  # the way on is the same
    assert maquette(*command, "run").code == 0
    assert maquette(*command, "whole").code == 0
    assert last_weights(here / "run") == last_weights(here / "whole")


def test_a_killed_run_is_listed_as_stopped_and_goes_on(here):
    process = start_maquette(
        *["train", "tiny.yaml", "--data", "data", "--out", "run", "--steps", "100000"], folder=here
    )
    begun(here / "run", process)
    assert "training" in maquette("runs", ".").out
    process.kill()
    process.communicate()
    assert "stopped" in maquette("runs", ".").out
    step = max(int(path.name) for path in (here / "run" / "checkpoints").glob("[0-9]*"))
    ended = maquette("train", "run", "--steps", str(step + 4))
    assert (ended.code, open_run("run").state) == (0, "finished")


def test_the_table_of_runs_names_the_damaged_one(here):
    train()
    (here / "broken").mkdir()
    (here / "broken" / "run.json").write_text("{")
    ended = maquette("runs", ".")
    assert ended.code == 0
    lines = {line.split()[0]: line for line in ended.out.splitlines()[1:]}
    assert "finished" in lines["run"] and "tiny" in lines["run"]
    assert "damaged" in lines["broken"]
    assert "broken/run.json cannot be read" in ended.out


def test_an_empty_folder_of_runs_says_how_to_make_one(here):
    ended = maquette("runs", ".")
    assert ended.code == 0 and "maquette demo" in ended.out


class full_disk:
    """No file may grow beyond so many bytes: what a full disk does, without filling one."""

    def __init__(self, largest_bytes: int):
        self.largest_bytes = largest_bytes

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest_bytes, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


def test_a_disk_full_while_saving_leaves_earlier_checkpoints_whole(here):
    train()
    before = last_weights(here / "run")
    with full_disk(4000):
        ended = maquette("train", "run", "--steps", "16")
    assert ended.code == 1 and "Traceback" not in ended.err
    said = ended.err.splitlines()[-1]
    assert said.startswith("maquette: ") and "file too large" in said.lower()
    assert last_weights(here / "run") == before
    assert not list((here / "run" / "checkpoints").glob(".*"))
    assert maquette("train", "run", "--steps", "16").code == 0
    assert open_run("run").info["step"] == 16


def test_a_disk_full_at_the_first_step_leaves_nothing(here):
    with full_disk(4000):
        ended = maquette("train", "tiny.yaml", "--data", "data", "--out", "run")
    assert ended.code == 1 and ended.err.count("\n") == 1, ended.err
    assert not list(here.glob("*run*")) and not list(here.glob(".*run*"))


def test_a_disk_full_while_building_leaves_nothing(here):
    with full_disk(1000):
        ended = maquette("data", "build", "a.npy", "b.npy", "--out", "new", "--size", "16")
    assert ended.code == 1 and "disk is full" in ended.err
    assert not list(here.glob("*new*")) and not list(here.glob(".*new*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_run_is_refused_in_a_sentence(here):
    train()
    (here / "run").chmod(0o500)
    for command in ("train run --steps 16", "generate run -n 1"):
        ended = maquette(*command.split())
        assert ended.code == 1 and "cannot be written" in ended.err
        assert ended.err.count("\n") == 1
    (here / "run").chmod(0o700)


def test_a_run_on_a_read_only_disk_is_refused_in_a_sentence(here, monkeypatch):
    """As the operating system tells it; this holds for root too."""
    train()

    def refuse(*_: object, **__: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("filelock._unix.os.open", refuse)
    ended = maquette("train", "run", "--steps", "16")
    assert ended.code == 1
    assert "run cannot be written (read-only file system)" in ended.err
