"""What computes the network for a film: torch, or ONNX Runtime where it is installed and faster.

A film is many frames of one size, worth the seconds that writing the network as ONNX takes. On one
core it gave 1.8, 1.2 and 1.1 times the frames a second (CycleGAN of widths 16, 32 and 64); OpenVINO
gave hardly more than that, channels_last nothing.
"""

import math
import time
from typing import Any, Literal

import torch
from torch import nn

from maquette.core.errors import MaquetteError, SettingsError
from maquette.core.family import Translates
from maquette.core.images import Images, to_float
from maquette.networks.tiling import SMALLEST_PX
from maquette.workflows.exporting_graphs import Signature, graph, require_extra
from maquette.workflows.translating_networks import PictureTranslator

Engine = Literal["torch", "onnxruntime"]
LEAST_WORK = 2e13
"""Frames times pixels times parameters, about a minute of one core; for less, preparing takes
longer than it saves. Counted and not timed, so that a film begun anew gets the same engine."""
_SIGNATURE = Signature(("images",), ("translated",), {"images": {0: "pictures"}})
_SLOWER = 1.25  # times torch's time that are too long; less may be a busy machine
_TRIES, _TRYING_SECONDS = 3, 5.0
_TOLERANCE = 1e-2  # in [-1, 1], a grey level


class OnnxNetwork:
    """A translator's network for pictures of one size."""

    def __init__(self, translator: PictureTranslator, height: int, width: int):
        """MaquetteError when it cannot be written as ONNX, or the extra is missing."""
        require_extra()
        import onnxruntime

        example = torch.zeros(2, translator.spec.channels, height, width)
        module = _Translating(translator.family, translator.direction)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session: Any = onnxruntime.InferenceSession(
            graph(module, (example,), _SIGNATURE), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, images: Images) -> Images:
        (made,) = self._session.run(None, {"images": images.contiguous().numpy()})
        translated: Images = torch.from_numpy(made)
        return translated


def choose_engine(
    translator: PictureTranslator, height: int, width: int, frames: int | None
) -> Engine:
    """The faster one for so many frames of this size, and make the translator use it."""
    large = height * width > translator.largest_px or min(height, width) < SMALLEST_PX
    if (
        translator.device.type != "cpu"
        or large
        or _work(translator, height, width, frames) < LEAST_WORK
    ):
        return "torch"
    try:
        network = OnnxNetwork(translator, height, width)
    except MaquetteError:
        return "torch"
    pixels = torch.randint(
        0, 256, (1, translator.spec.channels, height, width), dtype=torch.uint8,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    with torch.inference_mode():
        images = to_float(pixels)
        (by_torch, torch_seconds), (by_onnx, onnx_seconds) = (
            _timed(one, images) for one in (translator.network, network)
        )
    same = float((by_torch - by_onnx).abs().max()) <= _TOLERANCE
    if not same or onnx_seconds > _SLOWER * torch_seconds:
        return "torch"
    translator.network = network
    return "onnxruntime"


def use_engine(translator: PictureTranslator, engine: Engine, height: int, width: int) -> None:
    """The one that an interrupted film was begun with. SettingsError when it is gone."""
    if engine == "onnxruntime":
        try:
            translator.network = OnnxNetwork(translator, height, width)
        except SettingsError as error:
            raise SettingsError(
                "this film was begun with ONNX Runtime, which is not installed any more: install "
                "it (pip install 'maquette[export]'), or remove the hidden folder beside --out"
            ) from error


def _work(translator: PictureTranslator, height: int, width: int, frames: int | None) -> float:
    """Infinite for a film that does not say how long it is."""
    if frames is None:
        return math.inf
    return float(frames * height * width * translator.size.parameters)


class _Translating(nn.Module):
    """One direction of a family as a module."""

    def __init__(self, family: Translates, direction: str):
        super().__init__()
        self.family, self.direction = family, direction

    def forward(self, images: Images) -> Images:
        return self.family.translate(images, self.direction)


def _timed(network: Any, images: Images) -> tuple[Images, float]:
    """What it makes, and its shortest time in seconds; the first one does not count."""
    made: Images = network(images)
    tries: list[float] = []
    while len(tries) < _TRIES and sum(tries) < _TRYING_SECONDS:
        began = time.perf_counter()
        network(images)
        tries.append(time.perf_counter() - began)
    return made, min(tries)
