"""Our group normalisation is torch's, in both memory layouts."""

import pytest
import torch

from maquette.networks.group_norm import GroupNorm


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(("kind", "close"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_values_and_gradients_are_those_of_torch(layout, kind, close):
    torch.manual_seed(0)
    ours, theirs = GroupNorm(3, 12), torch.nn.GroupNorm(3, 12).double()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.nn.init.normal_(mine)
        other.data.copy_(mine)
    x = (3 * torch.randn(4, 12, 6, 10) + 1).to(kind).to(memory_format=layout).requires_grad_()
    exact = x.detach().double().requires_grad_()
    slope = torch.randn(4, 12, 6, 10).to(kind)
    found, wanted = ours(x), theirs(exact)
    assert found.dtype == kind and found.is_contiguous(memory_format=layout)
    torch.testing.assert_close(found.double(), wanted, atol=close, rtol=close)
    inputs = (x, *ours.parameters()), (exact, *theirs.parameters())
    slopes = torch.autograd.grad(found, inputs[0], slope)
    expected = torch.autograd.grad(wanted, inputs[1], slope.double())
    for mine, other in zip(slopes, expected, strict=True):
        torch.testing.assert_close(mine.double(), other, atol=close, rtol=close)


def test_a_mean_far_from_0_costs_no_digits():
    torch.manual_seed(0)
    x = (torch.randn(2, 8, 16, 16) + 1000).to(memory_format=torch.channels_last)
    ours, theirs = GroupNorm(2, 8), torch.nn.GroupNorm(2, 8).double()
    torch.testing.assert_close(ours(x).double(), theirs(x.double()), atol=1e-3, rtol=1e-3)
