"""Muon: orthogonal steps for the weights of layers, AdamW's for all else, and no step lost."""

import pytest
import torch
from torch import nn

from maquette.training.optimizers import optimizer_of
from maquette.training.settings import OptimizerSettings

RATE = 0.01
SETTINGS = OptimizerSettings(kind="muon", learning_rate=RATE, momentum=0.95, betas=(0.9, 0.99))


def network(*layers: nn.Module) -> nn.Module:
    """Always with the same weights."""
    torch.manual_seed(0)
    for parameter in nn.Sequential(*layers).parameters():
        nn.init.normal_(parameter)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def blame(module: nn.Module) -> None:
    """Gradients that are the same in every layout."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        parameter.grad = torch.randn(parameter.shape)


def steps(module: nn.Module, count: int, optimizer=None):
    optimizer = optimizer or optimizer_of(module, list(module.parameters()), SETTINGS)
    for _ in range(count):
        blame(module)
        optimizer.step(RATE)
    return optimizer


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(12, 5), nn.Conv2d(4, 6, 3), nn.Conv2d(6, 4, 1), nn.ConvTranspose2d(4, 6, 2)],
    ids=lambda layer: type(layer).__name__,
)
def test_a_step_is_orthogonal_and_as_long_as_adams(layer):
    module = network(layer)
    before = layer.weight.detach().clone()
    steps(module, 1)
    moved = (before - layer.weight.detach()).flatten(1)
    root_mean_square = float(moved.square().mean().sqrt()) / RATE
    assert 0.15 < root_mean_square < 0.25  # 0.2 was measured of Adam by Liu et al.
    strengths = torch.linalg.svdvals(moved)
    assert strengths.max() < 2.2 * strengths.min()  # five iterations bring 0 to 0.5 .. 1.5


def test_all_else_takes_the_steps_of_adamw():
    """Norms and biases. Weights as well where no layer of a known kind owns them."""
    ours, theirs = (network(nn.Embedding(7, 4), nn.GroupNorm(2, 4)) for _ in range(2))
    adam = torch.optim.AdamW(theirs.parameters(), RATE, (0.9, 0.99), weight_decay=0.0)
    steps(ours, 3)
    for _ in range(3):
        blame(theirs)
        adam.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_layout_changes_nothing():
    """The first step of a weight is a matter of its numbers, not of how they lie in memory."""
    last, first = network(nn.Conv2d(4, 6, 3)), network(nn.Conv2d(4, 6, 3))
    first = first.to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(last[0].weight, first[0].weight)
    for module in (last, first):
        steps(module, 3)
    torch.testing.assert_close(last[0].weight, first[0].weight, atol=1e-3, rtol=0)  # bf16 inside


def test_a_restored_optimizer_goes_on_as_if_nothing_had_happened():
    whole, cut, again = (
        network(nn.Conv2d(4, 6, 3), nn.GroupNorm(2, 6), nn.Linear(3, 3, bias=False))
        for _ in range(3)
    )
    steps(whole, 6)
    state = steps(cut, 3).state()
    again.load_state_dict(cut.state_dict())
    optimizer = optimizer_of(again, list(again.parameters()), SETTINGS)
    optimizer.restore({name: tensor.contiguous() for name, tensor in state.items()})
    steps(again, 3, optimizer)
    for mine, other in zip(again.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_weights_that_moved_in_memory_are_the_ones_that_learn():
    still, moved = (network(nn.Conv2d(4, 6, 3)) for _ in range(2))
    optimizer = steps(moved, 1)
    moved[0].weight.data = moved[0].weight.data.clone()
    steps(moved, 1, optimizer)
    steps(still, 2)
    assert torch.equal(still[0].weight, moved[0].weight)
