"""1 for reality, towards 0 as a model collapses."""

import pytest
import torch

from maquette.evaluation.diversity import diversity
from scenes import scenes


def test_real_against_real_is_one() -> None:
    real = scenes(200, seed=0)
    assert diversity(real, real).value == 1
    assert diversity(real, scenes(200, seed=1)).value == pytest.approx(1, abs=0.1)


def test_it_falls_as_pictures_grow_alike() -> None:
    real = scenes(64, seed=0)
    copies = [real[:n].repeat_interleave(64 // n, dim=0) for n in (64, 8, 2, 1)]
    fewer = [diversity(real, alike).value for alike in copies]
    assert fewer == sorted(fewer, reverse=True)
    assert fewer[-1] == 0
    halfway = (real.float() + real.float().mean(0)) / 2
    assert diversity(real, halfway.byte()).value == pytest.approx(0.5, abs=0.02)


def test_the_whole_of_a_sorted_set_is_looked_at() -> None:
    """Datasets come sorted by class: the first 64 of 640 may be one class."""
    black, white = torch.zeros(320, 1, 16, 16), torch.full((320, 1, 16, 16), 255)
    sorted_ = torch.cat([black, white]).byte()
    mixed = torch.stack([black, white], dim=1).flatten(0, 1).byte()
    assert diversity(sorted_, mixed).value == pytest.approx(1, abs=0.05)


def test_nothing_can_be_lost_where_reals_are_all_alike() -> None:
    alike = torch.full((4, 3, 20, 30), 7, dtype=torch.uint8)
    assert diversity(alike, alike).value == 1


@pytest.mark.parametrize("modes", [None, 8])
def test_the_interval_holds_what_other_draws_give(modes: int | None) -> None:
    """Of 64 pictures, all different or of a few kinds, 200 times."""
    real, random = scenes(64, seed=0, size=(16, 16)), torch.Generator().manual_seed(0)
    pool = scenes(modes or 4000, seed=1, size=(16, 16))
    draws = torch.randint(len(pool), (200, 64), generator=random)
    found = [diversity(real, pool[rows]) for rows in draws]
    average = sum(one.value for one in found) / len(found)
    held = sum(one.low <= average <= one.high for one in found) / len(found)
    assert 0.9 <= held <= 0.99
