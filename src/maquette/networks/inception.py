"""Inception-v3 as FID is defined on it: TensorFlow's network of 2015-12-05, to its 2048 features.

Layers carry the names of its usual PyTorch port (pytorch-fid, torch-fidelity), so that port's
weights load unchanged, without those packages and torchvision. Two things differ from
torchvision's network, as in the original: averages leave padding out, and the last block takes a
maximum where all others take a mean. Batch norms are folded into the convolutions when loaded.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from maquette.core.errors import MaquetteError
from maquette.networks.feature_networks import FeatureNetwork, Standardised

_SIDE_PX = 299
_CENTRE, _SCALE = 128 / 255, 128 / 255  # (pixel - 128) / 128


@dataclass(frozen=True)
class _Convolution:
    """Its name is the port's. At stride 1 the size is kept."""

    name: str
    channels: int
    kernel: tuple[int, int]
    stride: int = 1


_Pool = Literal["mean", "max", "halve"]
_Branch = list[_Convolution | tuple[_Convolution, _Convolution] | _Pool]  # a tuple: side by side


class InceptionFeatures(FeatureNetwork):
    """Pixels to 2048 numbers a picture (Szegedy et al. 2016; for FID, Heusel et al. 2017)."""

    def __init__(self) -> None:
        colours = ([_CENTRE] * 3, [_SCALE] * 3)
        prepare = Standardised((_SIDE_PX, _SIDE_PX), "bicubic", *colours)  # as clean-fid
        super().__init__(prepare, dimensions=2048)
        self.layers = nn.Sequential()
        for name, inputs, outputs, size, stride, padding in _STEM:
            self.layers.add_module(name, _Layer(inputs, outputs, (size, size), stride, padding))
            if name in _POOLED_AFTER:
                self.layers.add_module(f"pool_after_{name}", nn.MaxPool2d(3, stride=2))
        inputs = _STEM[-1][2]
        for name, branches in _blocks():
            block = _Block(inputs, branches)
            self.layers.add_module(name, block)
            inputs = block.channels

    def embed(self, images: Float[Tensor, "batch 3 299 299"]) -> Float[Tensor, "batch 2048"]:
        features: Tensor = self.layers(images).mean((2, 3))
        return features


def load_inception(path: Path) -> InceptionFeatures:
    """The network with the port's weights (a torch file), on the CPU.

    The file is read as tensors alone; the classifier's are ignored. MaquetteError when it cannot be
    read or does not fit.
    """
    network = InceptionFeatures()
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        wanted = {name: t for name, t in stored.items() if not name.startswith("fc.")}
        network.layers.load_state_dict(wanted)
    except (OSError, RuntimeError, pickle.UnpicklingError, AttributeError) as error:
        raise MaquetteError(
            f"{path} does not hold the FID weights of Inception-v3: point to "
            "weights-inception-2015-12-05-6726825d.pth"
        ) from error
    for layer in network.eval().modules():
        if isinstance(layer, _Layer):
            layer.fold()
    network.frozen()
    return network


class _Layer(nn.Module):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int,
        padding: int | tuple[int, int],
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        return F.relu(self.bn(self.conv(x)))

    def fold(self) -> None:
        """One convolution in place of convolution and batch norm."""
        assert isinstance(self.bn, nn.BatchNorm2d)
        self.conv, self.bn = fuse_conv_bn_eval(self.conv, self.bn), nn.Identity()


class _Block(nn.Module):
    """Branches side by side, their outputs stacked."""

    def __init__(self, inputs: int, branches: list[_Branch]):
        super().__init__()
        self.branches = branches
        self.channels = 0
        for branch in branches:
            channels = inputs
            for step in branch:
                before = channels
                for index, part in enumerate(_parts(step)):
                    self.add_module(part.name, _made(before, part))
                    channels = part.channels + (channels if index else 0)
            self.channels += channels

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        outputs = []
        for branch in self.branches:
            y = x
            for step in branch:
                if isinstance(step, str):
                    y = _pooled(y, step)
                else:
                    y = torch.cat([self.get_submodule(part.name)(y) for part in _parts(step)], 1)
            outputs.append(y)
        return torch.cat(outputs, 1)


def _parts(
    step: _Convolution | tuple[_Convolution, _Convolution] | _Pool,
) -> tuple[_Convolution, ...]:
    if isinstance(step, str):
        return ()
    return step if isinstance(step, tuple) else (step,)


