"""What a person may write for a feature network, and the one sentence for what cannot be had."""

import hashlib
import io
import sys
import urllib.request
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from maquette.core.errors import MaquetteError, SettingsError
from maquette.networks.feature_networks import RandomFeatures
from maquette.networks.inception import InceptionFeatures
from maquette.networks.squeezenet import SqueezeNetFeatures
from maquette.workflows import feature_choice
from maquette.workflows.feature_choice import open_features

PICTURES = torch.randint(
    0, 256, (3, 1, 20, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the person who runs the tests, no download of theirs, no network."""
    monkeypatch.delenv("MAQUETTE_FEATURES", raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)


def unreachable(address: str, timeout: float) -> io.BytesIO:
    raise urllib.request.URLError("Name or service not known")


@pytest.fixture
def squeezenet(tmp_path: Path) -> Path:
    path = tmp_path / "squeeze@net.safetensors"
    torch.manual_seed(0)
    save_file(SqueezeNetFeatures().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("made up") / "inception.pth"
    torch.save(InceptionFeatures().layers.state_dict(), path)
    return path.read_bytes()


def pretend_published(monkeypatch: pytest.MonkeyPatch, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(feature_choice, "_INCEPTION_SHA256", digest)
    return digest


def test_without_a_word_no_weights_are_needed_and_the_name_says_so() -> None:
    extractor = open_features()
    assert extractor.name == "random-cnn (untrained)"
    assert torch.equal(extractor(PICTURES), RandomFeatures()(PICTURES))


def test_environment_names_the_default(monkeypatch: pytest.MonkeyPatch, squeezenet: Path) -> None:
    monkeypatch.setenv("MAQUETTE_FEATURES", f"squeezenet1_1@{squeezenet}")
    assert open_features().name == "squeezenet1_1"
    assert open_features("random-cnn").name == "random-cnn (untrained)"


def test_squeezenet_by_name_or_by_path_alone(tmp_path: Path, squeezenet: Path) -> None:
    by_name = open_features(f"squeezenet1_1@{squeezenet}")
    assert by_name.weights_sha256 == hashlib.sha256(squeezenet.read_bytes()).hexdigest()
    assert by_name.dimensions == 512 == by_name(PICTURES).shape[1]
    assert "bilinear with antialiasing to 224x224" in by_name.resizer
    plain = squeezenet.rename(tmp_path / "plain.safetensors")
    assert open_features(str(plain)).key == by_name.key


def test_other_weights_have_another_key(tmp_path: Path, squeezenet: Path) -> None:
    first = open_features(f"squeezenet1_1@{squeezenet}").key
    torch.manual_seed(1)
    save_file(SqueezeNetFeatures().state_dict(), squeezenet)
    assert open_features(f"squeezenet1_1@{squeezenet}").key != first


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("incepton", "unknown feature network 'incepton': did you mean 'inception'"),
        ("squeezenet1_1", "comes without weights: save torchvision's"),
        ("missing.safetensors", "there is no weights file missing.safetensors"),
        ("inception@missing.pth", "there is no weights file missing.pth"),
        ("inception", "could not be downloaded .*Name or service not known.*inception@.*squeeze"),
        (f"random-cnn@{__file__}", "has its own fixed weights"),
        (f"squeezenet1_1@{__file__}", "does not hold SqueezeNet"),
        (f"inception@{__file__}", "is not the file that defines FID"),
    ],
)
def test_one_sentence_for_what_cannot_be_had(text: str, sentence: str) -> None:
    with pytest.raises(MaquetteError, match=sentence) as told:
        open_features(text)
    assert "\n" not in str(told.value)


def test_inception_is_downloaded_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inception: bytes
) -> None:
    asked = []

    def served(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(inception)

    monkeypatch.setattr(urllib.request, "urlopen", served)
    digest = pretend_published(monkeypatch, inception)
    extractor = open_features("inception")
    again = open_features("inception")
    assert len(asked) == 1
    assert asked[0].endswith("weights-inception-2015-12-05-6726825d.pth")
    assert extractor.weights_sha256 == digest
    assert extractor.name == "inception-v3 (fid, antialiased)"
    assert extractor.key == again.key
    assert extractor(PICTURES[:1]).shape == (1, 2048)
    file = tmp_path / "given.pth"
    file.write_bytes(inception)
    assert open_features(f"inception@{file}").key == extractor.key


def test_a_wrong_or_broken_download_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inception: bytes
) -> None:
    pretend_published(monkeypatch, inception)
    broken = [io.BytesIO(inception[:-1]), Interrupted(inception)]
    for source in broken:
        monkeypatch.setattr(urllib.request, "urlopen", lambda *_, s=source, **__: s)
        with pytest.raises(SettingsError, match=r"FID|could not be downloaded"):
            open_features("inception")
        assert not list((tmp_path / "hub").rglob("*.pth"))
        assert not list((tmp_path / "hub").rglob("*.writing"))


class Interrupted(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise ConnectionResetError("reset by peer")
        return super().read(1000)


class ToyTimm(nn.Module):
    """Shaped like timm's networks: pooled features, a classifier unless num_classes is 0."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2)
        self.fc = nn.Linear(6, num_classes) if num_classes else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.stem(x).mean((2, 3)))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> None:
    """timm at its border; with the real one, resnet18 and two others were compared by hand."""

    def create_model(name: str, pretrained: bool, num_classes: int) -> nn.Module:
        if pretrained:
            raise FileNotFoundError("no network")
        return ToyTimm(num_classes)

    settings = {"input_size": (3, 32, 40), "mean": (0.5,) * 3, "std": (0.2,) * 3}
    toy = ModuleType("timm")
    toy.list_models = lambda: ["toynet", "resnet18"]  # type: ignore[attr-defined]
    toy.create_model = create_model  # type: ignore[attr-defined]
    toy.data = SimpleNamespace(  # type: ignore[attr-defined]
        resolve_model_data_config=lambda model: settings
    )
    monkeypatch.setitem(sys.modules, "timm", toy)


def test_timm_with_weights_from_a_file(timm: None, tmp_path: Path) -> None:
    whole = ToyTimm(10)
    save_file(whole.state_dict(), tmp_path / "toy.safetensors")
    extractor = open_features(f"timm:toynet@{tmp_path}/toy.safetensors")
    assert extractor.name == "timm:toynet"
    assert extractor.resizer == "bicubic with antialiasing to 32x40 px"
    pictures = torch.randint(0, 256, (5, 3, 32, 40), dtype=torch.uint8)
    whole.fc = nn.Identity()
    expected = whole((pictures.float() / 255 - 0.5) / 0.2)
    assert torch.allclose(extractor(pictures), expected, atol=1e-5)


def test_timm_offline_unknown_or_with_foreign_weights(
    timm: None, tmp_path: Path, squeezenet: Path
) -> None:
    for text, sentence in (
        ("timm:toynet", "toynet could not be downloaded: give them as a file"),
        ("timm:toynt", "timm knows no network 'toynt': near it are toynet"),
        ("timm:§§§", "timm.list_models"),
        (f"timm:toynet@{squeezenet}", "does not hold the weights of timm's toynet"),
    ):
        with pytest.raises(MaquetteError, match=sentence):
            open_features(text)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MaquetteError, match=r"pip install 'maquette\[backbones\]'"):
        open_features("timm:resnet18")
