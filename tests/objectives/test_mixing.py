"""Mixup: shares from the right distribution, pictures and labels alike."""

import pytest
import torch
from scipy import stats
from torch.nn import functional as F

from maquette.core.randomness import picture_seeds, uniform
from maquette.objectives.mixing import mixed, smoothed, symmetric_beta


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.4, 1.0, 3.0])
def test_shares_follow_a_beta_distribution(alpha):
    shares = symmetric_beta(uniform(picture_seeds(20_000, 1), 2), alpha)
    assert shares.isfinite().all() and shares.min() >= 0 and shares.max() <= 1
    borders = torch.tensor([0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999])
    found = (shares[:, None] <= borders).double().mean(0)
    torch.testing.assert_close(
        found, torch.from_numpy(stats.beta(alpha, alpha).cdf(borders)), rtol=0, atol=0.015
    )


def test_both_labels_in_the_proportion_of_the_pictures():
    labels = torch.tensor([0, 1, 2, 1])
    images = torch.eye(3)[labels].view(4, 3, 1, 1).expand(4, 3, 5, 6)  # a colour for each class
    result, targets = mixed(images, labels, 3, picture_seeds(4, 1), 1.0)
    torch.testing.assert_close(result.mean((2, 3)), targets)
    torch.testing.assert_close(targets.sum(1), torch.ones(4))
    assert torch.equal(targets.argmax(1), labels)
    assert len(targets.amax(1).unique()) == 4


def test_alpha_0_mixes_nothing():
    images, labels = torch.rand(4, 1, 5, 6), torch.tensor([0, 1, 2, 1])
    result, targets = mixed(images, labels, 3, picture_seeds(4, 1), 0.0)
    assert torch.equal(result, images)
    assert torch.equal(targets, torch.eye(3)[labels])


def test_smoothing_is_that_of_torch():
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    targets = smoothed(torch.eye(3)[labels], 0.3)
    expected = F.cross_entropy(logits, labels, label_smoothing=0.3)
    torch.testing.assert_close(F.cross_entropy(logits, targets), expected)


def test_a_picture_without_a_label_counts_for_nothing():
    labels = torch.tensor([0, -1, -1, 1])
    _, targets = mixed(torch.rand(4, 1, 5, 6), labels, 3, picture_seeds(4, 1), 0.0)
    assert torch.equal(smoothed(targets, 0.1).sum(1), torch.tensor([1.0, 0, 0, 1]))
    _, targets = mixed(torch.rand(4, 1, 5, 6), labels, 3, picture_seeds(4, 1), 1.0)
    assert targets[2].sum() == 0 and 0 < targets[1, 0] <= 0.5 and targets[1, 1:].sum() == 0
