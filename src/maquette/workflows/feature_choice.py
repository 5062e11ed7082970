"""From the words a person gives to a feature network: `--features inception`, a path, `timm:NAME`.

Weights are read from safetensors. FID's Inception-v3 exists as a torch file alone: that is accepted
with exactly the published checksum, and read as tensors only. Numbers made with any other network
carry its name and are never called FID.
"""

import hashlib
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from maquette.core.errors import SettingsError, unknown_name
from maquette.evaluation.features import FeatureExtractor
from maquette.networks.feature_networks import FeatureNetwork, RandomFeatures, weights_sha256
from maquette.networks.inception import load_inception
from maquette.networks.squeezenet import load_squeezenet
from maquette.networks.timm_features import load_timm

FEATURES_VARIABLE = "MAQUETTE_FEATURES"
WITHOUT_WEIGHTS = "random-cnn"  # what is used when nobody says

_INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
_INCEPTION_ADDRESS = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{_INCEPTION_FILE}"
)
_INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_ALTERNATIVE = "or choose the features squeezenet1_1@weights.safetensors"
_PATIENCE_SECONDS = 30
_CHUNK_BYTES = 2**20


class _Opened(NamedTuple):
    name: str  # as printed beside numbers
    network: FeatureNetwork
    weights: Path | None  # the file they came from


def open_features(text: str | None = None, device: torch.device | str = "cpu") -> FeatureExtractor:
    """The extractor for "NAME" or "NAME@FILE"; a path to safetensors alone means squeezenet1_1.

    inception        FID's Inception-v3; downloaded once when no file is given
    squeezenet1_1    needs torchvision's weights as safetensors
    timm:NAME        any network of timm, whose weights are downloaded when no file is given
    random-cnn       fixed random weights: no file, sees less sharply than trained networks

    None means what the environment variable MAQUETTE_FEATURES says, else random-cnn. Raises
    MaquetteError, one sentence, for an unknown name and for weights that cannot be had.
    """
    text = text or os.environ.get(FEATURES_VARIABLE) or WITHOUT_WEIGHTS
    if "@" not in text and text.endswith(".safetensors"):
        text = f"squeezenet1_1@{text}"
    name, _, file = text.partition("@")
    path = _existing(Path(file).expanduser()) if file else None
    if name.startswith("timm:"):
        opened = _Opened(name, load_timm(name.removeprefix("timm:"), path), path)
    elif name in _KNOWN:
        opened = _KNOWN[name](path)
    else:
        raise SettingsError(unknown_name("feature network", name, [*_KNOWN, "timm:NAME"]))
    network = opened.network
    return FeatureExtractor(
        name=opened.name,
        weights_sha256=_file_sha256(opened.weights) if opened.weights else weights_sha256(network),
        resizer=network.prepare.description,
        dimensions=network.dimensions,
        network=network.to(device),
        device=device,
    )


def _inception(path: Path | None) -> _Opened:
    path = path if path is not None else _downloaded_inception()
    if (found := _file_sha256(path)) != _INCEPTION_SHA256:
        raise SettingsError(
            f"{path} is not the file that defines FID (its sha256 begins with {found[:8]}, not "
            f"{_INCEPTION_SHA256[:8]}): delete it and try again, {_ALTERNATIVE}"
        )
    return _Opened("inception-v3 (fid, antialiased)", load_inception(path), path)


def _squeezenet(path: Path | None) -> _Opened:
    if path is None:
        raise SettingsError(
            "squeezenet1_1 comes without weights: save torchvision's as safetensors and write "
            "squeezenet1_1@weights.safetensors"
        )
    return _Opened("squeezenet1_1", load_squeezenet(path), path)


def _random(path: Path | None) -> _Opened:
    if path is not None:
        raise SettingsError(f"{WITHOUT_WEIGHTS} has its own fixed weights: leave out @{path}")
    return _Opened(f"{WITHOUT_WEIGHTS} (untrained)", RandomFeatures(), None)


_KNOWN: dict[str, Callable[[Path | None], _Opened]] = {
    "inception": _inception,
    "squeezenet1_1": _squeezenet,
    WITHOUT_WEIGHTS: _random,
}


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise SettingsError(f"there is no weights file {path}")
    return path


def _downloaded_inception() -> Path:
    """Where torch-fidelity keeps the same file, so neither downloads what the other has."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / _INCEPTION_FILE
    if path.is_file():
        return path
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(_INCEPTION_ADDRESS, timeout=_PATIENCE_SECONDS) as source,
            temporary.open("wb") as target,
        ):
            while chunk := source.read(_CHUNK_BYTES):
                target.write(chunk)
        if (found := _file_sha256(temporary)) != _INCEPTION_SHA256:
            raise SettingsError(
                f"what came from {_INCEPTION_ADDRESS} is not the file that defines FID (its sha256 "
                f"begins with {found[:8]}): try again later, {_ALTERNATIVE}"
            )
        temporary.replace(path)
    except OSError as error:
        raise SettingsError(
            f"the weights of FID's Inception-v3 could not be downloaded ({error}): fetch "
            f"{_INCEPTION_ADDRESS} elsewhere and write inception@{_INCEPTION_FILE}, {_ALTERNATIVE}"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
