"""SqueezeNet 1.1 up to its last features: small, permissively licensed eyes for measuring pictures.

Layers carry torchvision's names, so its ImageNet weights load unchanged from a safetensors file;
no weights come with this package. Distances between these features are *not* FID, which is defined
on Inception-v3: call them "Fréchet distance (squeezenet1_1)".
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from maquette.core.errors import MaquetteError
from maquette.networks.feature_networks import FeatureNetwork, Standardised

_SIDE_PX = 224  # what ImageNet classifiers are trained at
_IMAGENET_COLOURS = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])  # mean and deviation


class Fire(nn.Module):
    """Squeeze to few channels by 1x1, expand by 1x1 and 3x3 side by side (Iandola et al. 2016)."""

    def __init__(self, inputs: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


class SqueezeNetFeatures(FeatureNetwork):
    """Pixels to 512 numbers a picture: the mean over space of the last Fire module's output.

    Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", v1.1.
    """

    def __init__(self) -> None:
        prepare = Standardised((_SIDE_PX, _SIDE_PX), "bilinear", *_IMAGENET_COLOURS)
        super().__init__(prepare, dimensions=512)
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(),
            _halved(),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            _halved(),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            _halved(),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )

    def embed(self, images: Float[Tensor, "batch 3 height width"]) -> Float64[Tensor, "batch 512"]:
        double: Tensor = self.features(images).mean((2, 3)).double()
        return double


def load_squeezenet(path: Path) -> SqueezeNetFeatures:
    """The network with torchvision's `squeezenet1_1` weights from a safetensors file, on the CPU.

    The classifier's layers are ignored. MaquetteError when the file cannot be read or does not fit.
    """
    network = SqueezeNetFeatures()
    try:
        stored = load_file(path)
        features = {name: t for name, t in stored.items() if name.startswith("features.")}
        network.load_state_dict(features)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise MaquetteError(
            f"{path} does not hold SqueezeNet 1.1 features: point to torchvision's squeezenet1_1 "
            "weights saved as safetensors"
        ) from error
    network.frozen()
    return network


def _halved() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
