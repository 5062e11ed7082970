"""Any of timm's networks as eyes: globally pooled features, with timm's own colours and size.

timm comes with the extra `backbones`. Pictures are resized whole, never cropped, and always with
antialiasing, so features differ a little from timm's own evaluation.
"""

import importlib
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

import torch
from jaxtyping import Float, Float32
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from maquette.core.errors import MaquetteError
from maquette.networks.feature_networks import FeatureNetwork, Standardised


class TimmFeatures(FeatureNetwork):
    """As many numbers a picture as the network pools to."""

    def __init__(self, network: nn.Module, prepare: Standardised, dimensions: int):
        super().__init__(prepare, dimensions)
        self.network = network
        self.frozen()

    def embed(self, images: Float32[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dims"]:
        pooled: Tensor = self.network(images)
        return pooled


def load_timm(name: str, weights: Path | None) -> TimmFeatures:
    """timm's network of this name with weights from a safetensors file, or its own, downloaded.

    MaquetteError when timm is missing, does not know the name, or the weights cannot be had.
    """
    timm = _timm()
    if name.split(".")[0] not in (known := timm.list_models()):  # a dot, then which weights
        near = get_close_matches(name, known)
        hint = f"near it are {', '.join(near)}" if near else "timm.list_models() lists them"
        raise MaquetteError(f"timm knows no network {name!r}: {hint}")
    try:
        network: nn.Module = timm.create_model(name, pretrained=weights is None, num_classes=0)
        if weights is not None:
            stored, wanted = load_file(weights), network.state_dict()
            network.load_state_dict({key: t for key, t in stored.items() if key in wanted})
    except (OSError, RuntimeError, SafetensorError) as error:
        raise MaquetteError(
            f"{weights} does not hold the weights of timm's {name} as safetensors"
            if weights is not None
            else f"the weights of timm's {name} could not be downloaded: give them as a file with "
            f"timm:{name}@weights.safetensors, or use squeezenet1_1@weights.safetensors"
        ) from error
    settings = timm.data.resolve_model_data_config(network)
    prepare = Standardised(
        tuple(settings["input_size"][1:]), "bicubic", settings["mean"], settings["std"]
    )
    with torch.no_grad():  # networks disagree on where they keep their number of features
        dimensions = network.eval()(torch.zeros(1, 3, *prepare.size)).shape[1]
    return TimmFeatures(network, prepare, dimensions)


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # a mismatched torchvision fails at run time
        raise MaquetteError(
            "features of timm need its package, which cannot be imported here: "
            "`pip install 'maquette[backbones]'`, or use squeezenet1_1@weights.safetensors"
        ) from error
