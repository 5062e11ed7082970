"""A run that began at weights of others asks for them once, and then lives from its own."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from torch import nn

import maquette
from commands import make_dataset
from maquette.core.errors import SettingsError
from maquette.recipe import parse_recipe
from maquette.workflows.teaching import prepare_lesson, teach

STEPS = 4
RECIPE = f"""\
name: begun
family: classifier
model: {{network: 'timm:pools', pretrained: true}}
training: {{steps: {STEPS}, batch_size: 4, device: cpu, precision: fp32}}
callbacks: {{checkpoint_every_steps: 2, preview_every_images: 1000000, score_every_images: 1000000}}
"""
FETCHED = 7.0  # what every weight of the head is, where it was fetched


class Hub(ModuleType):
    """timm, with one network whose weights can be fetched while it is `open`."""

    def __init__(self) -> None:
        super().__init__("timm")
        self.open, self.fetched = True, 0
        colours = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
        self.data = SimpleNamespace(resolve_model_data_config=lambda _: colours)

    def list_models(self) -> list[str]:
        return ["pools"]

    def create_model(
        self, name: str, pretrained: bool, in_chans: int, num_classes: int, drop_rate: float
    ) -> nn.Module:
        assert (name, drop_rate) == ("pools", 0.1)
        network = nn.Sequential(
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * in_chans, num_classes)
        )
        if pretrained and not self.open:
            raise OSError("no internet")
        if pretrained:
            self.fetched += 1
            nn.init.constant_(network[-1].weight, FETCHED)
        return network


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setitem(sys.modules, "timm", hub)
    return hub


def test_after_its_first_step_a_run_needs_no_one_elses_weights(hub: Hub, tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path), tmp_path / "run"
    maquette.train(parse_recipe(RECIPE), data, run)
    hub.open = False
    maquette.train(run, overrides=[f"training.steps={2 * STEPS}"])
    served = maquette.open_run(run).served_family()
    weights = served.state_dict()["classifier.network.2.weight"]
    assert (weights - FETCHED).abs().max() < 1  # it began there, and went on from there
    assert hub.fetched == 1
    np.save(tmp_path / "new.npy", np.random.default_rng(5).integers(0, 256, (8, 256), np.uint8))
    lesson = prepare_lesson(run, [tmp_path / "new.npy"], "new", tmp_path / "taught", steps=2)
    assert teach(lesson, tmp_path / "taught").run.spec.classes == ("a", "b", "new")


def test_a_new_run_without_them_is_refused_and_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    data, hub.open = make_dataset(tmp_path), False
    with pytest.raises(SettingsError, match=r"could not be downloaded.*model\.pretrained=false"):
        maquette.train(parse_recipe(RECIPE), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()
