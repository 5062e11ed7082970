"""What alarms the guard, and what must not."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maquette.training.guard import Guard
from maquette.training.settings import GuardSettings


def first_alarm(values, start=1, guard=None):
    guard = guard or Guard(GuardSettings())
    for step, value in enumerate(values, start):
        if (alarm := guard.observe(step, {"player": value})) is not None:
            return alarm
    return None


def healthy(steps=600, seed=0):
    """Noisy, drifting, with rare single outliers: what adversarial losses look like."""
    random = np.random.default_rng(seed)
    values = np.exp(random.normal(0, 0.3, steps)) * np.linspace(1, 1.6, steps)
    values[random.random(steps) < 0.01] *= 20
    return values.tolist()


@pytest.mark.parametrize("seed", range(30))
def test_thirty_healthy_runs_raise_no_alarm(seed):
    assert first_alarm(healthy(seed=seed)) is None


@pytest.mark.parametrize("factor", [10, 1000])
def test_an_explosion_is_told_after_ten_steps(factor):
    alarm = first_alarm(healthy(300) + [factor * 1.5] * 50)
    assert alarm.step == 301
    assert "median" in alarm.cause


def test_a_slow_explosion_is_told_too():
    growing = [1.03**step for step in range(300)]
    alarm = first_alarm(healthy(300) + growing)
    assert 300 < alarm.step <= 300 + 150


def test_one_bad_picture_is_no_reason_to_go_back():
    assert first_alarm(healthy(300) + [1e6] * 9 + healthy(100, seed=1)) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["player", "player/gradient_norm"])
def test_a_number_that_is_not_finite_is_told_at_once(value, name):
    alarm = Guard(GuardSettings()).observe(7, {name: value})
    assert alarm.step == 7
    assert name in alarm.cause


def test_gradient_norms_may_vary_freely():
    guard = Guard(GuardSettings())
    sizes = [1.0] * 200 + [100.0] * 50
    assert not any(guard.observe(i, {"p/gradient_norm": v}) for i, v in enumerate(sizes))


def test_negative_losses_are_judged_by_their_spread():
    assert first_alarm([-v for v in healthy(400)]) is None
    assert first_alarm([-v for v in healthy(300)] + [50.0] * 20) is not None


def test_it_can_be_switched_off():
    assert first_alarm([math.nan], guard=Guard(GuardSettings(enabled=False))) is None


@settings(max_examples=50)
@given(st.lists(st.floats(0.1, 1000), min_size=110, max_size=260), st.integers(1, 259))
def test_a_restored_guard_judges_as_if_never_stopped(values, cut):
    whole, half = Guard(GuardSettings()), Guard(GuardSettings())
    expected = first_alarm(values, guard=whole)
    before = first_alarm(values[:cut], guard=half)
    if before is not None:
        assert before == expected
        return
    again = Guard(GuardSettings())
    again.restore(json.loads(json.dumps(half.state())))
    assert first_alarm(values[cut:], cut + 1, again) == expected
    assert expected is not None or again.state() == whole.state()
