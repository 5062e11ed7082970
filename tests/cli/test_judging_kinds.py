"""`maquette evaluate`, `compare` and `report` of classifiers and translators.

Their numbers are compared with direct computation, on the very pictures.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from commands import maquette
from judged import (
    CLASSIFIER,
    TRANSLATOR,
    digits_dataset,
    domains_dataset,
    toy_families,
    trained,
)
from maquette.core.family import Classifies
from maquette.core.images import to_float
from maquette.data.dataset import open_dataset
from maquette.evaluation.metric import Measurement
from maquette.runs.evaluations import Stored, read_evaluation
from maquette.runs.folder import open_run
from maquette.runs.meanings import meaning

CPU = ("--device", "cpu")


@pytest.fixture(scope="module", autouse=True)
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of its own, and families that only tests know."""
    with pytest.MonkeyPatch.context() as patch, toy_families():
        patch.setenv("MAQUETTE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("MAQUETTE_FEATURES", raising=False)
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, own_world: None) -> Path:
    """Datasets, and a run of each: `means` names digits, `still` and `shift` translate."""
    folder = tmp_path_factory.mktemp("kinds")
    digits = digits_dataset(folder / "digits", slice(0, 100), 0.3)
    domains = domains_dataset(folder / "domains")
    for name, data in (("test", digits), ("more", domains)):
        shutil.copytree(data, folder / name)  # the same pictures pass for others
        with (folder / name / "dataset.json").open("a") as manifest:
            manifest.write(" ")
    trained(folder, CLASSIFIER, digits, "means")
    trained(folder, TRANSLATOR, domains, "still")
    trained(folder, TRANSLATOR, domains, "shift", "model.shift=0.8")
    for name, run in (("named", "means"), ("translated", "still")):
        shutil.copytree(folder / run, folder / name)
        columns = [{"name": "last", "step": 4, "measurements": []}]
        (folder / name / "evaluation.json").write_text(json.dumps({"columns": columns}))
    return folder


def evaluated(run: Path, *options: str | Path) -> Stored:
    ended = maquette("evaluate", run, *CPU, *options)
    assert ended.code == 0, ended.err
    assert f"measured by {read_evaluation(run).measured_on}" in ended.out
    return read_evaluation(run)


def named(stored: Stored) -> dict[str, Measurement]:
    return {found.name: found for found in stored.columns[0].measurements}


def check_page(run: Path, *panels: str) -> None:
    """Every number is explained, and everything drawn is shown, nothing else."""
    for found in read_evaluation(run).columns[0].measurements:
        assert meaning(found.name) and found.note, found.name
    page = (run / "report.html").read_text()
    assert {path.name for path in run.glob("*.png")} == {f"{panel}.png" for panel in panels}
    for panel in ("translations", "confusion", "reliability", "neighbours"):
        assert (f'<section id="{panel}">' in page) == (panel in panels)


