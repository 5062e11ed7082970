"""`maquette evaluate`, `compare` and `report`, as a person meets them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import STEPS, TINY, make_dataset, maquette
from maquette.runs.evaluations import read_evaluation
from maquette.runs.meanings import meaning

QUICK = ("-n", "8", "--metrics", "kid,parzen", "--device", "cpu")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAQUETTE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("MAQUETTE_FEATURES", raising=False)
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on one dataset; `one` and `two` were evaluated, `fresh` was not."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "tiny.yaml").write_text(TINY)
    data = make_dataset(folder)
    for name in ("one", "two", "fresh"):
        wider = ["--set", "model.width=8"] if name == "two" else []
        recipe = folder / "tiny.yaml"
        ended = maquette("train", recipe, "--data", data, "--out", folder / name, *wider)
        assert ended.code == 0, ended.err
    for name in ("one", "two"):
        ended = maquette("evaluate", folder / name, *QUICK)
        assert ended.code == 0, ended.err
    return folder


def test_evaluate_prints_every_column_and_draws_the_report_anew(runs):
    run = runs / "one"
    (run / "report.html").unlink()
    ended = maquette("evaluate", run, *QUICK, "--checkpoint", "all", "--features", "random-cnn")
    assert ended.code == 0, ended.err
    for words in ("selected on held-out", f"last (step {STEPS})", "best of run", "which flatters"):
        assert words in ended.out
    for words in ("floor", "ceiling", "interval", "kernel distance", "weights 9"):
        assert words in ended.out
    assert f"look: {run / 'report.html'}" in ended.out
    assert "Do not quote it" in (run / "report.html").read_text()
    assert maquette("evaluate", run, *QUICK).code == 0


def test_too_few_pictures_to_measure_are_told_in_a_sentence(runs):
    before = (runs / "one" / "evaluation.json").read_text()
    ended = maquette("evaluate", runs / "one", "-n", "2", "--device", "cpu")
    assert (ended.code, ended.out) == (1, "")
    assert "cannot be measured with 2 pictures" in ended.err and ended.err.count("\n") == 1
    assert (runs / "one" / "evaluation.json").read_text() == before


def test_every_number_is_explained(runs):
    ended = maquette("evaluate", runs / "fresh", "-n", "16", "--device", "cpu")
    assert ended.code == 0, ended.err
    (column,) = read_evaluation(runs / "fresh").columns
    (runs / "fresh" / "evaluation.json").unlink()
    assert len(column.measurements) >= 10
    for found in column.measurements:
        assert meaning(found.name), f"runs/meanings.py does not know {found.name}"


def test_compare_shows_both_and_what_was_set_differently(runs, tmp_path):
    page = tmp_path / "new" / "page.html"
    ended = maquette("compare", runs / "one", runs / "two", "--out", page)
    assert (ended.code, ended.err) == (0, "")
    assert "one" in ended.out and "two" in ended.out and "kernel distance" in ended.out
    assert f"look: {page}" in ended.out
    html = page.read_text()
    assert "model.width" in html and "model.latents" not in html
    assert html.count("<svg") == 4
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_report_is_drawn_anew_for_any_run(runs):
    run = runs / "fresh"
    (run / "report.html").unlink()
    ended = maquette("report", run)
    assert (ended.code, ended.out.strip()) == (0, f"report: {run / 'report.html'}")
    assert (run / "report.html").exists()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("evaluate nowhere", "there is no run folder"),
        ("evaluate one --metrics kidd", "did you mean 'kid'?"),
        ("evaluate one --checkpoint worst", "known are best, last, all"),
        ("evaluate one --features nothing", "unknown feature network"),
        ("compare one", "needs two runs or more"),
        ("compare one one", "needs two runs or more"),
        ("compare one nowhere", "there is no run folder"),
        ("compare one fresh", "was not measured yet: `maquette evaluate fresh`"),
        ("compare one two --out .", "is a folder: name a file"),
        ("compare one two --out one/run.json/x.html", "cannot be written"),
        ("report nowhere", "there is no run folder"),
        ("report .", "is not a run"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(runs, monkeypatch, command, sentence):
    monkeypatch.chdir(runs)
    ended = maquette(*command.split())
    assert ended.code == 1
    assert sentence in ended.err and "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_damaged_evaluation_is_one_sentence(runs, tmp_path):
    path = runs / "two" / "evaluation.json"
    before = path.read_text()
    path.write_text(before[:100])
    ended = maquette("compare", runs / "one", runs / "two", "--out", tmp_path / "page.html")
    path.write_text(before)
    assert ended.code == 1 and "is damaged: measure again" in ended.err


def test_evaluating_needs_two_pictures(runs):
    assert maquette("evaluate", runs / "one", "-n", "1").code == 2


def test_evaluation_json_is_what_the_screen_says(runs):
    stored = json.loads((runs / "two" / "evaluation.json").read_text())
    assert [column["name"] for column in stored["columns"]] == ["selected on held-out"]
