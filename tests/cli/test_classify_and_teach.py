"""`maquette classify` and `maquette teach`, on lines that lie, stand or cross."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands import TINY, listing, make_dataset, maquette
from maquette.core.images import to_float
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
from maquette.data.pictures.content import Drawing
from maquette.data.pictures.drawing import rasterise
from maquette.runs.folder import open_run
from maquette.workflows.classifying import classify
from maquette.workflows.serving import reads_drawings
from maquette.workflows.teaching import prepare_lesson, taught

LINE = {
    "lying": [[0, 0, 9, 0]],
    "standing": [[0, 0, 0, 9]],
    "crossing": [[0, 0, 9, 9], [0, 9, 9, 0]],
}


def strokes(kind: str, seed: int) -> list[list[list[float]]]:
    """Lines of a kind, a little crooked."""
    random = np.random.default_rng(seed)
    drawn = []
    for x0, y0, x1, y1 in LINE[kind]:
        ends = np.linspace([x0, y0], [x1, y1], 5) * 20 + random.normal(0, 4, (5, 2))
        drawn.append(ends.round(2).T.tolist())
    return drawn


def write(file: Path, kind: str, seeds: range) -> Path:
    lines = [
        json.dumps({"word": kind, "key_id": f"{kind} {seed}", "drawing": strokes(kind, seed)})
        for seed in seeds
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def raster(kind: str, seed: int) -> np.ndarray:
    points = tuple(np.array(stroke, np.float32) for stroke in strokes(kind, seed))
    return rasterise(Drawing(points), 64, 64)[..., 0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that tells lying from standing, at seeds below 40."""
    folder = tmp_path_factory.mktemp("lines")
    files = [write(folder / f"{kind}.ndjson", kind, range(40)) for kind in ("lying", "standing")]
    built = maquette(
        "data", "build", *files, "--out", folder / "data", "--size", "16", "--holdout", "0.2"
    )
    assert built.code == 0, built.err
    ended = maquette(
        *("train", "scratch-mlp", "--data", folder / "data", "--out", folder / "run"),
        *("--steps", "60", "--set", "training.batch_size=16", "--set", "model.width=16"),
        *("--set", "training.device=cpu", "--set", "model.shift_px=0"),
        *("--set", "callbacks.checkpoint_every_steps=20"),
    )
    assert ended.code == 0, ended.err
    return folder


