"""Any of timm's networks as a classifier, for pictures of the dataset's own size and colours.

timm comes with the extra `backbones`.
"""

import importlib
from difflib import get_close_matches
from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.errors import SettingsError
from maquette.core.images import Images, ImageSpec


class TimmClassifier(nn.Module):
    """A network of timm behind the colours it was made for."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor):
        """`mean` and `std`: of pictures in [0, 1], a number for each channel."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean[:, None, None], persistent=False)
        self.register_buffer("std", std[:, None, None], persistent=False)

    def forward(self, images: Images) -> Float[Tensor, "batch classes"]:
        logits: Tensor = self.network(((images + 1) / 2 - self.mean) / self.std)
        return logits


def load_timm_classifier(
    name: str, spec: ImageSpec, dropout: float, pretrained: bool
) -> TimmClassifier:
    """timm's network of this name for these pictures, from random weights or from timm's own.

    SettingsError when timm is missing, does not know the name, cannot have the weights, or the
    network does not take pictures of this size.
    """
    timm = _timm()
    if name.split(".")[0] not in (known := timm.list_models()):  # a dot, then which weights
        near = get_close_matches(name, known)
        hint = f"near it are {', '.join(near)}" if near else "timm.list_models() lists them"
        raise SettingsError(f"model.network: timm knows no network {name!r}: {hint}")
    try:
        network: nn.Module = timm.create_model(
            name,
            pretrained=pretrained,
            in_chans=spec.channels,
            num_classes=len(spec.classes),
            drop_rate=dropout,
        )
    except (OSError, RuntimeError) as error:
        raise SettingsError(
            f"the weights of timm's {name} could not be downloaded: connect to the internet, or "
            "begin without them (model.pretrained=false)"
            if pretrained
            else f"timm cannot make {name}: leave out what comes after the dot, which names weights"
        ) from error
    _check_size(network, name, spec)
    colours = timm.data.resolve_model_data_config(network)
    mean, std = (torch.tensor(colours[part]) for part in ("mean", "std"))
    if spec.channels != len(mean):
        mean, std = mean.mean().repeat(spec.channels), std.mean().repeat(spec.channels)
    return TimmClassifier(network, mean, std)


def _check_size(network: nn.Module, name: str, spec: ImageSpec) -> None:
    """timm says in many ways that a size does not fit, so it is tried."""
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, *spec.shape))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise SettingsError(
            f"timm's {name} takes no pictures of {spec.height}x{spec.width} px: choose a "
            "convolutional network such as timm:resnet18, or build the dataset in its size"
        ) from error
    network.train(was_training)


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # a mismatched torchvision fails at run time
        raise SettingsError(
            "networks of timm need its package, which cannot be imported here: "
            "`pip install 'maquette[backbones]'`, or use model.network=small"
        ) from error
