"""The distance on a line is scipy's; the whole distance grows with every kind of damage."""

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
    assert wasserstein_1(a, b).item() == pytest.approx(sum(expected) / 3, rel=1e-4, abs=1e-6)


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
    assert sliced_wasserstein(REAL, DAMAGES[damage](OTHERS).byte()) > 1.5 * chance


def test_equal_sets_are_at_distance_zero_and_seeds_repeat() -> None:
    assert sliced_wasserstein(REAL, REAL) == 0
    first = sliced_wasserstein(REAL, OTHERS, seed=3)
    assert first == sliced_wasserstein(REAL, OTHERS, seed=3)
    assert first != sliced_wasserstein(REAL, OTHERS, seed=4)
    assert first == pytest.approx(sliced_wasserstein(REAL, OTHERS, seed=4), rel=0.2)


@pytest.mark.parametrize("size", [(28, 28), (33, 65), (40, 6), (64, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_shape_and_unequal_numbers(size: tuple[int, int], channels: int) -> None:
    real = scenes(48, seed=0, size=size, channels=channels)
    alike = scenes(30, seed=1, size=size, channels=channels)
    noise = torch.randint_like(alike, 256)
    assert 0 < sliced_wasserstein(real, alike) < sliced_wasserstein(real, noise) / 2


def test_reals_without_contrast_give_a_finite_distance() -> None:
    flat = torch.full((8, 1, 32, 32), 128, dtype=torch.uint8)
    assert sliced_wasserstein(flat, flat) == 0
    assert 0 < sliced_wasserstein(flat, scenes(8, seed=0, channels=1)) < 1000
