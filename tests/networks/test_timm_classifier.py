"""Networks of timm behind a stand-in for the package: colours, sizes and refusals."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from maquette.core.errors import SettingsError
from maquette.core.images import ImageSpec
from maquette.networks.timm_classifier import load_timm_classifier

NAMES = tuple("abcde")


class Pools(nn.Module):
    """Keeps what it is shown, and takes pictures of 8 px and more."""

    def __init__(self, in_chans: int, num_classes: int):
        super().__init__()
        self.pool, self.head = nn.MaxPool2d(8), nn.Linear(in_chans, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen = images
        return self.head(self.pool(images).mean((2, 3)))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Has one network, with colours of its own, whose weights are out of reach."""
    asked = []

    def create_model(name: str, **options: object) -> nn.Module:
        asked.append((name, options))
        if options["pretrained"]:
            raise OSError("no internet")
        if "." in name:
            raise RuntimeError("Invalid pretrained tag")
        return Pools(options["in_chans"], options["num_classes"])

    colours = {"mean": (0.2, 0.3, 0.4), "std": (0.5, 0.25, 0.75)}
    package = ModuleType("timm")
    package.list_models = lambda: ["pools18", "other"]
    package.create_model, package.asked = create_model, asked
    package.data = SimpleNamespace(resolve_model_data_config=lambda _: colours)
    monkeypatch.setitem(sys.modules, "timm", package)
    return package


def test_it_is_asked_for_what_the_dataset_has(timm: ModuleType) -> None:
    network = load_timm_classifier("pools18", ImageSpec(3, 12, 20, NAMES), 0.3, False)
    assert timm.asked == [
        ("pools18", {"pretrained": False, "in_chans": 3, "num_classes": 5, "drop_rate": 0.3})
    ]
    assert network.training and network(torch.zeros(2, 3, 12, 20)).shape == (2, 5)
    assert list(network.state_dict()) == ["network.head.weight", "network.head.bias"]


@pytest.mark.parametrize(
    ("channels", "white"), [(3, [0.8 / 0.5, 0.7 / 0.25, 0.6 / 0.75]), (1, [0.7 / 0.5])]
)
def test_it_sees_the_colours_it_was_made_for(
    timm: ModuleType, channels: int, white: list[float]
) -> None:
    network = load_timm_classifier("pools18", ImageSpec(channels, 12, 20, NAMES), 0.0, False)
    network(torch.ones(1, channels, 12, 20))
    torch.testing.assert_close(network.network.seen[0, :, 3, 4], torch.tensor(white))


@pytest.mark.parametrize(
    ("name", "height", "pretrained", "sentence"),
    [
        ("pools19", 12, False, "knows no network 'pools19': near it are pools18"),
        ("pools18", 4, False, "takes no pictures of 4x20 px: choose a convolutional"),
        ("pools18", 12, True, "could not be downloaded.*model.pretrained=false"),
        ("pools18.tag", 12, False, "leave out what comes after the dot"),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(
    timm: ModuleType, name: str, height: int, pretrained: bool, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as caught:
        load_timm_classifier(name, ImageSpec(3, height, 20, NAMES), 0.0, pretrained)
    assert "\n" not in str(caught.value)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SettingsError, match=r"maquette\[backbones\]"):
        load_timm_classifier("resnet18", ImageSpec(3, 32, 32, NAMES), 0.0, False)
