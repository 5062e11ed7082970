"""`maquette generate --steps`: how many steps lead from noise to a picture, by jumps or not."""

from pathlib import Path

import pytest
import torch

from commands import TINY as TINY_GAN
from commands import make_dataset, maquette
from maquette.core.errors import RunError, SettingsError
from maquette.runs.folder import open_run
from maquette.workflows.generating import generate, in_steps
from maquette.workflows.varying import vary

TINY = """\
name: tiny
family: diffusion
model:
  {width: 4, multipliers: [1, 1], sampling_steps: 5, jumping_share: 0.5, sampling_precision: fp32}
training: {steps: 4, batch_size: 4, device: cpu, precision: fp32}
callbacks: {preview_pictures: 4, score_pictures: 0}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("steps")
    data = make_dataset(place)
    for name, text in (("run", TINY), ("gan", TINY_GAN)):
        (place / f"{name}.yaml").write_text(text)
        ended = maquette("train", place / f"{name}.yaml", "--data", data, "--out", place / name)
        assert ended.code == 0, ended.err
    return place


def test_steps_are_what_the_recipe_says_or_what_is_asked_for(place):
    run = open_run(place / "run")
    made = [generate(run, 4, steps=steps).pixels for steps in (None, 5, 4, 1)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[1], made[2]) and not torch.equal(made[2], made[3])
    assert in_steps(run, 4).recipe.model.sampling_steps == 4
    assert run.recipe.model.sampling_steps == 5


def test_a_seed_is_the_same_picture_alone_and_among_others(place):
    many = generate(place / "run", 70, classes=["a"], steps=4)
    alone = generate(place / "run", classes=["a"], seeds=[66], steps=4)
    assert torch.equal(many.pixels[66:67], alone.pixels)


def test_variations_take_steps_too(place, tmp_path):
    picture = tmp_path / "generated.png"
    ended = maquette("generate", place / "run", "-n", "1", "--steps", "4", "--out", picture)
    assert ended.code == 0, ended.err
    few, many = (vary(place / "run", picture, seeds=[1], steps=n).pixels for n in (2, 7))
    assert not torch.equal(few, many)


def test_a_single_step_still_varies(place, tmp_path):
    picture = tmp_path / "generated.png"
    maquette("generate", place / "run", "-n", "1", "--out", picture)
    none, some = (
        vary(place / "run", picture, seeds=[1], steps=1, strength=share).pixels
        for share in (0, 0.4)
    )
    assert not torch.equal(none, some)


def test_what_takes_no_steps_says_so(place):
    with pytest.raises(RunError, match=r"leave out --steps$"):
        generate(place / "gan", 1, steps=4)


def test_no_steps_at_all_are_refused(place):
    with pytest.raises(SettingsError, match=r"--steps 0: model\.sampling_steps"):
        generate(place / "run", 1, steps=0)
