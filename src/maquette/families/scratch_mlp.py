"""A neural network written out by hand: what it computes, how it learns, and nothing hidden.

No automatic differentiation and no ready-made layer: only sums, products and comparisons of arrays.
It is the whole of a dense network (a multi-layer perceptron), after Goodfellow, Bengio and
Courville, "Deep Learning" (2016), algorithms 6.3 and 6.4. In every array of B rows each row belongs
to one picture; there are D pixel values and K classes.

    a_0 = x              (B, D)    the pictures, as rows of numbers
    z_l = a_(l-1) W_l + b_l        layer l = 1 ... L adds up what it is shown, weighted,
    a_l = max(0, z_l)              and lets only what is positive pass (ReLU)
    p   = softmax(z_L)   (B, K)    the last layer's sums, made into probabilities

`DenseNetwork` computes this (forward), how each weight is to blame for the loss (backward), and
moves the weights accordingly (step). `ScratchMlp._update` is one round of learning; the training
loop repeats it, and calls `step` once it has added up what `backward` found.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from maquette.core.family import Classifies, OwnStep, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec, Labels, Scalar, Seeds
from maquette.core.mistakes import mistakes_first
from maquette.core.randomness import uniform
from maquette.core.settings import Settings

Rows = Float[Tensor, "batch features"]
LENGTH = 10.0  # of each picture as a row of numbers


class ScratchMlpSettings(Settings):
    """A dense network and its optimizer, all written out."""

    width: int = Field(default=512, ge=1, le=8192)
    """Units in each hidden layer."""

    hidden_layers: int = Field(default=2, ge=0, le=16)
    """Layers between the picture and the answer; none makes it a logistic regression."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the hidden units switched off for each picture while learning."""

    shift_px: int = Field(default=2, ge=0, le=64)
    """Pictures are moved by up to so many pixels each way while learning."""

    optimizer: Literal["momentum", "adam"] = "momentum"
    """Which way down: the average of the gradients, or that divided by their usual size."""

    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Share of the earlier average that is kept in each step (Adam's first beta)."""

    weight_decay: float = Field(default=3e-5, ge=0)
    """Strength of the pull of all weights towards zero: half of it times their squares is added to
    the loss."""


class DenseNetwork(OwnStep):
    """The weights W_l and biases b_l, what they compute, its derivatives, and how they improve."""

    def __init__(self, sizes: Sequence[int], settings: ScratchMlpSettings):
        """`sizes`: pixel values, units of each hidden layer, classes."""
        super().__init__()
        self.settings = settings
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(sizes):
            # Of n inputs half are 0 after a ReLU: with variance 2 / n signals neither die out nor
            # explode on their way through many layers (He et al. 2015, equation 10).
            self.weights.append(torch.randn(inputs, outputs) * math.sqrt(2 / inputs))
            self.biases.append(torch.zeros(outputs))

    def forward(self, x: Rows, masks: Sequence[Float[Tensor, "batch units"]] = ()) -> list[Tensor]:
        """What every layer gives: [a_0, a_1 ... a_(L-1), z_L].

        `masks`, one for each hidden layer, switch units off (0) or strengthen them (dropout).
        """
        *hidden, (last_W, last_b) = zip(self.weights, self.biases, strict=True)
        layers = [x]
        for i, (W, b) in enumerate(hidden):
            a = (layers[-1] @ W + b).clamp(min=0)
            layers.append(a * masks[i] if masks else a)
        return [*layers, layers[-1] @ last_W + last_b]

    def backward(self, layers: Sequence[Tensor], error: Rows) -> dict[str, Tensor]:
        """The gradient of the loss for every parameter, by the chain rule, from the end back to the
        beginning (Rumelhart, Hinton and Williams 1986).

        `layers` is what `forward` returned, and `error` is dLoss/dz_L. With e_l = dLoss/dz_l,

            dLoss/dW_l = a_(l-1)^T e_l             every input times every error it led to
            dLoss/db_l = the sum of e_l's rows
            e_(l-1)    = (e_l W_l^T) f'(z_(l-1))   the error, handed back to those who caused it

        where f', the slope of ReLU, is 1 where something passed and 0 elsewhere. Dropout multiplies
        it by its mask: what was switched off passed nothing on, the others were strengthened.
        """
        gradients = {}
        strength = 1 / (1 - self.settings.dropout)  # of what dropout leaves
        for i in reversed(range(len(self.weights))):  # weights[i] is W_l of l = i + 1
            a = layers[i]
            gradients[f"weights.{i}"] = a.T @ error
            gradients[f"biases.{i}"] = error.sum(0)
            if i > 0:
                error = (error @ self.weights[i].T) * (a > 0) * strength
        return gradients

    def step(self, rate: float, memory: dict[str, Tensor]) -> None:
        """w <- w - rate * direction, downhill, for every parameter.

        Weight decay adds lambda / 2 times all squared weights to the loss, and so lambda w to the
        gradient; biases do not decay.
        """
        for name, w in self.named_parameters():
            assert w.grad is not None
            decay = self.settings.weight_decay if name.startswith("weights") else 0.0
            g = w.grad + decay * w if decay else w.grad
            direction = self._momentum if self.settings.optimizer == "momentum" else self._adam
            w.sub_(direction(name, g, memory), alpha=rate)

    def _momentum(self, name: str, g: Tensor, memory: dict[str, Tensor]) -> Tensor:
        """v <- mu v + g, as a heavy ball rolls on (Polyak 1964)."""
        v = _recalled(memory, f"{name}/velocity", g)
        v.mul_(self.settings.momentum).add_(g)
        return v

    def _adam(self, name: str, g: Tensor, memory: dict[str, Tensor]) -> Tensor:
        """m / sqrt(s), running means of g and g^2 (Kingma and Ba 2015, algorithm 1).

        Both begin at 0 and are too small at first; the division by 1 - beta^t makes up for it.
        """
        beta1, beta2, epsilon = self.settings.momentum, 0.999, 1e-8
        t = _recalled(memory, f"{name}/steps", g.new_zeros(())).add_(1)
        m = _recalled(memory, f"{name}/mean", g)
        s = _recalled(memory, f"{name}/square", g)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        s.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        return (m / (1 - beta1**t)) / ((s / (1 - beta2**t)).sqrt() + epsilon)


class ScratchMlp(Classifies):
    """One player, `network`."""

    Settings = ScratchMlpSettings
    settings: ScratchMlpSettings

    def __init__(self, settings: ScratchMlpSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        hidden = [settings.width] * settings.hidden_layers
        sizes = [math.prod(spec.shape), *hidden, len(spec.classes)]
        self.network = DenseNetwork(sizes, settings)

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:  # noqa: ARG002
        yield self._update(batch)

    @torch.no_grad()
    def _update(self, batch: Batch) -> Update:
        """Forward, loss, backward: everything that one batch teaches."""
        assert batch.labels is not None
        images = shifted(batch.images, batch.seeds, self.settings.shift_px)
        layers = self.network(rows_of(images), self._masks(batch.seeds))
        z = layers[-1]
        loss, error = softmax_cross_entropy(z, batch.labels)
        gradients = self.network.backward(layers, error)
        notes = {"training_accuracy": (z.argmax(1) == batch.labels).float().mean()}
        return Update("network", loss, notes, gradients)

    def logits(self, images: Images) -> Float[Tensor, "batch classes"]:
        z: Tensor = self.network(rows_of(images))[-1]
        return z

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        """The batch from the surest mistake to the surest right answer; mistakes are framed."""
        assert batch.labels is not None
        return mistakes_first(batch.images, self.classify(batch.images), batch.labels)

    def _masks(self, seeds: Seeds) -> list[Tensor]:
        """Dropout (Srivastava et al. 2014): each unit is off with probability p, and 1 / (1 - p)
        times as strong otherwise, so that what the next layer expects stays the same."""
        p, width = self.settings.dropout, self.settings.width
        if p == 0:
            return []
        drawn = (
            uniform(seeds, width, stream=f"dropout {i}") for i in range(self.settings.hidden_layers)
        )
        return [(u >= p) / (1 - p) for u in drawn]


def rows_of(images: Images) -> Rows:
    """Pictures as rows of numbers of mean 0 and of the same length, however large, bright or pale
    they are (global contrast normalisation: Deep Learning, section 12.2.1.1).

    How far a step moves z_1 grows with the squared length of x, so a rate that suits small pictures
    suits large ones too.
    """
    x = images.flatten(1)
    x = x - x.mean(1, keepdim=True)
    length = x.square().sum(1, keepdim=True).sqrt()
    return LENGTH * x / length.clamp(min=1e-3)


def softmax_cross_entropy(z: Rows, labels: Labels) -> tuple[Scalar, Rows]:
    """The loss, mean of -log p[label], and its derivative by z.

        p_k = exp(z_k) / sum of all exp(z_j)        dLoss/dz = (p - y) / B

    with y = 1 at the label and 0 elsewhere: too much belief in wrong classes, too little in the
    right one. A picture without a label (-1) counts for nothing. (Deep Learning, section 6.2.2.3.)
    """
    z = z - z.amax(1, keepdim=True)  # changes no p, and exp cannot overflow
    log_p = z - z.exp().sum(1, keepdim=True).log()
    y = (labels[:, None] == torch.arange(z.shape[1], device=z.device)).to(z.dtype)
    known = y.sum(1, keepdim=True)  # 1, or 0 without a label
    return -(y * log_p).sum() / len(z), (known * log_p.exp() - y) / len(z)


def shifted(images: Images, seeds: Seeds, reach_px: int) -> Images:
    """Each picture moved by a whole number of pixels drawn from its seed, at most `reach_px` each
    way; pixels at the edge fill what is uncovered. (Simard et al. 2003: a moved 7 is a new 7.)"""
    if reach_px == 0:
        return images
    batch, channels, height, width = images.shape
    drawn = uniform(seeds, 2, stream="shift") * (2 * reach_px + 1)
    down, right = (drawn.floor().long() - reach_px)[:, :, None].unbind(1)  # (B, 1) each
    device = images.device
    rows = (torch.arange(height, device=device) - down).clamp(0, height - 1)  # (B, H)
    columns = (torch.arange(width, device=device) - right).clamp(0, width - 1)
    places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)  # (B, H W)
    places = places[:, None].expand(-1, channels, -1)
    return images.flatten(2).gather(2, places).view(batch, channels, height, width)


def _recalled(memory: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    """What is remembered under this name; at first zeros."""
    if name not in memory:
        memory[name] = torch.zeros_like(like)
    return memory[name]


family = ScratchMlp
