"""A player: one network of the family, its parameters and its optimizer."""

import torch
from torch import Tensor, nn

from maquette.core.devices import Engine
from maquette.core.family import Progress
from maquette.core.images import Scalar
from maquette.training.settings import OptimizerSettings


class Player:
    """Collects the gradients of its own parameters, and takes steps."""

    def __init__(self, network: nn.Module, settings: OptimizerSettings, engine: Engine):
        self.settings, self.engine = settings, engine
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = _optimizer(self.parameters, settings)

    def blame(self, loss: Scalar) -> None:
        """Accumulate this loss's gradient in this player's parameters, and in no other's."""
        torch.autograd.backward(loss, inputs=self.parameters)

    def rate(self, progress: Progress) -> float:
        return self.settings.schedule.rate(self.settings.learning_rate, progress)

    def improve(self, rate: float) -> Scalar:
        """Take one optimizer step at this rate; return the gradient norm before clipping."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        self.engine.average_over_processes(gradients)
        norm = nn.utils.get_total_norm(gradients)
        if self.settings.clip is not None:
            nn.utils.clip_grads_with_norm_(self.parameters, self.settings.clip, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        return norm

    def state(self) -> dict[str, Tensor]:
        """The optimizer's tensors, named "<parameter index>/<what>"."""
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


def _optimizer(parameters: list[nn.Parameter], s: OptimizerSettings) -> torch.optim.Optimizer:
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
        case "sgd":
            return torch.optim.SGD(
                parameters, s.learning_rate, s.momentum, weight_decay=s.weight_decay
            )
