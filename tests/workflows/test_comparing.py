"""Comparing from Python: names, warnings, and a page that escapes what runs say."""

import json
import shutil
from pathlib import Path

import pytest

from commands import TINY, make_dataset
from maquette.recipe import parse_recipe
from maquette.workflows.comparing import compare
from maquette.workflows.training import train

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    train(parse_recipe(TINY), make_dataset(folder), folder / "run")
    write_numbers(folder / "run", 0.2)
    return folder / "run"


def write_numbers(run: Path, value: float) -> None:
    found = {"name": "kernel distance, KID (net)", "value": value, "count": 500}
    found |= {"low": value - 0.05, "high": value + 0.05, "floor": 2.0, "ceiling": 0.0}
    column = {"name": "selected on held-out", "step": 4, "measurements": [found]}
    (run / "evaluation.json").write_text(json.dumps({"format": 2, "columns": [column]}))


def copied(run: Path, place: Path, value: float = 0.2, **dataset: str) -> Path:
    shutil.copytree(run, place)
    write_numbers(place, value)
    info = json.loads((place / "run.json").read_text())
    info["dataset"] |= dataset
    (place / "run.json").write_text(json.dumps(info))
    return place


def test_names_are_as_long_as_it_takes_to_tell_runs_apart(trained, tmp_path):
    one, two = copied(trained, tmp_path / "x" / "run"), copied(trained, tmp_path / "y" / "run")
    other = copied(trained, tmp_path / "other", 0.9)
    assert compare([one, other], tmp_path / "p.html").names == ("run", "other")
    assert compare([one, two], tmp_path / "p.html").names == ("x/run", "y/run")


def test_the_better_one_is_marked(trained, tmp_path):
    other = copied(trained, tmp_path / "other", 0.9)
    found = compare([other, str(trained)], tmp_path / "page.html")
    assert found.tables[0].rows[0].best == 1
    assert found.warnings == ()
    assert found.page.read_text().count('class="badge"') == 1


def test_different_datasets_are_flagged_and_kept_apart(trained, tmp_path):
    other = copied(trained, tmp_path / "other", 0.9, fingerprint="e" * 64, name=NASTY)
    found = compare([trained, other], tmp_path / "page.html")
    assert [row.best for row in found.tables[0].rows] == [None, None]
    (warning,) = found.warnings
    assert "different datasets" in warning
    page = found.page.read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert page.count("not comparable with other rows") == 2


def test_a_run_without_history_or_pictures_is_compared_by_its_numbers(trained, tmp_path):
    bare = copied(trained, tmp_path / "bare", 0.9)
    (bare / "history.jsonl").unlink()
    shutil.rmtree(bare / "previews")
    page = compare([bare, trained], tmp_path / "page.html").page.read_text()
    assert "No picture yet" in page and page.count("<svg") == 4


def test_more_runs_than_colours(trained, tmp_path):
    runs = [copied(trained, tmp_path / f"r{n}", 0.1 * n) for n in range(8)]
    assert len(compare(runs, tmp_path / "page.html").tables[0].rows[0].cells) == 8
