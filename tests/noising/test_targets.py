"""What networks are asked for: closed forms, and the picture comes back from a perfect answer."""

import pytest
import torch

from maquette.noising.levels import blended, sigma_of_share, snr
from maquette.noising.targets import SIGMA_DATA, TARGETS

SHARES = torch.tensor([0.01, 0.2, 0.5, 0.8, 0.99], dtype=torch.float64)


def some(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", TARGETS)
def test_a_perfect_answer_gives_the_picture(name):
    target, x, e = TARGETS[name], some(5, 1, 4, 4), some(6, 1, 4, 4)[1:]
    each = SHARES[:, None, None, None]
    y = (1 - each) * x + each * e
    answer = target.wanted(x, e, each)
    torch.testing.assert_close(target.skip(each) * y + target.out(each) * answer, x)


def test_edm_is_table_1():
    target, sigma = TARGETS["edm"], sigma_of_share(SHARES)
    total = (sigma**2 + SIGMA_DATA**2).sqrt()
    shrink = 1 - SHARES  # y is so many times the paper's x + sigma e
    torch.testing.assert_close(target.skip(SHARES) * shrink, SIGMA_DATA**2 / total**2)
    torch.testing.assert_close(target.out(SHARES), sigma * SIGMA_DATA / total)
    torch.testing.assert_close(target.scale(SHARES) * shrink, 1 / total)


def test_edm_shows_and_asks_for_variance_1():
    """Karras et al. 2022, equations 114 and 117, for pictures of their standard deviation."""
    target = TARGETS["edm"]
    x, e = SIGMA_DATA * some(20_000, 1, 1, 1), some(20_001, 1, 1, 1)[1:]
    for share in SHARES:
        y = blended(x, e, share.expand(len(x)))
        assert float((target.scale(share) * y).std()) == pytest.approx(1, abs=0.02)
        wanted = target.wanted(x, e, share)
        assert float(wanted.std()) == pytest.approx(1, abs=0.02)


def test_edm_is_finite_where_there_is_nothing_but_noise():
    ends = torch.tensor([0.0, 1.0])
    target = TARGETS["edm"]
    for value in (target.skip(ends), target.out(ends), target.scale(ends)):
        assert value.isfinite().all()


def test_min_snr_weights_are_the_papers():
    """Hang et al. 2023, section 3.4: for x0 min(SNR, 5), epsilon over SNR, v over SNR + 1."""
    ratio = snr(SHARES)
    least = ratio.clamp(max=5)
    for name, expected in (("x0", least), ("epsilon", least / ratio), ("v", least / (ratio + 1))):
        torch.testing.assert_close(TARGETS[name].weight(SHARES, "min_snr"), expected)
        assert (TARGETS[name].weight(SHARES, "even") == 1).all()
