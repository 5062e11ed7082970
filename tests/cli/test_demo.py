"""`maquette demo`, as small as it gets: all it promises is made, and a second time is free."""

import json

from commands import maquette

SMALL = [
    *("--set", "training.steps=4", "--set", "training.batch_size=4", "--set", "model.width=4"),
    *("--set", "callbacks.score_pictures=8", "--set", "callbacks.preview_pictures=4"),
]


def test_the_demo_makes_what_it_says_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = maquette("demo", "--out", "first", *SMALL)
    assert first.code == 0, first.err
    for name in ("samples.png", "report.html", "evaluation.json", "recipe.yaml"):
        assert (tmp_path / "first" / name).exists()
    measured = json.loads((tmp_path / "first" / "evaluation.json").read_text())["measurements"]
    for measurement in measured:
        assert measurement["name"] in first.out
        assert measurement["floor"] <= measurement["value"]
    again = maquette("demo", "--out", "first", *SMALL)
    assert again.code == 0 and "nothing left to do" in again.out


def test_a_demo_with_a_typo_leaves_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = maquette("demo", "--out", "first", "--set", "training.stepz=4")
    assert ended.code == 1 and "did you mean 'training.steps'?" in ended.err
    assert not (tmp_path / "first").exists()
