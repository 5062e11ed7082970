"""A player: one network of the family, its parameters and its optimizer."""

import torch
from torch import Tensor, nn

from maquette.core.devices import Engine
from maquette.core.family import Progress, Update
from maquette.core.images import Scalar
from maquette.training.optimizers import optimizer_of
from maquette.training.settings import OptimizerSettings


class Player:
    """Collects the gradients of its own parameters, and takes steps."""

    def __init__(self, network: nn.Module, settings: OptimizerSettings, engine: Engine):
        self.settings, self.engine = settings, engine
        self._named = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self.parameters = list(self._named.values())
        self.optimizer = optimizer_of(network, self.parameters, settings)

    def blame(self, update: Update, parts: int = 1) -> None:
        """Add up the gradient of this update, one of so many micro-batches, in this player's
        parameters and in no other's."""
        if update.gradients is None:
            torch.autograd.backward(update.loss / parts, inputs=self.parameters)
            return
        assert update.gradients.keys() == self._named.keys(), "a gradient for every parameter"
        for name, gradient in update.gradients.items():
            parameter = self._named[name]
            share = gradient.to(parameter.dtype) / parts
            parameter.grad = share if parameter.grad is None else parameter.grad + share

    def rate(self, progress: Progress) -> float:
        return self.settings.schedule.rate(self.settings.learning_rate, progress)

    def improve(self, rate: float) -> Scalar:
        """Take one optimizer step at this rate; return the gradient norm before clipping."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        self.engine.average_over_processes(gradients)
        norm = nn.utils.get_total_norm(gradients)
        if self.settings.clip is not None:
            nn.utils.clip_grads_with_norm_(self.parameters, self.settings.clip, norm)
        self.optimizer.step(rate)
        for parameter in self.parameters:
            parameter.grad = None
        return norm

    def state(self) -> dict[str, Tensor]:
        """The optimizer's tensors by name."""
        return self.optimizer.state()

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.optimizer.restore(tensors)
