"""Modules to ONNX, and proof that the graph answers as the module does.

The three graphs of a classifier: `model` (pixels to probabilities), `drawing` (points of a pen to
pixels) and `picture` (any picture to pixels). All preprocessing is inside them.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.errors import RunError, SettingsError
from maquette.core.family import Classifies
from maquette.core.images import Pixels, to_float

NEEDS = "exporting needs the extra `export`: pip install 'maquette[export]'"
TOLERANCE = 1e-4  # largest difference of a probability
_TRIED_PICTURES = 16


class Answering(nn.Module):
    """A classifier from stored pixels to probabilities: scaling, network, temperature, softmax."""

    def __init__(self, family: Classifies):
        super().__init__()
        self.family = family

    def forward(self, pixels: Pixels) -> Float[Tensor, "batch classes"]:
        return self.family.classify(to_float(pixels))


@dataclass(frozen=True)
class Signature:
    """The names of a graph's inputs and outputs, and which sizes of the inputs may vary."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    varying: Mapping[str, Mapping[int, str]]  # input: {dimension: its name}


MODEL = Signature(("pixels",), ("probabilities",), {"pixels": {0: "pictures"}})
DRAWING = Signature(("points",), ("pixels",), {"points": {0: "points"}})
PICTURE = Signature(("rgba", "swap"), ("pixels", "border"), {"rgba": {0: "height", 1: "width"}})


def model_graph(family: Classifies) -> bytes:
    """The ONNX file of a classifier; RunError where it does not answer as the classifier does."""
    answering = Answering(family).eval()
    generator = torch.Generator().manual_seed(0)
    shape = (_TRIED_PICTURES, *family.spec.shape)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    content = graph(answering, (pixels[:2],), MODEL)
    with torch.no_grad():
        wanted = answering(pixels).numpy()
    (found,) = answers(content, pixels=pixels.numpy())
    if (difference := float(np.abs(found - wanted).max())) > TOLERANCE:
        raise RunError(
            f"the exported model does not answer as the run does (probabilities are up to "
            f"{difference:.2g} apart), so nothing was written: report it with the run's recipe.yaml"
        )
    return content


def graph(module: nn.Module, example: tuple[Tensor, ...], signature: Signature) -> bytes:
    """A module as one ONNX file without anything of the machine that made it.

    Raises SettingsError when the packages of the extra are missing, and RunError when the module
    cannot be written so.
    """
    require_extra()
    shapes = tuple(
        {axis: torch.export.Dim(name, min=1) for axis, name in signature.varying[given].items()}
        if given in signature.varying
        else None
        for given in signature.inputs
    )
    try:
        with _quietly():
            program = torch.onnx.export(
                module.eval(),
                example,
                dynamo=True,
                input_names=signature.inputs,
                output_names=signature.outputs,
                dynamic_shapes=shapes,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise RunError(
            f"{type(module).__name__} cannot be written as ONNX: its network does something that "
            "the format has no word for; train with another network"
        ) from error
    assert program is not None
    proto = program.model_proto
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]  # stack traces, with the folders of this machine
        part.doc_string = ""
    content: bytes = proto.SerializeToString()
    return content


def answers(content: bytes, **inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs of a graph, by ONNX Runtime."""
    require_extra()
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, inputs)
    return found


def require_extra() -> None:
    """SettingsError when the packages that exporting needs are missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SettingsError(NEEDS) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's remarks on packages that are not installed and on its own code."""
    log: Any = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
