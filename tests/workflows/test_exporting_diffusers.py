"""A folder for diffusers makes there what the run makes here, and begins another run."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from commands import Ended, listing, make_dataset, maquette
from maquette.core.errors import RunError, SettingsError
from maquette.runs.folder import open_run
from maquette.workflows.exporting import export

TINY = """\
name: tiny
family: diffusion
model:
  schedule: cosine
  target: v
  width: 4
  multipliers: [1, 2]
  sampler: ddim
  sampling_steps: 10
training:
  steps: 3
  batch_size: 4
  device: cpu
  precision: fp32
  optimizer: {kind: adam, learning_rate: 0.05}
callbacks: {preview_pictures: 4, score_pictures: 0}
"""


def trained(place: Path, data: Path, name: str, *settings: str) -> Ended:
    (place / "tiny.yaml").write_text(TINY)
    changes = [word for setting in settings for word in ("--set", setting)]
    return maquette("train", place / "tiny.yaml", "--data", data, "--out", place / name, *changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, a run whose network answers something, and its folder for diffusers."""
    place = tmp_path_factory.mktemp("diffusers")
    ended = trained(place, make_dataset(place), "run")
    assert ended.code == 0, ended.err
    ended = maquette("export", place / "run", "--to", "diffusers", "--out", place / "folder")
    assert ended.code == 0, ended.err
    return place


def test_the_folder_is_whole_and_says_how_to_use_it(place):
    assert listing(place / "folder") == {
        "README.md",
        "model.json",
        "model_index.json",
        "scheduler",
        "scheduler/scheduler_config.json",
        "unet",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    }
    card = (place / "folder" / "README.md").read_text()
    assert "DDIMPipeline" in card and "num_inference_steps=10" in card
    index = json.loads((place / "folder" / "model_index.json").read_text())
    assert index["unet"] == ["diffusers", "UNet2DModel"]


@pytest.mark.parametrize("class_name", [None, "b"])
def test_diffusers_makes_the_same_pictures_from_the_same_noise(place, tmp_path, class_name):
    diffusers = pytest.importorskip("diffusers")
    export(place / "run", tmp_path / "one", "diffusers", class_name=class_name)
    pipeline = diffusers.DDIMPipeline.from_pretrained(tmp_path / "one")
    made = pipeline(
        batch_size=2,
        generator=torch.Generator().manual_seed(3),
        num_inference_steps=10,
        use_clipped_model_output=True,
        output_type="pt",
    ).images
    family = open_run(place / "run").served_family()
    start = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    number = family.denoiser.nothing if class_name is None else 1
    wanted = from_noise(family, start, torch.full((2,), number))
    torch.testing.assert_close(made, wanted / 2 + 0.5, atol=1e-4, rtol=0)
    assert wanted.std() > 0.05


def test_what_the_pipelines_cannot_do_is_said(place, tmp_path):
    few = ["model.guidance=3", "model.jumping_share=0.5", "model.sampling_steps=4"]
    ended = trained(tmp_path, place / "a-b-16", "guided", *few)
    assert ended.code == 0, ended.err
    folder = tmp_path / "folder"
    ended = maquette(
        *("export", tmp_path / "guided", "--to", "diffusers", "--class", "a", "--out", folder)
    )
    assert ended.code == 0, ended.err
    card = (folder / "README.md").read_text()
    for told in (" ".join(ended.out.split()), card):
        assert "uidance stays behind" in told and "umps stay behind" in told
    assert "num_inference_steps=50" in card


