"""`maquette translate` from the command line: what it says, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import listing, maquette
from films import scene, write_film
from translators import translating_run


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translate")
    translating_run(folder)
    translating_run(folder, "cut")
    Image.fromarray(scene(1)[0]).save(folder / "photo.jpg")
    write_film(folder / "film.mkv", scene(4), sound=["aac"])
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_picture_and_a_film(here, tmp_path):
    ended = maquette("translate", here / "cyclegan", here / "photo.jpg", "--out", tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out == f"day-to-night: {tmp_path / 'photo.jpg'}\n"
    ended = maquette(
        *("translate", here / "cyclegan", here / "film.mkv", "--out", tmp_path / "x.mp4"),
        *("--direction", "night-to-day", "--strength", "0.5", "--stabilise", "--compare"),
    )
    assert ended.code == 0, ended.err
    assert f"night-to-day: {tmp_path / 'x.mp4'}" in ended.out and "flicker:" in ended.out


@pytest.mark.parametrize(
    ("family", "told"),
    [("cyclegan", "night into day and back"), ("cut", "night into day, one way")],
)
def test_training_says_which_way_before_hours_are_spent_on_the_other(here, tmp_path, family, told):
    ended = maquette(
        *("train", here / f"{family}.yaml", "--data", here / "data", "--out", tmp_path / "run"),
        *("--steps", "1", "--set", "data.domains=[night,day]"),
    )
    assert ended.code == 0 and f"learning to turn {told}\n" in ended.err, ended


def test_without_out_it_lies_in_the_run(here):
    assert maquette("translate", here / "cyclegan", here / "photo.jpg", "--size", "24").code == 0
    with Image.open(here / "cyclegan" / "translated" / "photo.jpg") as image:
        assert np.asarray(image).shape == (24, 32, 3)


def test_a_folder_says_what_was_left_out(here, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("photo.jpg", "notes.txt", "film.mkv"):
        (tmp_path / "in" / name).write_bytes((here / name).read_bytes())
    ended = maquette("translate", here / "cut", tmp_path / "in", "--out", tmp_path / "out")
    assert ended.code == 0 and "2 translated" in ended.out and "notes.txt" in ended.err


REFUSED = {
    "cyclegan nowhere.jpg": ("nowhere.jpg cannot be read", "no such file"),
    "cyclegan notes.txt": ("notes.txt cannot be translated",),
    "cyclegan empty": ("empty holds no file",),
    "nowhere photo.jpg": ("no run folder nowhere",),
    "cyclegan photo.jpg --direction a-to-c": ("'a-to-c'", "day-to-night"),
    "cut photo.jpg --direction b-to-a": ("translates only day-to-night", "[night,day]"),
    "cyclegan photo.jpg --size small": ("--size small",),
    "cyclegan photo.jpg --size 3": ("--size 3",),
    "cyclegan photo.jpg --out photo.mp4": ("is a picture", ".png or .jpg"),
    "cyclegan film.mkv --out film.png": ("is a film", ".mp4"),
    "cyclegan photo.jpg --out photo.jpg": ("would be overwritten",),
    "cyclegan photo.jpg --out notes.txt": ("notes.txt", "cannot be written"),
    "cyclegan film.mkv --out notes.txt": ("notes.txt", "cannot be written"),
    "cyclegan photo.jpg --device nonsense": ("auto or cpu",),
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_cannot_be_done_is_one_sentence(here, command, monkeypatch):
    monkeypatch.chdir(here)
    before = listing(here)
    ended = maquette("translate", *command.split())
    assert (ended.code, ended.out) == (1, ""), ended
    assert ended.err.count("\n") == 1 and ended.err.startswith("maquette: ")
    for word in REFUSED[command]:
        assert word in ended.err, ended.err
    assert listing(here) == before


def test_wrong_usage_ends_with_two(here):
    photo = here / "photo.jpg"
    assert maquette("translate", here / "cut", photo, "--strength", "2").code == 2
