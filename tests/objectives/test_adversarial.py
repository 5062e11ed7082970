"""The four games against what the papers write, in numpy."""

import numpy as np
import pytest
import torch

from maquette.objectives.adversarial import LOSSES

REAL, FAKE = np.array([2.0, -0.3, 0.4, 1.6]), np.array([-1.2, 0.8, 0.1, -3.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


PUBLISHED = {  # (discriminator, generator), each of (real, fake)
    "bce": (
        lambda r, f: -np.log(sigmoid(r)).mean() - np.log(1 - sigmoid(f)).mean(),
        lambda _, f: -np.log(sigmoid(f)).mean(),
    ),
    "hinge": (
        lambda r, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(),
        lambda _, f: -f.mean(),
    ),
    "least_squares": (
        lambda r, f: 0.5 * ((r - 1) ** 2).mean() + 0.5 * (f**2).mean(),
        lambda _, f: ((f - 1) ** 2).mean(),
    ),
    "relativistic": (
        lambda r, f: -np.log(sigmoid(r - f)).mean(),
        lambda r, f: -np.log(sigmoid(f - r)).mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_both_sides_are_as_published(name):
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    discriminator, generator = PUBLISHED[name]
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(discriminator(REAL, FAKE))
    assert LOSSES[name].generator(real, fake).item() == pytest.approx(generator(REAL, FAKE))


@pytest.mark.parametrize("name", LOSSES)
def test_each_side_pulls_the_fake_scores_its_own_way(name):
    fake = torch.tensor([0.2, 0.8, 0.5, 0.9], requires_grad=True)  # undecided in every game
    for side, sign in (("discriminator", 1), ("generator", -1)):
        loss = getattr(LOSSES[name], side)(torch.tensor(REAL), fake)
        (slope,) = torch.autograd.grad(loss, fake)
        assert (sign * slope).sum() > 0


@pytest.mark.parametrize(
    ("name", "real_share", "fake_share"),
    [("bce", 0.75, 0.5), ("hinge", 0.75, 0.5), ("least_squares", 0.5, 0.75)],
)
def test_shares_of_pictures_told_apart(name, real_share, fake_share):
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert LOSSES[name].real_correct(real, fake).item() == real_share
    assert LOSSES[name].fake_correct(real, fake).item() == fake_share


def test_a_relativistic_game_counts_pairs_in_order():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert LOSSES["relativistic"].real_correct(real, fake).item() == 0.75
    assert LOSSES["relativistic"].fake_correct(real + 9, fake + 9).item() == 0.75