def test_noise_of_other_kinds_begins_nothing(place, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(place / "folder", folder)
    file = folder / "scheduler" / "scheduler_config.json"
    found = json.loads(file.read_text())
    for changes, words in (
        ({"trained_betas": None, "beta_schedule": "scaled_linear"}, "scaled_linear"),
        ({"rescale_betas_zero_snr": True}, "rescaled"),
    ):
        file.write_text(json.dumps(found | changes))
        ended = trained(tmp_path, place / "a-b-16", "begun", f"model.start_from={folder}")
        assert ended.code == 1 and words in ended.err and "begin with another" in ended.err


def from_noise(family, start, labels):
    """What `generate` does, from noise of our own."""
    from maquette.noising.levels import radius
    from maquette.noising.samplers import SAMPLERS

    path = family.schedule.path(family.settings.sampling_steps)
    sample, seeds = SAMPLERS[family.settings.sampler], torch.zeros(2, dtype=torch.long)
    y = float(radius(path[0])) * start
    return sample(lambda y, share: family.denoised(y, share, labels), y, path.tolist(), seeds)


def test_ddpm_pipelines_load_it_too(place):
    diffusers = pytest.importorskip("diffusers")
    pipeline = diffusers.DDPMPipeline.from_pretrained(place / "folder")
    made = pipeline(batch_size=1, num_inference_steps=10, output_type="pt").images
    assert made.shape == (1, 1, 16, 16) and made.isfinite().all()


@pytest.mark.parametrize("knowing", [[], ["model.changes=0.5", "model.jumping_share=0.5"]])
def test_a_folder_of_diffusers_begins_a_run(place, tmp_path, knowing):
    """For classes, changes and jumps, too, that the folder does not know."""
    family = open_run(place / "run").served_family()
    ended = trained(
        tmp_path,
        place / "a-b-16",
        "begun",
        f"model.start_from={place / 'folder'}",
        "training.optimizer.learning_rate=1e-12",
        *knowing,
    )
    assert ended.code == 0, ended.err
    begun = open_run(tmp_path / "begun").served_family()
    y, share = torch.randn(2, 1, 16, 16), 0.7
    nothing = torch.full((2,), family.denoiser.nothing)
    wanted = family.denoised(y, share, nothing)
    for labels in (nothing, torch.tensor([0, 1])):
        torch.testing.assert_close(begun.denoised(y, share, labels), wanted, atol=1e-4, rtol=1e-3)


def test_a_folder_that_diffusers_saved_is_read(place, tmp_path):
    diffusers = pytest.importorskip("diffusers")
    diffusers.DDPMPipeline.from_pretrained(place / "folder").save_pretrained(tmp_path / "theirs")
    settings = f"model.start_from={tmp_path / 'theirs'}"
    ended = trained(tmp_path, place / "a-b-16", "begun", settings)
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["model.width=8"], "--set 'model.width=4'"),
        (["model.patch=2"], "model.patch=1"),
        (["model.multipliers=[1]"], "--set 'model.multipliers=[1, 2]'"),
        (["model.target=epsilon"], "--set model.target=v"),
        (["model.steps=500"], "--set model.steps=1000"),
        (["model.schedule=linear"], "other noise"),
        (["model.schedule=edm"], "one of the schedules"),
    ],
)
def test_another_network_or_schedule_is_refused_by_its_setting(place, tmp_path, settings, words):
    folder = f"model.start_from={place / 'folder'}"
    ended = trained(tmp_path, place / "a-b-16", "begun", folder, *settings)
    assert ended.code == 1 and words in ended.err, ended
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize("broken", ["nowhere", "config", "weights", "kind"])
def test_a_folder_that_is_none_is_refused_in_a_sentence(place, tmp_path, broken):
    unet = tmp_path / "folder" / "unet"
    if broken != "nowhere":
        unet.mkdir(parents=True)
        kind = "UNet2DConditionModel" if broken == "kind" else "UNet2DModel"
        config = json.loads((place / "folder" / "unet" / "config.json").read_text())
        text = "no JSON" if broken == "config" else json.dumps(config | {"_class_name": kind})
        (unet / "config.json").write_text(text)
    ended = trained(tmp_path, place / "a-b-16", "begun", f"model.start_from={tmp_path / 'folder'}")
    assert ended.code == 1 and "model.start_from" in ended.err, ended
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "begun").exists()


def test_what_diffusers_cannot_say_is_refused(place, tmp_path):
    ended = trained(tmp_path, place / "a-b-16", "edm", "model.schedule=edm", "model.target=edm")
    assert ended.code == 0, ended.err
    with pytest.raises(SettingsError, match=r"model\.schedule=cosine and model\.target=v"):
        export(tmp_path / "edm", tmp_path / "out", "diffusers")
    ended = trained(tmp_path, place / "a-b-16", "patches", "model.patch=2")
    assert ended.code == 0, ended.err
    with pytest.raises(SettingsError, match=r"model\.patch=1"):
        export(tmp_path / "patches", tmp_path / "out", "diffusers")
    with pytest.raises(RunError, match="unknown class 'c'"):
        export(place / "run", tmp_path / "out", "diffusers", class_name="c")
    with pytest.raises(SettingsError, match="--to diffusers"):
        export(place / "run", tmp_path / "out", "onnx", class_name="a")
    assert not (tmp_path / "out").exists()
