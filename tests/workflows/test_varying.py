"""`maquette generate --from`: variations of a picture, and of the part that a mask shows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands import TINY as TINY_GAN
from commands import make_dataset, maquette
from maquette.core.errors import DatasetError, SettingsError
from maquette.workflows.varying import vary

TINY = """\
name: tiny
family: diffusion
model: {width: 4, multipliers: [1, 1], sampling_steps: 5, sampling_precision: fp32}
training: {steps: 2, batch_size: 4, device: cpu, precision: fp32}
callbacks: {preview_pictures: 4, score_pictures: 0}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, a photo of 64x48 and masks."""
    place = tmp_path_factory.mktemp("varied")
    (place / "tiny.yaml").write_text(TINY)
    data = make_dataset(place)
    ended = maquette("train", place / "tiny.yaml", "--data", data, "--out", place / "run")
    assert ended.code == 0, ended.err
    photo = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    Image.fromarray(np.stack([photo, photo, photo // 2], -1)).save(place / "photo.png")
    mask = np.zeros((48, 64), np.uint8)
    mask[24:] = 255
    Image.fromarray(mask).save(place / "mask.png")
    Image.fromarray(mask[:, :40]).save(place / "narrow.png")
    (place / "broken.png").write_bytes(b"\x89PNG no more")
    return place


def far(made, photo) -> float:
    return float((made.pixels.float() - photo.float()).abs().mean())


def test_strength_says_how_far_from_the_picture(place):
    photo = vary(place / "run", place / "photo.png", strength=0.0, seeds=[0]).pixels
    some = vary(place / "run", place / "photo.png", strength=0.4, seeds=[0])
    other = vary(place / "run", place / "photo.png", strength=1.0, seeds=[0])
    assert photo.shape == (1, 1, 16, 16) and photo.float().std() > 10
    assert 0 < far(some, photo) < far(other, photo)


def test_a_seed_is_the_same_variation_alone_and_among_others(place):
    many = vary(place / "run", place / "photo.png", 70, strength=0.7)
    alone = vary(place / "run", place / "photo.png", strength=0.7, seeds=[66])
    assert torch.equal(many.pixels[66:67], alone.pixels)
    assert len({picture.numpy().tobytes() for picture in many.pixels}) == 70


def test_what_a_mask_leaves_black_stays(place):
    photo = vary(place / "run", place / "photo.png", strength=0.0, seeds=[0]).pixels
    made = vary(place / "run", place / "photo.png", mask=place / "mask.png", seeds=[0]).pixels
    apart = (made.int() - photo.int()).abs()[0, 0]
    assert apart[:8].max() <= 1 and apart[8:].float().mean() > 5


def test_the_command_writes_variations_of_the_classes_asked_for(place, tmp_path):
    ended = maquette(
        *("generate", place / "run", "--from", place / "photo.png", "--strength", "0.6"),
        *("--classes", "a,b", "--seeds", "3,4", "--out", tmp_path / "made"),
    )
    assert ended.code == 0 and "2 pictures" in ended.out, ended.err
    assert {file.name for file in (tmp_path / "made").iterdir()} == {"000003-a.png", "000004-b.png"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from", "nowhere.png"], 1, "nowhere.png cannot be read"),
        (["--from", "broken.png"], 1, "broken.png cannot be read as a picture"),
        (["--from", "photo.png", "--mask", "narrow.png"], 1, "paint the mask over a copy"),
        (["--from", "photo.png", "--classes", "c"], 1, "unknown class 'c'"),
        (["--strength", "0.5"], 2, "--from"),
        (["--from", "photo.png", "--strength", "1.5"], 2, "--strength"),
    ],
)
def test_bad_input_is_told(place, monkeypatch, arguments, code, words):
    monkeypatch.chdir(place)
    ended = maquette("generate", "run", *arguments)
    assert ended.code == code and words in ended.err, ended
    assert not (place / "run" / "generated.png").exists()


def test_python_hears_of_the_same(place):
    with pytest.raises(SettingsError, match="between 0"):
        vary(place / "run", place / "photo.png", strength=2.0)
    with pytest.raises(DatasetError, match=r"nowhere\.png"):
        vary(place / "run", "nowhere.png")


def test_other_models_are_refused(place, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY_GAN)
    data, run = make_dataset(tmp_path), tmp_path / "run"
    assert maquette("train", tmp_path / "tiny.yaml", "--data", data, "--out", run).code == 0
    ended = maquette("generate", run, "--from", place / "photo.png")
    assert ended.code == 1 and "train a diffusion model" in ended.err
