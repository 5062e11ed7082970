"""What computes the network for a film: torch, in bf16 where it pays, or ONNX Runtime.

bf16 is for processors that multiply in it: twice the frames of float32 or more, some grey levels
apart at most. Elsewhere ONNX Runtime is tried where it is installed and the film is long enough for
the seconds that writing the network as ONNX takes: 1.2 times the frames for networks of width 16,
nothing for wide ones. OpenVINO gave hardly more.
"""

import math
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn

from maquette.core.devices import start_engine
from maquette.core.errors import MaquetteError, SettingsError
from maquette.core.family import Translates
from maquette.core.images import Images, to_float
from maquette.networks.tiling import SMALLEST_PX
from maquette.workflows.exporting_graphs import Signature, graph, require_extra
from maquette.workflows.translating_networks import PictureTranslator
from maquette.workflows.translating_quickly import QuickNetwork

Engine = Literal["torch", "bf16", "onnxruntime"]
LEAST_WORK = 2e13
"""Frames times pixels times parameters, about a minute of one core; for less, preparing takes
longer than it saves. Counted and not timed, so that a film begun anew gets the same engine."""
_SIGNATURE = Signature(("images",), ("translated",), {"images": {0: "pictures"}})
_SLOWER = 1.25  # times torch's time that are too long; less may be a busy machine
_TRIES, _TRYING_SECONDS = 3, 5.0
_TOLERANCE = 1e-2  # in [-1, 1], a grey level
_PROBE_PX = 128
_BF16_TOLERANCE = 1.2e-2  # on average; 1.5 grey levels, no more than what encoding costs


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


@torch.inference_mode()
def choose_engine(
    translator: PictureTranslator, height: int, width: int, frames: int | None
) -> Engine:
    """The fastest one for so many frames of this size, and make the translator use it."""
    if not _fits(translator, height, width):
        return "torch"
    exact = QuickNetwork(translator)
    translator.network = exact
    if start_engine("cpu").precision == "bf16":
        network = QuickNetwork(translator, bf16=True)
        images = _noise(translator, min(height, _PROBE_PX), min(width, _PROBE_PX))
        if _apart(network(images), exact(images)).mean() <= _BF16_TOLERANCE:
            translator.network = network
            return "bf16"
    if _work(translator, height, width, frames) < LEAST_WORK:
        return "torch"
    try:
        by_onnx = OnnxNetwork(translator, height, width)
    except MaquetteError:
        return "torch"
    images = _noise(translator, height, width)
    same = _apart(by_onnx(images), exact(images)).max() <= _TOLERANCE
    if not same or _seconds(by_onnx, images) > _SLOWER * _seconds(exact, images):
        return "torch"
    translator.network = by_onnx
    return "onnxruntime"


def use_engine(translator: PictureTranslator, engine: Engine, height: int, width: int) -> None:
    """The one that an interrupted film was begun with. SettingsError when it is gone."""
    if engine != "onnxruntime":
        if _fits(translator, height, width):
            translator.network = QuickNetwork(translator, bf16=engine == "bf16")
        return
    try:
        translator.network = OnnxNetwork(translator, height, width)
    except SettingsError as error:
        raise SettingsError(
            "this film was begun with ONNX Runtime, which is not installed any more: install "
            "it (pip install 'maquette[export]'), or remove the hidden folder beside --out"
        ) from error


def _fits(translator: PictureTranslator, height: int, width: int) -> bool:
    """Whether the choice is between these; else pictures and frames are computed alike."""
    small = min(height, width) < SMALLEST_PX
    return translator.device.type == "cpu" and height * width <= translator.largest_px and not small


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


def _noise(translator: PictureTranslator, height: int, width: int) -> Images:
    generator = torch.Generator().manual_seed(0)
    shape = (1, translator.spec.channels, height, width)
    return to_float(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))


def _apart(one: Images, other: Images) -> Images:
    return (one - other).abs()


@torch.inference_mode()
def _seconds(network: Callable[[Images], Images], images: Images) -> float:
    """Its shortest time; the first one does not count."""
    network(images)
    tries: list[float] = []
    while len(tries) < _TRIES and sum(tries) < _TRYING_SECONDS:
        began = time.perf_counter()
        network(images)
        tries.append(time.perf_counter() - began)
    return min(tries)