def answers(run: Path, data: Path, splits: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities by the served family, asked directly."""
    family = open_run(run).served_family()
    assert isinstance(family, Classifies)
    parts = [open_dataset(data, split) for split in splits]
    pixels = torch.cat([part.pictures(torch.arange(len(part))) for part in parts])
    labels = torch.cat([part.labels for part in parts])
    return labels.numpy(), family.classify(to_float(pixels)).numpy()


def check_accuracy(found: dict[str, Measurement], labels: np.ndarray, given: np.ndarray) -> None:
    count = len(labels)
    top = {k: top_k_accuracy_score(labels, given, k=k, labels=range(5)) for k in (1, 2, 3)}
    expected = {
        "top-1 accuracy": top[1],
        "top-3 accuracy": top[3],
        "MAP@3": top[1] / 2 + top[2] / 6 + top[3] / 3,
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value), name
        assert found[name].count == count
        assert found[name].low <= value <= found[name].high + 1e-12
    assert found["top-1 accuracy"].floor == pytest.approx(np.bincount(labels).max() / count)


def test_a_classifier_is_measured_on_all_held_out_pictures(world):
    stored = evaluated(world / "means")
    labels, given = answers(world / "means", world / "digits/data", ("holdout",))
    assert stored.measured_on.pictures == len(labels) and not stored.measured_on.foreign
    found = named(stored)
    check_accuracy(found, labels, given)
    check_page(world / "means", "confusion", "reliability")
    assert 0.7 < found["top-1 accuracy"].value < 1
    crossed, used = (
        found[f"calibration error, {way}"] for way in ("cross-fitted", "as it answers")
    )
    assert "fitted on these pictures" in used.note and "fitted on these" not in crossed.note
    temperature = open_run(world / "means").info["temperature"]
    assert temperature["step"] == stored.columns[0].step
    assert found["temperature"].value == pytest.approx(temperature["value"])
    assert temperature["value"] > 1.5  # nearest means are far too sure


def test_a_test_set_counts_as_a_whole(world):
    stored = evaluated(world / "means", "--data", world / "test")
    labels, given = answers(world / "means", world / "test", ("train", "holdout"))
    assert len(labels) == 500
    check_accuracy(named(stored), labels, given)
    assert "calibration error, cross-fitted" not in named(stored)
    facts = json.loads((world / "means/evaluation.json").read_text())["measured_on"]
    assert (facts["pictures"], facts["foreign"]) == (500, True)
    page = (world / "means/report.html").read_text()
    assert "all 500 pictures of" in page and facts["fingerprint"][:8] in page


def test_the_temperature_belongs_to_its_weights(world):
    run = open_run(world / "means")
    served, *others = sorted(
        (e for e in run.checkpoints.entries() if e.step > 0),
        key=lambda e: e.step != run.served().entry.step,
    )
    value = run.info["temperature"]["value"]
    assert run.served_family().temperature.item() == pytest.approx(value)
    assert [run.family_at(entry).temperature.item() for entry in others] == [1.0]
    assert served.step == run.info["temperature"]["step"]


def test_a_translator_that_changes_nothing_is_as_far_as_pictures_left_alone(world):
    stored = evaluated(world / "still")
    found = named(stored)
    check_page(world / "still", "translations")
    for way in ("bright → dark", "dark → bright"):
        for name in ("kernel distance, KID", "Fréchet distance"):
            number = found[f"{name}, {way} (random-cnn (untrained))"]
            assert number.value == number.floor > number.ceiling
        assert found[f"content kept, {way}"].value == pytest.approx(1)
        assert found[f"edges kept, {way}"].value == pytest.approx(1)
        for name in ("cycle error", "identity error"):
            number = found[f"{name}, {way}"]
            assert number.value == number.ceiling == 0 < number.floor
    assert stored.measured_on.pictures == len(open_dataset(world / "domains/data", "holdout"))


def test_a_translator_in_the_right_direction_comes_nearer(world):
    found = named(evaluated(world / "still", "--metrics", "frechet,cycle"))
    moved = named(evaluated(world / "shift", "--metrics", "frechet,cycle"))
    assert set(found) == set(moved) and len(found) == 4
    # The classes are in the order of their names: it goes from bright to dark, and shifts upwards.
    for name in found:
        if name.startswith("Fréchet"):
            assert moved[name].value > 1.2 * found[name].value
        else:
            assert 0 < moved[name].value < moved[name].floor


def test_only_the_directions_that_were_learnt_are_measured(world, monkeypatch):
    family = type(open_run(world / "still").served_family())
    monkeypatch.setattr(family, "directions", ("a_to_b",))
    found = named(evaluated(world / "still", "--metrics", "content,cycle,identity"))
    assert set(found) == {"content kept, bright → dark", "identity error, bright → dark"}


def test_another_two_domains_judge_a_translator(world):
    stored = evaluated(world / "still", "--data", world / "more", "--metrics", "kid,content")
    assert stored.measured_on.pictures == 120
    assert {found.count for found in named(stored).values()} == {30, 60}


def test_what_training_on_makes_stale_goes(world):
    run = world / "shift"
    evaluated(run, "--metrics", "content")
    assert (run / "translations.png").exists()
    ended = maquette("train", run, "--steps", "6")
    assert ended.code == 0, ended.err
    assert not (run / "translations.png").exists() and not (run / "evaluation.json").exists()


def test_runs_that_do_the_same_are_compared(world, tmp_path):
    for name in ("still", "shift"):
        evaluated(world / name, "--metrics", "kid,content")
    page = tmp_path / "page.html"
    ended = maquette("compare", world / "still", world / "shift", "--out", page)
    assert (ended.code, ended.err) == (0, "")
    html = page.read_text()
    assert html.count('class="badge"') >= 2 and "model.shift" in html
    assert "Content kept" in html and "the 38 held-out pictures" in html


def test_classifiers_are_compared_with_their_scores(world, tmp_path):
    evaluated(world / "means", "--metrics", "accuracy")
    shutil.copytree(world / "means", tmp_path / "twin")
    page = tmp_path / "page.html"
    ended = maquette("compare", world / "means", tmp_path / "twin", "--out", page)
    assert (ended.code, ended.err) == (0, "")
    assert "Right answers" in page.read_text() and "top-1 accuracy" in ended.out


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("evaluate means --features random-cnn", "leave out --features"),
        ("evaluate means -n 10", "leave out -n"),
        ("evaluate means --data domains/data", "means knows 16x16 grey, 5 classes (0, 1, 2 …)"),
        ("evaluate means --data digits/data", "leave out --data"),
        ("evaluate means --data nowhere", "is not a dataset"),
        ("evaluate means --metrics kid", "none of these metrics can measure"),
        ("evaluate still --metrics accuracy", "none of these metrics can measure"),
        ("evaluate still --data digits/data", "needs two domains"),
        ("evaluate still -n 4", "it takes 8 held-out pictures of each domain"),
        ("compare named translated", "do different things (named names pictures, translated"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(world, monkeypatch, command, sentence):
    monkeypatch.chdir(world)
    ended = maquette(*command.split(), *(CPU if command.startswith("evaluate") else ()))
    assert ended.code == 1
    assert sentence in ended.err and "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_dataset_that_was_built_again_does_not_judge(world, tmp_path):
    run = open_run(world / "means")
    info = json.loads((run.folder / "run.json").read_text())
    changed = info | {"dataset": info["dataset"] | {"fingerprint": "0" * 64}}
    (run.folder / "run.json").write_text(json.dumps(changed))
    ended = maquette("evaluate", run.folder, *CPU)
    (run.folder / "run.json").write_text(json.dumps(info))
    assert ended.code == 1 and "is no longer what" in ended.err