def test_drawings_are_named_and_counted(made, tmp_path):
    file = write(tmp_path / "new.ndjson", "standing", range(100, 110))
    ended = maquette("classify", made / "run", file, "--out", tmp_path / "a.csv")
    assert ended.code == 0, ended.err
    assert "10 of 10 right" in ended.out
    with (tmp_path / "a.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert [row["class_1"] for row in rows] == ["standing"] * 10
    assert rows[0]["source"] == "new.ndjson#1" and rows[0]["told"] == "standing"
    total = float(rows[0]["probability_1"]) + float(rows[0]["probability_2"])
    assert total == pytest.approx(1, abs=1e-5)


def test_pictures_are_prepared_as_drawings_are_whether_on_paper_or_on_a_blackboard(made, tmp_path):
    for number, kind in enumerate(("lying", "standing")):
        drawn = raster(kind, 200 + number)
        Image.fromarray(drawn).save(tmp_path / f"{kind}-board.png")
        Image.fromarray(255 - drawn).convert("RGB").save(tmp_path / f"{kind}-paper.jpg")
    answers = classify(made / "run", [tmp_path], device="cpu")
    assert len(answers) == 4
    for answer in answers:
        assert answer.source.split("/")[-1].startswith(answer.classes[0]), answer


def test_what_cannot_be_read_is_told_among_the_answers(made, tmp_path):
    Image.fromarray(raster("lying", 5)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    ended = maquette("classify", made / "run", tmp_path, "--out", tmp_path / "out.json")
    assert ended.code == 0, ended.err
    bad, good = json.loads((tmp_path / "out.json").read_text())
    assert bad["classes"] == [] and bad["fault"]
    assert good["classes"][0] == "lying" and not good["fault"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.png"], "cannot be read"),
        (["empty"], "empty"),
        (["lying.ndjson", "--out", "a.txt"], "neither a .csv nor a .json"),
    ],
)
def test_bad_input_is_told_in_a_sentence(made, arguments, words, monkeypatch):
    monkeypatch.chdir(made)
    (made / "empty").mkdir(exist_ok=True)
    ended = maquette("classify", "run", *arguments)
    assert ended.code == 1
    assert words in ended.err and ended.err.count("\n") == 1


def test_a_class_is_taught_and_the_others_stay(made, tmp_path):
    new = write(tmp_path / "crossing.ndjson", "crossing", range(30))
    ended = maquette(
        *("teach", made / "run", new, "--class", "crossing", "--out", tmp_path / "more"),
        *("--steps", "60"),
    )
    assert ended.code == 0, ended.err
    assert "30 new pictures" in ended.out and "other classes:" in ended.out
    before, after = open_run(made / "run"), open_run(tmp_path / "more")
    assert after.spec.classes == ("lying", "standing", "crossing")
    found = taught(before, after, "crossing")
    assert found.others_after >= found.others_before - 0.1 and found.new > 0.7
    unseen = write(tmp_path / "unseen.ndjson", "crossing", range(300, 320))
    told = [a.told == a.classes[0] for a in classify(after, [unseen], device="cpu")]
    assert sum(told) >= 17
    again = maquette("teach", made / "run", new, "--class", "crossing", "--out", tmp_path / "more")
    assert again.code == 0 and "nothing left to do" in again.out


def test_the_dataset_of_a_lesson_holds_everything_in_its_place(made, tmp_path):
    new = write(tmp_path / "crossing.ndjson", "crossing", range(20))
    lesson = prepare_lesson(made / "run", [new], "crossing", tmp_path / "more")
    old, _ = read_manifest(made / "data")
    manifest, _ = read_manifest(lesson.dataset)
    assert manifest.rows == old.rows + 20 and manifest.strokes is not None
    lines = [json.loads(line) for line in (lesson.dataset / "items.jsonl").open()]
    for split in ("train", "holdout"):
        was, now = (open_dataset(folder, split) for folder in (made / "data", lesson.dataset))
        count = len(was)
        rows = was.pictures(torch.arange(count))
        assert now.pictures(torch.arange(count)).equal(rows)
        assert now.labels[:count].equal(was.labels)
        assert set(now.labels[count:].tolist()) <= {2} and len(now) > count
        whole = now.partial_pictures(
            torch.arange(len(now)), 1.0
        )  # the strokes are in the same order
        assert (whole.int() - now.pictures(torch.arange(len(now))).int()).abs().max() <= 1
    assert [line["row"] for line in lines] == list(range(manifest.rows))
    assert {line["label"] for line in lines} == {"lying", "standing", "crossing"}


def test_what_is_taught_on_paper_is_learnt_as_it_will_be_asked(made, tmp_path):
    for seed in range(6):
        Image.fromarray(255 - raster("crossing", seed)).save(tmp_path / f"{seed}.png")
    lesson = prepare_lesson(made / "run", [tmp_path], "crossing", tmp_path / "more")
    learnt = open_dataset(lesson.dataset)
    new = learnt.pictures((learnt.labels == 2).nonzero()[:, 0]).float()
    assert len(new) >= 3
    assert new[..., 0, :].mean() < 10 and new.mean() < 100  # white on black, as the others


@pytest.mark.parametrize(
    ("sources", "name", "words"),
    [
        (["two.ndjson"], "crossing", "give 3 or more"),
        (["lying.ndjson"], "lying", "holds all of these pictures already"),
    ],
)
def test_lessons_that_teach_nothing_are_refused(made, sources, name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(made)
    write(made / "two.ndjson", "crossing", range(2))
    before = listing(made)
    ended = maquette("teach", "run", *sources, "--class", name, "--out", "more")
    assert ended.code == 1
    assert words in ended.err and ended.err.count("\n") == 1
    assert listing(made) == before


def test_generators_name_no_classes(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    data = make_dataset(tmp_path / "d")
    assert (
        maquette("train", tmp_path / "tiny.yaml", "--data", data, "--out", tmp_path / "g").code == 0
    )
    for command in (["classify", tmp_path / "g", tmp_path], ["teach", tmp_path / "g", tmp_path]):
        more = ["--class", "x", "--out", tmp_path / "o"] if command[0] == "teach" else []
        ended = maquette(*command, *more)
        assert ended.code == 1 and "does not name classes" in ended.err


def test_a_run_of_drawings_says_how_soon_it_knows(made):
    ended = maquette("evaluate", made / "run", "--device", "cpu")
    assert ended.code == 0, ended.err
    assert "accuracy after 50%" in ended.out
    stored = json.loads((made / "run" / "evaluation.json").read_text())
    values = {m["name"]: m["value"] for m in stored["measurements"]}
    held = open_dataset(made / "data", "holdout")
    family = open_run(made / "run").served_family()
    half = to_float(held.partial_pictures(torch.arange(len(held)), 0.5))
    right = (family.logits(half).argmax(1) == held.labels).float().mean().item()
    assert values["accuracy after 50% of the drawing"] == pytest.approx(right)
    assert "How soon does it know?" in (made / "run" / "report.html").read_text()


def test_grey_pictures_on_paper_are_no_drawings(made, tmp_path):
    """A pen that draws bright on dark would show such a run what it never saw."""
    for number in range(12):
        for kind in ("lying", "standing"):
            place = tmp_path / "pictures" / kind / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - raster(kind, number)).save(place)
    data = tmp_path / "data"
    built = maquette(
        *("data", "build", tmp_path / "pictures", "--out", data, "--size", "16", "--colour", "grey")
    )
    assert built.code == 0, built.err
    ended = maquette(
        *("train", "scratch-mlp", "--data", data, "--out", tmp_path / "run", "--steps", "4"),
        *("--set", "model.width=4", "--set", "training.device=cpu"),
    )
    assert ended.code == 0, ended.err
    assert not reads_drawings(open_run(tmp_path / "run"))
    assert reads_drawings(open_run(made / "run"))
