"""Muon: orthogonal steps for the weights of layers, AdamW's for all else, and no step lost."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from maquette.training.muon import orthogonal
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


def plain_iteration(matrix: torch.Tensor) -> torch.Tensor:
    """X <- 3.4445 X - 4.775 X X^T X + 2.0315 (X X^T)^2 X, five times, in float64."""
    x = matrix.double() / matrix.double().norm()
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x - 4.775 * square @ x + 2.0315 * square @ square @ x
    return x


@given(st.integers(1, 40), st.integers(1, 40), st.floats(-6, 0), st.integers(0, 9))
def test_made_orthogonal_as_the_plain_iteration_does(rows, columns, least, seed):
    generator = torch.Generator().manual_seed(seed)
    u, _, v = torch.linalg.svd(torch.randn(rows, columns, generator=generator), False)
    matrix = u @ torch.diag(torch.logspace(0, least, min(rows, columns))) @ v
    assert (orthogonal(matrix).double() - plain_iteration(matrix)).abs().max() < 1e-3


def test_nothing_stays_nothing():
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_a_step_is_torchs_own():
    """torch.optim.Muon, which computes it in bfloat16."""
    ours, theirs = (network(nn.Linear(12, 5, bias=False)) for _ in range(2))
    muon = torch.optim.Muon(
        theirs.parameters(), RATE, 0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    settings = SETTINGS.model_copy(update={"weight_decay": 0.1})
    optimizer = optimizer_of(ours, list(ours.parameters()), settings)
    for _ in range(3):
        for module, step in ((ours, lambda: optimizer.step(RATE)), (theirs, muon.step)):
            blame(module)
            step()
    torch.testing.assert_close(ours[0].weight, theirs[0].weight, atol=0.02 * 3 * RATE, rtol=0)


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


def test_what_is_no_matrix_is_left_to_adamw():
    """Channels apart from each other, and weights that are made of others."""
    ours = network(nn.Conv2d(4, 4, 3, groups=4, bias=False), spectral_norm(nn.Linear(4, 3)))
    names = steps(ours, 1).state()
    assert names and all(name.startswith("rest/") for name in names)


def test_layout_changes_nothing():
    last, first = network(nn.Conv2d(4, 6, 3)), network(nn.Conv2d(4, 6, 3))
    first = first.to(memory_format=torch.contiguous_format)
    state = steps(last, 3).state()
    optimizer = optimizer_of(first, list(first.parameters()), SETTINGS)
    first.load_state_dict(last.state_dict())
    optimizer.restore(state)
    steps(first, 3, optimizer)
    whole = network(nn.Conv2d(4, 6, 3))
    steps(whole, 6)
    torch.testing.assert_close(whole[0].weight, first[0].weight, atol=1e-5, rtol=0)


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


def test_muon_without_momentum_is_refused():
    with pytest.raises(ValidationError, match=r"set momentum to 0\.95"):
        OptimizerSettings(kind="muon")
