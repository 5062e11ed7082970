"""`maquette generate`: the same seed is the same picture, alone or among others."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import TINY, make_dataset, maquette
from maquette.runs.folder import open_run
from maquette.workflows.generating import generate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(TINY)
    data = make_dataset(folder)
    ended = maquette("train", folder / "tiny.yaml", "--data", data, "--out", folder / "run")
    assert ended.code == 0, ended.err
    return folder / "run"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_seed_is_the_same_picture_alone_and_among_others(run, tmp_path):
    among, alone = tmp_path / "among", tmp_path / "alone"
    assert maquette("generate", run, "--seeds", "0-69", "--classes", "a", "--out", among).code == 0
    assert maquette("generate", run, "--seeds", "66", "--classes", "a", "--out", alone).code == 0
    assert len(list(among.iterdir())) == 70
    (single,) = alone.iterdir()
    assert np.array_equal(pixels(single), pixels(among / single.name))
    assert pixels(single).shape == (16, 16)


def test_seeds_and_classes_make_different_pictures(run):
    made = generate(run, classes=["a", "b"], seeds=[1, 1, 2, 2])
    assert made.classes == ("a", "b", "a", "b")
    assert len({picture.numpy().tobytes() for picture in made.pixels}) == 4


def test_pictures_are_named_by_seed_and_class(run, tmp_path):
    ended = maquette("generate", run, "--seeds", "5,7", "--classes", "b,a", "--out", tmp_path / "x")
    assert ended.code == 0 and "2 pictures" in ended.out
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"000005-b.png", "000007-a.png"}


def test_a_grid_is_one_file_with_every_picture(run, tmp_path):
    assert maquette("generate", run, "-n", "6", "--out", tmp_path / "grid.png").code == 0
    columns, rows = 2, 3  # a column for each class
    height, width = pixels(tmp_path / "grid.png").shape[:2]
    assert (width - 2) % columns == 0 and (height - 2) % rows == 0
    assert width // columns == pytest.approx(height // rows, abs=2)


def test_without_out_the_grid_lies_in_the_run(run):
    assert maquette("generate", run, "-n", "2").code == 0
    assert (run / "generated.png").exists()


def test_the_count_and_all_classes_in_turn(run):
    made = generate(open_run(run), 5)
    assert len(made.pixels) == 5
    assert made.seeds == (0, 1, 2, 3, 4)
    assert made.classes == ("a", "b", "a", "b", "a")


def test_a_place_that_cannot_be_written_is_refused(run, tmp_path):
    (tmp_path / "taken").write_text("")
    ended = maquette("generate", run, "-n", "1", "--out", tmp_path / "taken")
    assert ended.code == 1 and "cannot be written" in ended.err
