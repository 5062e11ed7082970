"""What a person can mend is told in one sentence: exit code 1, no traceback, nothing left over."""

import gzip
import hashlib
import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from commands import TINY, listing, make_dataset, maquette
from maquette.cli import data_commands
from maquette.data.building.choices import Colour, Labels
from maquette.data.pictures.preparation import Fit

TRAIN = "train tiny.yaml --data data --out new"
BUILD = "data build {} --out new --size 16"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, others that do not match it, and a finished run."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(TINY)
    make_dataset(folder).rename(folder / "data")
    make_dataset(folder, size=24).rename(folder / "larger")
    make_dataset(folder, classes=("a", "c")).rename(folder / "other-classes")
    make_dataset(folder, classes=("a", "b")).rename(folder / "changed")
    manifest = folder / "changed" / "dataset.json"
    manifest.write_text(manifest.read_text() + " ")
    ended = maquette(
        "train", folder / "tiny.yaml", "--data", folder / "data", "--out", folder / "run"
    )
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(here: Path, command: str, *words: str, code: int = 1) -> None:
    """The command says one sentence with these words, and changes no file."""
    before = listing(here)
    ended = maquette(*shlex.split(command))
    assert (ended.code, ended.out) == (code, ""), ended
    assert ended.err.count("\n") == 1, ended.err
    assert ended.err.startswith("maquette: "), ended.err
    for word in words:
        assert word in ended.err, f"{word!r} is not in: {ended.err}"
    assert listing(here) == before


TYPOS = {
    "trainin.steps=3": "'training'",
    "training.stepz=3": "'training.steps'",
    "training.optimizer.lerning_rate=1e-3": "'training.optimizer.learning_rate'",
    "training.optimizer.schedule.knd=cosine": "'training.optimizer.schedule.kind'",
    "training.optimizer.schedule.kind=cosin": "'cosine'",
    "training.optimizer.schedule={kind: cosine, finl: 0.1}": "'training.optimizer.schedule.final'",
    "training.optimizer.schedule={kind: phases, phases: [{learning_rat: 1, epochs: 1}]}": (
        "'training.optimizer.schedule.phases.0.learning_rate'"
    ),
    "training.players.generator.lerning_rate=1": "'training.players.generator.learning_rate'",
    "training.players.genrator.learning_rate=1": "'generator'",
    "training.guard.atempts=1": "'training.guard.attempts'",
    "model.widht=8": "'model.width'",
    "model.strength.initail=1": "'model.strength.initial'",
    "data.miror=true": "'data.mirror'",
    "callbacks.preview_picture=3": "'callbacks.preview_pictures'",
    "family=gam": "'gan'",
}


@pytest.mark.parametrize("override", TYPOS, ids=lambda text: text.split("=")[0])
def test_a_typo_is_answered_with_the_nearest_right_name(here, override):
    refused(here, f"{TRAIN} --set '{override}'", f"did you mean {TYPOS[override]}?")


@pytest.mark.parametrize("at", ["training", "model"])
def test_a_typo_in_a_recipe_file_names_the_file(here, at):
    text = TINY.replace("width", "widht") if at == "model" else TINY.replace("steps:", "stepz:", 1)
    right = {"model": "model.width", "training": "training.steps"}[at]
    (here / "mine.yaml").write_text(text)
    refused(here, "train mine.yaml --data data --out new", "mine.yaml", f"did you mean {right!r}?")


VALUES = {
    "training.batch_size=0": ("training.batch_size", "greater than or equal to 1"),
    "training.steps=many": ("training.steps", "'many'"),
    "training.steps=null": ("say how long",),
    "training.epochs=3": ("steps or epochs",),
    "training.micro_batches=3": ("batch_size 4", "3 equal micro_batches"),
    "training.steps=[1": ("--set training.steps=[1",),
    "training.steps=${x": ("--set training.steps=${x",),
    "training": ("part.setting=value",),
    "=3": ("part.setting=value",),
    "training.guard.window_steps=50": ("training.guard", "window_steps 50", "least_steps 100"),
    "model.network=residul": ("model.network", "'residual'"),
    "model=3": ("model:", "3"),
    "family=3": ("family:", "3"),
    "callbacks.trackers=[tensorbord]": ("tensorbord is not installed",),
    "training.device=nonsense": ("the device 'nonsense'", "auto or cpu"),
}


@pytest.mark.parametrize("override", VALUES)
def test_a_value_that_cannot_be_is_refused(here, override):
    refused(here, f"{TRAIN} --set '{override}'", *VALUES[override])


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused(here):
    refused(here, f"{TRAIN} --set training.device=cuda", "the device 'cuda'", "auto or cpu")


