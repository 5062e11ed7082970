"""What all feature networks share: pictures made fit for them, and layers run fast on a CPU.

Pictures are always resized with antialiasing: without it, distances measure the resizer
(Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation").
`RandomFeatures` sees without any weights file.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor, nn

from maquette.core.images import Pixels
from maquette.core.randomness import derived_seed, noise

Embedding = Float[Tensor, "batch dims"]

# On a CPU, four pictures' activations stay in its caches, channels_last spares convolutions their
# rearranging, and a core that looks at pictures of its own never waits for another: together 2 to
# 6 times as fast as the usual loop, the more the busier the machine (benchmarks/evaluate_speed.py).
_AT_ONCE_CPU, _AT_ONCE_ELSEWHERE = 4, 64

_RANDOM_SIDE_PX = 64
_RANDOM_CHANNELS = (64, 128, 256)  # of the stages, each half as large as the one before


class Standardised(nn.Module):
    """Pixels resized to a size a network knows, with its mean and deviation of colours."""

    def __init__(
        self,
        size_px: tuple[int, int],
        mode: Literal["bilinear", "bicubic"],
        mean: Sequence[float],
        deviation: Sequence[float],
    ):
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.size, self.mode = size_px, mode
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], persistent=False)

    @property
    def description(self) -> str:
        """The resizer in words."""
        return f"{self.mode} with antialiasing to {self.size[0]}x{self.size[1]} px"

    def forward(self, pixels: Pixels) -> Float32[Tensor, "batch 3 rows columns"]:
        """Grey becomes three equal channels; mean and deviation are of colours in [0, 1]."""
        colours = pixels.expand(-1, 3, -1, -1).float() / 255
        resized = F.interpolate(
            colours, size=self.size, mode=self.mode, antialias=True, align_corners=False
        )
        standard: Tensor = (resized - self.mean) / self.deviation
        return standard


class FeatureNetwork(nn.Module, ABC):
    """Grey or RGB pixels of any size and number to `dimensions` numbers a picture."""

    def __init__(self, prepare: Standardised, dimensions: int):
        super().__init__()
        self.prepare, self.dimensions = prepare, dimensions

    @abstractmethod
    def embed(self, images: Float32[Tensor, "batch 3 height width"]) -> Embedding:
        """The features of a few pictures that are resized and standardised."""

    def forward(self, pixels: Pixels) -> Embedding:
        """A few pictures at a time; nothing is differentiable here."""
        if pixels.device.type != "cpu":
            return torch.cat([self._look(part) for part in torch.split(pixels, _AT_ONCE_ELSEWHERE)])
        parts = torch.split(pixels, _AT_ONCE_CPU)
        alone = partial(torch.set_num_threads, 1)  # concerns the calling thread only
        with ThreadPoolExecutor(torch.get_num_threads(), initializer=alone) as workers:
            return torch.cat(list(workers.map(self._look, parts)))

    @torch.no_grad()
    def _look(self, pixels: Pixels) -> Embedding:
        return self.embed(self.prepare(pixels))

    def frozen(self) -> None:
        """Fit for looking only: no gradients, evaluation mode, the layout that is fast."""
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class RandomFeatures(FeatureNetwork):
    """448 numbers a picture from convolutions with fixed random weights: no file, no download.

    The mean over space of each of three stages. Random embeddings tell distributions apart, if less
    sharply than trained ones (Naeem et al. 2020, section 5: random VGG-16). The weights follow He
    et al. 2015 from our own counter-based generator, so they are the same everywhere and for ever.
    """

    def __init__(self) -> None:
        prepare = Standardised((_RANDOM_SIDE_PX,) * 2, "bilinear", [0.5] * 3, [0.25] * 3)
        super().__init__(prepare, sum(_RANDOM_CHANNELS))
        self.stages = nn.ModuleList()
        for inputs, outputs in pairwise((3, *_RANDOM_CHANNELS)):
            layer = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
            seed = torch.tensor([derived_seed("random-cnn", inputs, outputs)])
            with torch.no_grad():
                layer.weight.copy_(noise(seed, *layer.weight.shape)[0] * (2 / (9 * inputs)) ** 0.5)
            self.stages.append(layer)
        self.frozen()

    def embed(self, images: Float32[Tensor, "batch 3 height width"]) -> Embedding:
        means = []
        for stage in self.stages:
            images = F.relu(stage(images))
            means.append(images.mean((2, 3)))
        return torch.cat(means, 1)


def weights_sha256(network: nn.Module) -> str:
    """Of the names, shapes and values of all that is trained or counted, in order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        values = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(values.numpy())
    return digest.hexdigest()
