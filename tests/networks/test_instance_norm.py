"""Our instance normalisation is torch's, in another memory layout."""

import pytest
import torch
from torch.nn import functional as F

from maquette.networks.instance_norm import InstanceNorm


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 8, 9, 5), (3, 8, 16, 12)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_learning_computes_what_torch_does_for_each_picture_alone(kind, shape, layout):
    torch.manual_seed(0)
    pictures = torch.arange(shape[0]).view(-1, 1, 1, 1) + 1.0  # each of its own mean and spread
    x = (torch.randn(shape) * pictures + pictures).to(kind).contiguous(memory_format=layout)
    x.requires_grad_()
    weights = torch.randn(shape).to(kind)
    close = {"rtol": 0.02, "atol": 0.02} if kind is torch.bfloat16 else {}
    made, wanted = InstanceNorm(8).train()(x), F.instance_norm(x)
    torch.testing.assert_close(made, wanted, **close)
    ours, theirs = (torch.autograd.grad((y * weights).sum(), x)[0] for y in (made, wanted))
    torch.testing.assert_close(ours, theirs, **close)
    torch.testing.assert_close(InstanceNorm(8).eval()(x), wanted)
    assert made.is_contiguous(memory_format=layout)
