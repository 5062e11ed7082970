"""What moves a player's parameters along their gradients: a torch optimizer, or its own step."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maquette.core.errors import SettingsError
from maquette.core.family import OwnStep
from maquette.training.muon import Muon
from maquette.training.settings import OptimizerSettings

_MUON, _REST = "muon/", "rest/"  # in the names of what is remembered
_MATRIX_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
_MEANT_FOR_ALL = {"learning_rate", "schedule", "clip", "turns"}  # not by an optimizer of torch


class Optimizer(ABC):
    """Takes steps, and remembers what checkpoints must keep."""

    @abstractmethod
    def step(self, rate: float) -> None:
        """Move every parameter along its `.grad`, in place."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The tensors that the next steps depend on, by name."""

    @abstractmethod
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on as from this state."""


def optimizer_of(
    network: nn.Module, parameters: Sequence[nn.Parameter], settings: OptimizerSettings
) -> Optimizer:
    """What moves these parameters of a network. SettingsError for a setting without effect."""
    if isinstance(network, OwnStep):
        return OwnOptimizer(network, settings)
    if settings.kind == "muon":
        return MuonOptimizer(network, parameters, settings)
    return TorchOptimizer(parameters, _of_torch(parameters, settings))


class TorchOptimizer(Optimizer):
    """One of PyTorch's; its state is named "<parameter index>/<what>"."""

    def __init__(self, parameters: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer):
        self.parameters, self.optimizer = parameters, optimizer

    def step(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()

    def state(self) -> dict[str, Tensor]:
        return {
            f"{index}/{key}": value
            for index, values in self.optimizer.state_dict()["state"].items()
            for key, value in values.items()
            if value is not None
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, key = name.split("/")
            parameter = self.parameters[int(index)]
            if (
                tensor.dim() and tensor.shape == parameter.shape
            ):  # in its layout (channels_last), as when learning
                tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
            state.setdefault(int(index), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})


class MuonOptimizer(Optimizer):
    """Muon for the weights of linear layers and convolutions, AdamW for all other parameters:
    norms, biases, embeddings, convolutions in groups, weights under spectral normalisation."""

    def __init__(
        self, network: nn.Module, parameters: Sequence[nn.Parameter], s: OptimizerSettings
    ):
        names = {
            f"{name}.weight".removeprefix(".")
            for name, layer in network.named_modules()
            if isinstance(layer, _MATRIX_LAYERS) and getattr(layer, "groups", 1) == 1
        }
        learnt = {id(parameter) for parameter in parameters}
        weights = {n: p for n, p in network.named_parameters() if n in names and id(p) in learnt}
        found = {id(weight) for weight in weights.values()}
        rest = [parameter for parameter in parameters if id(parameter) not in found]
        self.muon = Muon(weights, s.momentum, s.weight_decay)
        self.rest = None
        if rest:
            adam = torch.optim.AdamW(rest, s.learning_rate, s.betas, s.epsilon, s.weight_decay)
            self.rest = TorchOptimizer(rest, adam)

    def step(self, rate: float) -> None:
        self.muon.step(rate)
        if self.rest is not None:
            self.rest.step(rate)

    def state(self) -> dict[str, Tensor]:
        rest = {} if self.rest is None else self.rest.state()
        return _under(_MUON, self.muon.state()) | _under(_REST, rest)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.muon.restore(_below(_MUON, tensors))
        if self.rest is not None:
            self.rest.restore(_below(_REST, tensors))


class OwnOptimizer(Optimizer):
    """The step that a network brings, and what it remembers."""

    def __init__(self, network: OwnStep, settings: OptimizerSettings):
        self.network = network
        self.memory: dict[str, Tensor] = {}
        dead = OptimizerSettings.model_fields.keys() - _MEANT_FOR_ALL
        for name in sorted(dead):
            if getattr(settings, name) != OptimizerSettings.model_fields[name].default:
                raise SettingsError(
                    f"training.optimizer.{name} has no effect here, because this family brings an "
                    "optimizer of its own: take it out, and look among the settings of the model"
                )

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.network.step(rate, self.memory)

    def state(self) -> dict[str, Tensor]:
        return dict(self.memory)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        device = next(self.network.parameters()).device
        self.memory = {name: tensor.to(device, copy=True) for name, tensor in tensors.items()}


def _under(start: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {start + name: tensor for name, tensor in tensors.items()}


def _below(start: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _of_torch(parameters: Sequence[nn.Parameter], s: OptimizerSettings) -> torch.optim.Optimizer:
    match s.kind:
        case "adam":
            return torch.optim.Adam(parameters, s.learning_rate, s.betas, s.epsilon, s.weight_decay)
        case "adamw":
            return torch.optim.AdamW(
                parameters, s.learning_rate, s.betas, s.epsilon, s.weight_decay
            )
        case "rmsprop":
            return torch.optim.RMSprop(
                parameters, s.learning_rate, s.decay, s.epsilon, s.weight_decay, s.momentum
            )
        case "muon":
            raise AssertionError("made of two: MuonOptimizer")
        case "sgd":
            return torch.optim.SGD(
                parameters, s.learning_rate, s.momentum, weight_decay=s.weight_decay
            )
