"""`maquette generate`: sheets, moving pictures between seeds and classes, truncation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands import TINY, make_dataset, maquette
from maquette.core.errors import RunError, SettingsError
from maquette.workflows.generating import generate
from maquette.workflows.journeys import journey

ART = """\
name: art
family: artgan
model: {width: 4, latents: 4}
training: {steps: 4, batch_size: 4, device: cpu, precision: fp32}
callbacks: {checkpoint_every_steps: 4, preview_pictures: 4, score_pictures: 0}
"""


@pytest.fixture(scope="module", params=[TINY, ART], ids=["gan", "artgan"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(request.param)
    data = make_dataset(folder)
    ended = maquette("train", folder / "tiny.yaml", "--data", data, "--out", folder / "run")
    assert ended.code == 0, ended.err
    return folder / "run"


def test_a_sheet_has_every_class_with_every_seed(run, tmp_path):
    made = generate(run, seeds=[3, 5, 7], sheet=True)
    assert made.classes == ("a", "a", "a", "b", "b", "b")
    assert made.seeds == (3, 5, 7, 3, 5, 7)
    alone = generate(run, seeds=[5], classes=["b"])
    assert torch.equal(made.pixels[4], alone.pixels[0])
    command = ["generate", run, "--sheet", "--seeds", "1-3", "--out", tmp_path / "sheet.png"]
    assert maquette(*command).code == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height < sheet.width / 1.2  # two rows of three, and names at the left


def test_a_journey_passes_its_stops_and_comes_back(run):
    frames = journey(run, classes=["a", "b"], seeds=[2], frames=6)
    assert len(frames) == 12
    stops = generate(run, classes=["a", "b"], seeds=[2, 2]).pixels
    assert (frames[[0, 6]].int() - stops.int()).abs().max() <= 1
    assert not torch.equal(frames[3], frames[0])
    between_seeds = journey(run, classes=["a"], seeds=[1, 2, 3], frames=4)
    stops = generate(run, classes=["a"], seeds=[1, 2, 3]).pixels
    assert (between_seeds[[0, 4, 8]].int() - stops.int()).abs().max() <= 1


def test_a_moving_picture_is_written(run, tmp_path):
    out = tmp_path / "way.gif"
    assert maquette("generate", run, "--seeds", "1,2", "--out", out).code == 0
    with Image.open(out) as moving:
        assert moving.n_frames > 8 and min(moving.size) >= 128


def test_truncation_makes_pictures_more_alike(run):
    free, close, one = (generate(run, 24, truncation=t).pixels for t in (None, 0.5, 0.02))
    assert free.shape == close.shape
    spread = [part[::2].float().std(0).mean().item() for part in (free, close, one)]
    assert spread[0] > spread[1] > spread[2]
    assert np.allclose(one[0].int(), one[2].int(), atol=3)  # of one class, nearly the same


def test_what_cannot_be_is_refused(run, tmp_path):
    with pytest.raises(RunError, match="two --seeds or --classes"):
        journey(run, classes=["a"], seeds=[1])
    ended = maquette("generate", run, "--sheet", "--out", tmp_path / "x.gif")
    assert ended.code == 2 and ".png" in ended.err
    ended = maquette("generate", run, "--seeds", "1,2", "-n", "5", "--out", tmp_path / "x.png")
    assert ended.code == 2 and "both say how many" in ended.err
    ended = maquette("generate", run, "-n", "5", "--out", tmp_path / "x.gif")
    assert ended.code == 2 and "-n is not for .gif" in ended.err
    ended = maquette("generate", run, "--classes", "a,z", "--out", tmp_path / "x.gif")
    assert ended.code == 1 and "'z'" in ended.err
    ended = maquette("generate", run, "--from", "a.png", "--truncation", "0.5")
    assert ended.code == 2 and "--from" in ended.err
    with pytest.raises(SettingsError, match=r"truncation -0\.5 is no number above 0"):
        generate(run, 1, truncation=-0.5)
    assert not (tmp_path / "x.gif").exists()


def test_a_sheet_of_a_run_without_classes_is_refused(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    data = make_dataset(tmp_path, classes=("a",))
    run = tmp_path / "run"
    assert maquette("train", tmp_path / "tiny.yaml", "--data", data, "--out", run).code == 0
    ended = maquette("generate", run, "--sheet", "--out", tmp_path / "sheet.png")
    assert ended.code == 1 and "learnt no classes: leave out --sheet" in ended.err
    assert not (tmp_path / "sheet.png").exists()
    assert "64 pictures:" in maquette("generate", run, "--out", tmp_path / "grid.png").out