def _made(inputs: int, part: _Convolution) -> _Layer:
    height, width = part.kernel
    padding = (height // 2, width // 2) if part.stride == 1 else 0
    return _Layer(inputs, part.channels, part.kernel, part.stride, padding)


def _pooled(x: Float[Tensor, "b c h w"], how: _Pool) -> Float[Tensor, "b c y x"]:
    if how == "mean":
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    return F.max_pool2d(x, 3, stride=1, padding=1) if how == "max" else F.max_pool2d(x, 3, stride=2)


# Name, channels in and out, kernel side, stride, padding.
_STEM = [
    ("Conv2d_1a_3x3", 3, 32, 3, 2, 0),
    ("Conv2d_2a_3x3", 32, 32, 3, 1, 0),
    ("Conv2d_2b_3x3", 32, 64, 3, 1, 1),
    ("Conv2d_3b_1x1", 64, 80, 1, 1, 0),
    ("Conv2d_4a_3x3", 80, 192, 3, 1, 0),
]
_POOLED_AFTER = ("Conv2d_2b_3x3", "Conv2d_4a_3x3")


def _blocks() -> list[tuple[str, list[_Branch]]]:
    """Szegedy et al. 2016, table 1, from the first block on; A to E are figures 5 to 7."""
    halved: _Branch = ["halve"]
    return [
        *((f"Mixed_5{letter}", _block_a(c)) for letter, c in zip("bcd", (32, 64, 64), strict=True)),
        (
            "Mixed_6a",
            [
                [_Convolution("branch3x3", 384, (3, 3), 2)],
                _chain("branch3x3dbl_", (64, (1, 1), 1), (96, (3, 3), 1), (96, (3, 3), 2)),
                halved,
            ],
        ),
        *(
            (f"Mixed_6{letter}", _block_c(c))
            for letter, c in zip("bcde", (128, 160, 160, 192), strict=True)
        ),
        (
            "Mixed_7a",
            [
                _chain("branch3x3_", (192, (1, 1), 1), (320, (3, 3), 2)),
                _chain(
                    "branch7x7x3_",
                    *((192, kernel, 1) for kernel in ((1, 1), (1, 7), (7, 1))),
                    (192, (3, 3), 2),
                ),
                halved,
            ],
        ),
        ("Mixed_7b", _block_e("mean")),
        ("Mixed_7c", _block_e("max")),
    ]


def _block_a(pooled: int) -> list[_Branch]:
    return [
        [_Convolution("branch1x1", 64, (1, 1))],
        _chain("branch5x5_", (48, (1, 1), 1), (64, (5, 5), 1)),
        _chain("branch3x3dbl_", (64, (1, 1), 1), (96, (3, 3), 1), (96, (3, 3), 1)),
        ["mean", _Convolution("branch_pool", pooled, (1, 1))],
    ]


def _block_c(c: int) -> list[_Branch]:
    across, down = (1, 7), (7, 1)
    kernels = [down, across, down, across]
    return [
        [_Convolution("branch1x1", 192, (1, 1))],
        _chain("branch7x7_", (c, (1, 1), 1), (c, across, 1), (192, down, 1)),
        _chain(
            "branch7x7dbl_", (c, (1, 1), 1), *((c, k, 1) for k in kernels[:3]), (192, across, 1)
        ),
        ["mean", _Convolution("branch_pool", 192, (1, 1))],
    ]


def _block_e(pool: _Pool) -> list[_Branch]:
    def fork(name: str) -> tuple[_Convolution, _Convolution]:
        return (
            _Convolution(f"{name}a", 384, (1, 3)),
            _Convolution(f"{name}b", 384, (3, 1)),
        )

    return [
        [_Convolution("branch1x1", 320, (1, 1))],
        [_Convolution("branch3x3_1", 384, (1, 1)), fork("branch3x3_2")],
        [*_chain("branch3x3dbl_", (448, (1, 1), 1), (384, (3, 3), 1)), fork("branch3x3dbl_3")],
        [pool, _Convolution("branch_pool", 192, (1, 1))],
    ]


def _chain(prefix: str, *layers: tuple[int, tuple[int, int], int]) -> _Branch:
    """Channels, kernel and stride of layers numbered from 1."""
    return [
        _Convolution(f"{prefix}{number}", *layer) for number, layer in enumerate(layers, start=1)
    ]
