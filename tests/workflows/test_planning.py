"""What a new run is refused for before anything is written: settings its plan makes useless."""

from pathlib import Path

import pytest

import maquette
from commands import make_dataset
from maquette.core.errors import SettingsError
from maquette.core.family import Progress
from maquette.families import family_class
from maquette.recipe import parse_recipe, read_recipe
from maquette.recipes import shipped_recipes
from maquette.training.clock import Clock
from maquette.workflows.planning import planned

SMALL = """\
name: small
family: {family}
model: {{width: 4}}
training: {{{length}, batch_size: 4, device: cpu, precision: fp32}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("length", ["steps: 9", "epochs: 3", "hours: 1, steps: 9"])
@pytest.mark.parametrize("share", [0.4, 0.99, 1.0, 3.0])
def test_pretraining_that_takes_the_whole_plan_is_refused(
    data: Path, tmp_path: Path, length: str, share: float
) -> None:
    """Exactly where no step would teach the generator."""
    recipe = parse_recipe(SMALL.format(family="artgan", length=length))
    pictures = maquette.open_dataset(data).epoch_pictures
    clock = Clock(recipe.training, pictures)
    pretraining = share * clock.steps * 4 / pictures
    changes = [f"model.pretraining_epochs={pretraining}"]
    steps = range(clock.steps)
    begun = [clock.progress_at(step, step / clock.steps).epochs for step in steps]
    if max(begun) >= pretraining:
        assert planned(recipe, data, tmp_path / "run", changes).run is None
        return
    with pytest.raises(SettingsError, match=r"model\.pretraining_epochs .* the generator would"):
        maquette.train(recipe, data, tmp_path / "run", overrides=changes)
    assert not (tmp_path / "run").exists()


def test_a_plan_that_only_the_clock_ends_is_not_judged(data: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(SMALL.format(family="artgan", length="hours: 1"))
    assert planned(recipe, data, tmp_path / "run", ["model.pretraining_epochs=500"]).run is None


@pytest.mark.parametrize("mirror", [False, True])
def test_answers_by_mirror_images_have_to_be_learnt(
    data: Path, tmp_path: Path, mirror: bool
) -> None:
    recipe = parse_recipe(SMALL.format(family="classifier", length="steps: 2"))
    changes = ["model.mirrored_answers=true", f"data.mirror={mirror}"]
    if mirror:
        assert planned(recipe, data, tmp_path / "run", changes).run is None
        return
    with pytest.raises(SettingsError, match=r"model\.mirrored_answers .* with data\.mirror"):
        maquette.train(recipe, data, tmp_path / "run", overrides=changes)
    assert not (tmp_path / "run").exists()


def test_nothing_is_said_against_a_shipped_recipe() -> None:
    for name in shipped_recipes():
        recipe = read_recipe(name)
        kind = family_class(recipe.family)
        last = Progress(999, 3996, 0.999, epochs=recipe.training.epochs or 1.0)
        assert kind.objection(recipe.model, last, recipe.data.mirror) is None, name
