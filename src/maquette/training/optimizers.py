"""What moves a player's parameters along their gradients: a torch optimizer, or its own step."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maquette.core.errors import SettingsError
from maquette.core.family import OwnStep
from maquette.training.settings import OptimizerSettings

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

    def __init__(self, parameters: Sequence[Tensor], optimizer: torch.optim.Optimizer):
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
    """Muon for the weights of linear layers and convolutions, AdamW for all other parameters.

    A step of a weight, as a matrix with a row for each output, is made orthogonal, so that rare
    directions of the gradient are learnt as fast as common ones (Jordan et al. 2024, "Muon: an
    optimizer for hidden layers in neural networks"). Steps are about as long as Adam's at the same
    rate (Liu et al. 2025, "Muon is scalable for LLM training", section 2.2).
    """

    def __init__(
        self, network: nn.Module, parameters: Sequence[nn.Parameter], s: OptimizerSettings
    ):
        layers = [n for n, m in network.named_modules() if isinstance(m, _MATRIX_LAYERS)]
        names = {f"{name}.weight".removeprefix(".") for name in layers}
        found = {id(p) for name, p in network.named_parameters() if name in names}
        self.weights = [p for p in parameters if id(p) in found]
        self.matrices = [_matrix(p.detach(), like=p) for p in self.weights]
        rest = [p for p in parameters if id(p) not in found]
        self.parts: dict[str, TorchOptimizer] = {}
        if self.matrices:
            length, decay = "match_rms_adamw", s.weight_decay
            muon = torch.optim.Muon(
                self.matrices, s.learning_rate, decay, s.momentum, adjust_lr_fn=length
            )
            self.parts["matrices"] = TorchOptimizer(self.matrices, muon)
        if rest:
            adam = torch.optim.AdamW(rest, s.learning_rate, s.betas, s.epsilon, s.weight_decay)
            self.parts["rest"] = TorchOptimizer(rest, adam)

    def step(self, rate: float) -> None:
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.data = _matrix(weight.detach(), like=weight)  # wherever it lies by now
            matrix.grad = None if weight.grad is None else _matrix(weight.grad, like=weight)
        for part in self.parts.values():
            part.step(rate)
        for matrix in self.matrices:
            matrix.grad = None

    def state(self) -> dict[str, Tensor]:
        return {
            f"{name}/{key}": value
            for name, part in self.parts.items()
            for key, value in part.state().items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        for name, part in self.parts.items():
            start = f"{name}/"
            own = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
            part.restore(own)


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


def _matrix(values: Tensor, like: Tensor) -> Tensor:
    """A row for each output channel; of a weight itself a view, in the order of its memory."""
    last = like.dim() == 4 and like.is_contiguous(memory_format=torch.channels_last)
    return (values.permute(0, 2, 3, 1) if last else values).flatten(1)


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
