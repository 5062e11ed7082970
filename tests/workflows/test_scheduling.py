"""`maquette schedule`: what is drawn and said of a noise schedule, before anything is trained."""

import pytest
from PIL import Image

from commands import listing, make_dataset, maquette
from maquette.workflows.scheduling import schedule

BROKEN = ["model.steps=300", "model.beta_max=0.5"]


def changes(settings):
    return [word for setting in settings for word in ("--set", setting)]


def test_the_signal_falls_at_ten_times(tmp_path):
    found = schedule("diffusion-ddpm", out=tmp_path / "strip.png")
    left = [time.signal_left for time in found.times]
    assert len(left) == 10 and left == sorted(left, reverse=True)
    assert (found.times[0].at, found.times[-1].at) == ("step 1", "step 1,000")
    assert left[0] == pytest.approx(0.9999) and left[-1] == pytest.approx(4.04e-5, rel=0.01)
    assert found.times[0].signal_to_noise == pytest.approx(9999, rel=1e-3)
    assert found.complaint is None
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.width > 1000


def test_a_schedule_without_numbers_is_shown_by_its_share_of_training(tmp_path):
    found = schedule("diffusion", make_dataset(tmp_path), tmp_path / "strip.png")
    assert [time.at for time in found.times][::9] == ["0%", "100%"]


def test_the_broken_schedule_is_drawn_and_refused_by_its_setting(tmp_path):
    out = tmp_path / "strip.png"
    ended = maquette("schedule", "diffusion-ddpm", *changes(BROKEN), "--out", out)
    assert ended.code == 1
    assert ended.err.count("\n") == 1 and "lower model.beta_max" in ended.err
    assert out.exists() and "step 300" in ended.out


def test_the_intended_schedule_passes(tmp_path):
    settings = changes(["model.steps=300", "model.beta_max=0.02"])
    ended = maquette("schedule", "diffusion-ddpm", *settings, "--out", tmp_path / "strip.png")
    assert (ended.code, ended.err) == (0, "")
    assert "can learn" in ended.out


def test_training_refuses_the_broken_schedule_before_it_begins(tmp_path):
    data = make_dataset(tmp_path)
    before = listing(tmp_path)
    ended = maquette(
        "train", "diffusion-ddpm", "--data", data, "--out", tmp_path / "run", *changes(BROKEN)
    )
    assert ended.code == 1 and "lower model.beta_max" in ended.err
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gan"], "learns without a noise schedule"),
        (["diffusion", "--data", "nowhere"], "nowhere"),
        (["diffusion", "--set", "model.beta_mx=1"], "did you mean"),
        (["diffusion", "--out", "taken/strip.png"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    ended = maquette("schedule", *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err and ended.err.count("\n") == 1
