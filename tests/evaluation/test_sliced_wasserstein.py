"""The distance on a line is scipy's; the whole distance grows with every kind of damage, and its
interval holds what other draws give.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from maquette.evaluation.sliced_wasserstein import sliced_wasserstein, wasserstein_1
from scenes import scenes


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), m=st.integers(1, 40), seed=st.integers(0, 2**31))
def test_on_a_line_it_agrees_with_scipy(n: int, m: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, 3, generator=random), torch.randn(m, 3, generator=random) * 2 + 1
    expected = [wasserstein_distance(a[:, i].numpy(), b[:, i].numpy()) for i in range(3)]
    assert wasserstein_1(a, b).distance.item() == pytest.approx(
        sum(expected) / 3, rel=1e-4, abs=1e-6
    )


@pytest.mark.parametrize("m", [9, 33])
def test_influences_are_what_more_weight_changes(m: int) -> None:
    """Of each point in turn, against scipy's distance of weighted samples.

    20 and m share no factor: where both have equal parts below a point there are two slopes.
    """
    random = torch.Generator().manual_seed(0)
    a = torch.randn(20, 1, generator=random, dtype=torch.float64)
    b = torch.randn(m, 1, generator=random, dtype=torch.float64) + 0.3
    weights, more = np.full(m, 1 / m), 1e-5
    found = []
    for i in range(m):
        heavier = weights * (1 - more) + more * (np.arange(m) == i)
        after = wasserstein_distance(a[:, 0], b[:, 0], v_weights=heavier)
        found.append((after - wasserstein_distance(a[:, 0], b[:, 0])) / more)
    assert wasserstein_1(a, b).influences.numpy() == pytest.approx(np.array(found), abs=1e-6)


REAL, OTHERS = scenes(128, seed=0), scenes(128, seed=1)


def blurred(pixels: torch.Tensor) -> torch.Tensor:
    return F.interpolate(F.avg_pool2d(pixels.float(), 2), scale_factor=2, mode="bilinear").byte()


def quarters_exchanged(pixels: torch.Tensor) -> torch.Tensor:
    """The same patches elsewhere: only the global layout suffers."""
    return pixels.roll(16, dims=2)


DAMAGES = {
    "blurred": blurred,
    "layout": quarters_exchanged,
    "few pictures again and again": lambda pixels: pixels[:4].repeat(32, 1, 1, 1),
    "less contrast": lambda pixels: pixels // 2 + 32,
    "less contrast, same mean": lambda p: ((p.float() - p.float().mean()) * 0.7 + 90).byte(),
    "another colour": lambda pixels: pixels[:, [0, 0, 2]] // torch.tensor([1, 2, 1])[:, None, None],
    "noise": lambda pixels: torch.randint_like(pixels, 256),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_costs_more_than_chance(damage: str) -> None:
    chance = sliced_wasserstein(REAL, OTHERS)
    damaged = sliced_wasserstein(REAL, DAMAGES[damage](OTHERS).byte())
    assert damaged.value > 1.5 * chance.value
    assert damaged.low > chance.high


def test_equal_sets_are_at_distance_zero_and_seeds_repeat() -> None:
    assert sliced_wasserstein(REAL, REAL).value == 0
    first = sliced_wasserstein(REAL, OTHERS, seed=3)
    assert first == sliced_wasserstein(REAL, OTHERS, seed=3)
    other = sliced_wasserstein(REAL, OTHERS, seed=4)
    assert first != other
    assert first.value == pytest.approx(other.value, rel=0.2)


@pytest.mark.parametrize("kinds", [None, 6])
def test_the_interval_holds_what_other_draws_give(monkeypatch, kinds: int | None) -> None:
    """Of 48 blurred pictures, all different or of a few kinds (with few patches, for speed)."""
    monkeypatch.setattr("maquette.evaluation.sliced_wasserstein._PATCHES", 288)
    pool, random = blurred(scenes(kinds or 4000, seed=2)), torch.Generator().manual_seed(0)
    draws = torch.randint(len(pool), (60, 48), generator=random)
    found = [sliced_wasserstein(REAL[:97], pool[rows]) for rows in draws]
    values = np.array([one.value for one in found])
    held = np.mean([one.low <= values.mean() <= one.high for one in found])
    assert 0.88 <= held <= 1
    assert 0.8 < np.mean([one.error for one in found]) / values.std() < 1.6  # conservative


@pytest.mark.parametrize("size", [(28, 28), (33, 65), (40, 6), (64, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_shape_and_unequal_numbers(size: tuple[int, int], channels: int) -> None:
    real = scenes(48, seed=0, size=size, channels=channels)
    alike = scenes(30, seed=1, size=size, channels=channels)
    noise = torch.randint_like(alike, 256)
    near, far = sliced_wasserstein(real, alike), sliced_wasserstein(real, noise)
    assert 0 < near.value < far.value / 2
    assert 0 <= near.low < near.value < near.high


def test_reals_without_contrast_give_a_finite_distance() -> None:
    flat = torch.full((8, 1, 32, 32), 128, dtype=torch.uint8)
    assert sliced_wasserstein(flat, flat).value == 0
    assert 0 < sliced_wasserstein(flat, scenes(8, seed=0, channels=1)).value < 1000
