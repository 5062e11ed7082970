"""Flicker is what a translation adds to the changes of its source."""

import math

import torch

from maquette.evaluation.flicker import Flicker, flicker_of_pair

SHAPE = (1, 3, 8, 8)
HELD = torch.ones(1, 1, 8, 8)


def test_in_grey_levels_in_the_same_places():
    source = torch.zeros(SHAPE)
    made, before = torch.zeros(SHAPE), torch.full(SHAPE, 10 / 127.5)
    found = flicker_of_pair(source, source + 2 / 127.5, made, before, HELD)
    assert math.isclose(found.made_levels, 10, rel_tol=1e-4)
    assert math.isclose(found.source_levels, 2, rel_tol=1e-4)


def test_what_the_source_does_not_share_does_not_count():
    source, source_before, made = torch.zeros(SHAPE), torch.zeros(SHAPE), torch.zeros(SHAPE)
    source_before[..., :4] = 1  # something else was there
    before = torch.zeros(SHAPE)
    before[..., :4] = 1
    assert flicker_of_pair(source, source_before, made, before, HELD).made_levels == 0
    outside = HELD.clone()
    outside[..., 4:] = 0
    assert flicker_of_pair(source, source_before, made, before, outside) == Flicker()


def test_stretches_add_up():
    whole = Flicker(6.0, 2.0, 2) + Flicker(3.0, 1.0, 1)
    assert (whole.made_levels, whole.source_levels, whole.pairs) == (3.0, 1.0, 3)
    assert math.isnan(Flicker().made_levels)
