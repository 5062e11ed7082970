"""Going between latents, and keeping them close: against scipy's own normal distributions."""

import pytest
import torch
from scipy import stats

from maquette.core.latents import between, truncated

ALONG = torch.linspace(0, 1, 9)[:, None]


def test_an_arc_begins_and_ends_where_it_should_and_keeps_its_length():
    start, end = torch.randn(2, 100, generator=torch.Generator().manual_seed(0)).unbind()
    way = between(start, end, ALONG)
    torch.testing.assert_close(way[0], start)
    torch.testing.assert_close(way[-1], end)
    lengths = way.norm(dim=1)
    assert lengths.min() > 0.95 * min(start.norm(), end.norm())
    steps = way.diff(dim=0).norm(dim=1)
    assert steps.max() < 1.2 * steps.min()


@pytest.mark.parametrize("sign", [1, -1])
def test_there_is_a_way_even_where_there_is_no_arc(sign):
    start = torch.randn(10)
    way = between(start, sign * start, ALONG)
    assert way.isfinite().all()
    torch.testing.assert_close(way[-1], sign * start)


@pytest.mark.parametrize("most", [0.3, 1.0, 2.5])
def test_truncated_numbers_follow_the_truncated_distribution(most):
    latents = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
    kept = truncated(latents, most)
    assert kept.abs().max() <= most
    assert stats.kstest(kept[:, 0].numpy(), stats.truncnorm(-most, most).cdf).pvalue > 1e-3
    assert (kept[latents[:, 0].argsort(), 0].diff() >= 0).all()


def test_far_away_nothing_is_truncated():
    latents = torch.randn(50, 4)
    torch.testing.assert_close(truncated(latents, 9.0), latents, rtol=1e-4, atol=1e-4)
    assert truncated(torch.tensor([[40.0, -40.0]]), 1.0).tolist() == [[1.0, -1.0]]