COMMANDS = {
    "no dataset": ("train tiny.yaml --out new", "--data DIR"),
    "dataset missing": ("train tiny.yaml --data nowhere --out new", "nowhere", "data build"),
    "pictures instead of a dataset": ("train tiny.yaml --data run --out new", "data build"),
    "recipe misspelt": ("train gna --data data", "did you mean 'gan'?"),
    "recipe missing": ("train nowhere.yaml --data data", "nowhere.yaml", "no such file"),
    "recipe is a folder": ("train data --data data", "data is not a run", "run.json"),
    "out is no run": ("train tiny.yaml --data data --out larger", "larger", "--out"),
    "out is a file": ("train tiny.yaml --data data --out tiny.yaml", "tiny.yaml", "--out"),
    "out for a run that exists": ("train run --out new", "leave --out away"),
    "forbidden change": ("train run --set training.batch_size=8", "training.batch_size"),
    "forbidden change of a model": ("train run --set model.width=8", "model.width"),
    "other sizes": ("train run --data larger", "16x16", "24x24"),
    "other classes": ("train run --data other-classes", "(a, b)", "(a, c)"),
    "other pictures": ("train run --data changed", "its pictures changed"),
    "run missing": ("generate nowhere", "no run folder nowhere"),
    "not a run": ("generate data", "data is not a run"),
    "class misspelt": ("generate run --classes aa", "did you mean 'a'?"),
    "seeds garbage": ("generate run --seeds '1;2'", "--seeds 1;2", "0-9,42"),
    "seeds backwards": ("generate run --seeds 9-0", "--seeds 9-0"),
    "no seeds": ("generate run --seeds ,", "0-9,42"),
    "too many seeds": ("generate run --seeds 0-999999,0-9", "1,000,000"),
    "device for generating": ("generate run --device nonsense", "auto or cpu"),
    "no folder of runs": ("runs nowhere", "nowhere", "maquette demo"),
    "show a misspelt recipe": ("recipes show gna", "did you mean 'gan'?"),
    "schema of a misspelt family": ("recipes schema gam", "did you mean 'gan'?"),
    "copy onto a file": ("recipes copy gan tiny.yaml", "exists already"),
    "copy to nowhere": ("recipes copy gan nowhere/gan.yaml", "cannot be written"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_that_cannot_be_done_says_why(here, what):
    refused(here, *COMMANDS[what])


def _text(here: Path) -> str:
    (here / "texts").mkdir()
    for name in ("a.txt", "b.txt", "c.jpg"):
        (here / "texts" / name).write_text("not a picture")
    return "texts"


def _one(here: Path) -> str:
    (here / "one").mkdir()
    Image.new("RGB", (20, 20)).save(here / "one" / "a.png")
    return "one"


def _empty(here: Path) -> str:
    (here / "empty").mkdir()
    return "empty"


def _cut_gzip(here: Path) -> str:
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (10, 16, 16))
    packed = gzip.compress(header + bytes(range(256)) * 10)
    (here / "train-images-idx3-ubyte.gz").write_bytes(packed[: len(packed) // 2])
    return "train-images-idx3-ubyte.gz"


def _page(here: Path) -> str:
    (here / "apple.npy").write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")
    return "apple.npy"


SOURCES: dict[str, tuple[Callable[[Path], str], tuple[str, ...]]] = {
    "missing folder": (lambda _: "nowhere", ("nowhere",)),
    "empty folder": (_empty, ("empty is empty",)),
    "one picture": (_one, ("only one picture", "at least 2")),
    "folder of texts": (_text, ("no picture that can be read",)),
    "truncated idx.gz": (_cut_gzip, ("cut short", "download it again")),
    "HTML named .npy": (_page, ("apple.npy",)),
    "unknown built-in": (lambda _: "builtin:digit", ("did you mean 'builtin:digits'?",)),
}


@pytest.mark.parametrize("what", SOURCES)
def test_a_source_that_is_none_is_refused(here, what):
    make, words = SOURCES[what]
    refused(here, BUILD.format(make(here)), *words)


def test_a_build_onto_something_is_refused(here):
    refused(here, "data build a.npy b.npy --out data --size 16", "data exists already")


@pytest.mark.parametrize("option", ["--fit covr", "--colour gray", "--labels folder"])
def test_a_misspelt_choice_is_wrong_usage_and_shows_the_choices(here, option):
    ended = maquette(*f"data build a.npy b.npy --out new --size 16 {option}".split())
    assert ended.code == 2
    known = {"--fit": "cover", "--colour": "grey", "--labels": "folders"}[option.split()[0]]
    assert f"'{known}'" in ended.err
    assert not (here / "new").exists()


def test_the_choices_offered_are_those_there_are():
    assert (data_commands.Fit, data_commands.Colour, data_commands.Labels) == (Fit, Colour, Labels)


def test_an_impossible_size_is_refused(here):
    refused(here, "data build a.npy --out new --size big", "'big'", "96x128")


def test_yaml_that_is_none_is_refused_by_line(here):
    (here / "broken.yaml").write_text("name: x\nfamily: [gan\ntraining: {}\n")
    refused(here, "train broken.yaml --data data --out new", "broken.yaml", "YAML", "line")
    (here / "list.yaml").write_text("- a\n- b\n")
    refused(here, "train list.yaml --data data --out new", "list.yaml", "mapping")
    (here / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    refused(here, "train binary.yaml --data data --out new", "binary.yaml", "not a text file")


def _with(**facts: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | facts))

    return change


DAMAGE: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "newer": (_with(format=99), ("another version", "99")),
    "cut": (lambda path: path.write_text(path.read_text()[:40]), ("run.json", "cannot be read")),
    "not an object": (lambda path: path.write_text("[]"), ("another version",)),
    "gone": (Path.unlink, ("no run.json",)),
    "empty facts": (lambda path: path.write_text('{"format": 1}'), ("run.json is damaged",)),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_run_that_cannot_be_read_is_refused(here, what):
    damage, words = DAMAGE[what]
    damage(here / "run" / "run.json")
    refused(here, "generate run", *words)


def test_a_checkpoint_of_another_version_is_refused(here):
    for manifest in here.glob("run/checkpoints/*/manifest.json"):
        facts = json.loads(manifest.read_text()) | {"format": 99}
        del facts["digest"]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        manifest.write_text(json.dumps(facts | {"digest": digest}))
    refused(here, "train run --steps 12", "checkpoint format 99")


def test_a_run_without_weights_says_how_to_get_some(here):
    shutil.rmtree(here / "run" / "checkpoints")
    refused(here, "generate run", "no weights to use yet", "maquette train run")
