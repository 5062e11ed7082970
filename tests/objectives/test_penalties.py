"""The gradient penalty against finite differences, and its own gradient."""

import pytest
import torch
from torch import nn

from maquette.objectives.penalties import squared_gradient


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def penalty(network, images):
    images = images.clone().requires_grad_()
    return squared_gradient(network(images)[:, 0], images)


def test_it_is_the_mean_squared_slope(network):
    images = torch.rand(5, 3, 2, 2, dtype=torch.float64)
    steps = torch.eye(12, dtype=torch.float64).reshape(12, 1, 3, 2, 2) * 1e-6
    slopes = (
        network((images + steps).flatten(0, 1)) - network((images - steps).flatten(0, 1))
    ) / 2e-6
    expected = slopes.reshape(12, 5).square().sum(0).mean()
    torch.testing.assert_close(
        penalty(network, images), expected, rtol=1e-4, atol=0, check_dtype=False
    )


def test_it_can_be_learnt_from(network):
    images = torch.rand(5, 3, 2, 2, dtype=torch.float64)
    weight = network[1].weight
    (slope,) = torch.autograd.grad(penalty(network, images), weight)
    weight.data[0, 0] += 1e-5
    above = penalty(network, images)
    weight.data[0, 0] -= 2e-5
    below = penalty(network, images)
    assert slope[0, 0].item() == pytest.approx((above - below).item() / 2e-5, rel=1e-2)
