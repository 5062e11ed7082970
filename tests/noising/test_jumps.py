"""Jumps: two make one, and which are learnt."""

from itertools import pairwise

import pytest
import torch

from maquette.core.randomness import picture_seeds
from maquette.noising.jumps import (
    KINDS,
    STEPS,
    drawn_jumps,
    joined,
    jump_levels,
    jump_path,
    jumped,
    kind_of,
)
from maquette.noising.settings import NoiseSettings, noise_schedule

SCHEDULES = ["linear", "cosine", "edm", "flow"]


def schedule_of(name):
    return noise_schedule(NoiseSettings(schedule=name, target="v"))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_jump_that_is_joined_leads_where_its_halves_lead(name):
    jumps = drawn_jumps(schedule_of(name), picture_seeds(500, "some"), 1.0)
    y, first, second = torch.randn(3, 500, 1, 2, 2)
    half_way = jumped(first, y, jumps.starts, jumps.middles)
    wanted = jumped(second, half_way, jumps.middles, jumps.ends)
    found = jumped(joined(first, second, jumps), y, jumps.starts, jumps.ends)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", SCHEDULES)
def test_jumps_are_those_that_sampling_takes(name):
    """And their middles are on its way, where jumps of half the length begin."""
    schedule = schedule_of(name)
    jumps = drawn_jumps(schedule, picture_seeds(2000, "some"), 1.0)
    for steps in STEPS:
        path, here = jump_path(schedule, steps), jumps.kinds == kind_of(steps)
        assert len(path) == steps + 1 and path[-1] == 0
        assert here.float().mean() == pytest.approx(1 / KINDS, abs=0.05)
        taken = set(pairwise(path))
        found = zip(jumps.starts[here].tolist(), jumps.ends[here].tolist(), strict=True)
        assert {tuple(round(v, 4) for v in pair) for pair in found} == {
            tuple(round(v, 4) for v in pair) for pair in taken
        }
    levels = jump_levels(schedule).float()
    long = jumps.kinds > 1
    assert all(float((levels - middle).abs().min()) < 1e-6 for middle in jumps.middles[long])


def test_a_part_of_the_pictures_learns_them_whatever_lies_beside():
    seeds, schedule = picture_seeds(1000, "some"), schedule_of("edm")
    jumps = drawn_jumps(schedule, seeds, 0.25)
    assert jumps.chosen.float().mean() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(jumps.kinds > 0, jumps.chosen)
    part = drawn_jumps(schedule, seeds[300:400], 0.25)
    assert torch.equal(part.starts, jumps.starts[300:400])
