"""What alarms the guard, and what must not."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

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
    assert "usual value" in alarm.cause


@given(st.integers(20, 120), st.integers(1, 120))
def test_settings_can_tell_an_explosion_or_are_refused(window, least):
    try:
        guard = Guard(GuardSettings(window_steps=window, least_steps=least))
    except ValidationError as refusal:
        assert f"window_steps {window} never holds the least_steps {least}" in str(refusal)
    else:
        assert first_alarm([1.0] * 120 + [1000.0] * 50, guard=guard).step == 121


def test_a_slow_explosion_is_told_too():
    growing = [1.03**step for step in range(300)]
    alarm = first_alarm(healthy(300) + growing)
    assert 300 < alarm.step <= 300 + 150


def test_one_bad_picture_is_no_reason_to_go_back():
    assert first_alarm(healthy(300) + [1e6] * 9 + healthy(100, seed=1)) is None


# Medians over 20 steps each of a GAN on photographs: the discriminator wins and loses again.
WON = (
    *(0.48, 0.53, 0.54, 0.54, 0.55, 0.26, 0.012, 0.0060, 0.0048, 0.0043, 0.0035, 0.0068, 0.0075),
    *(0.0058, 0.0083, 0.0030, 0.16, 0.28, 0.29, 0.22, 0.37, 0.62, 0.52, 0.36, 0.25, 0.22, 0.19),
    *(0.24, 0.24, 0.19, 0.58, 0.48, 0.33, 0.30, 0.31, 0.30),
)
LOST = (
    *(2.0, 1.6, 1.2, 1.5, 1.3, 4.1, 5.9, 6.4, 6.9, 7.0, 7.2, 7.0, 7.4, 7.4, 7.0, 7.2, 5.0, 3.5),
    *(4.1, 4.3, 2.8, 1.2, 1.2, 1.7, 2.1, 2.4, 2.9, 2.8, 2.6, 2.7, 1.9, 1.4, 2.2, 2.4, 2.6, 2.7),
)


def noisy(levels, each=1, seed=0, spread=0.3):
    noise = np.random.default_rng(seed).normal(0, spread, each * len(levels))
    return (np.repeat(levels, each) * np.exp(noise)).tolist()


def alarm_in_a_game(discriminator, generator, guard=None, start=1):
    guard = guard or Guard(GuardSettings())
    for step, losses in enumerate(zip(discriminator, generator, strict=True), start):
        values = dict(zip(("discriminator", "generator"), losses, strict=True))
        if (alarm := guard.observe(step, values)) is not None:
            return alarm
    return None


@pytest.mark.parametrize("seed", range(10))
def test_a_discriminator_that_won_may_lose_again(seed):
    assert alarm_in_a_game(noisy(WON, 20, seed), noisy(LOST, 20, seed + 100)) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("steps", [300, 1500])
def test_a_slow_decline_and_a_quick_recovery_are_no_explosion(steps, seed):
    """However long ago it was that the loss was as high."""
    declining = np.geomspace(0.7, 0.005, steps)
    won = [*declining, *[0.005] * steps, *np.geomspace(0.005, 0.7, 40), *[0.7] * 300]
    lost = [*np.linspace(1, 8, steps), *[8.0] * steps, *np.linspace(8, 1, 40), *[1.0] * 300]
    assert alarm_in_a_game(noisy(won, seed=seed), noisy(lost, seed=seed + 100)) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_discriminator_that_wins_again_long_after_is_told(seed):
    """Recorded: balanced for 2,000 steps, then the generator's loss is ten times as high."""
    balanced = noisy([0.69], 2000, seed, 0.03), noisy([0.73], 2000, seed, 0.05)
    won = noisy([0.017, 0.014, 0.013], 60, seed), noisy([6.8, 7.1, 7.8], 60, seed, 0.1)
    alarm = alarm_in_a_game(
        noisy(WON, 20, seed) + balanced[0] + won[0], noisy(LOST, 20, seed) + balanced[1] + won[1]
    )
    assert 0 < alarm.step - 20 * len(WON) - 2000 <= 60
    assert alarm.cause.startswith("generator stayed above 3 times")


@pytest.mark.parametrize("level", [5.0, 50.0, 5000.0])
@pytest.mark.parametrize("steps", [240, 320, 720])
def test_an_explosion_is_told_from_wherever_it_starts(level, steps):
    """From the plateau of a discriminator that won (0.006), and after it lost again."""
    before = noisy(WON, 20)[:steps], noisy(LOST, 20)[:steps]
    alarm = alarm_in_a_game(before[0] + noisy([level], 50, 1), before[1] + [1.0] * 50)
    assert alarm.step == steps + 1
    assert alarm.cause.startswith("discriminator stayed above 3 times")


def test_losses_that_all_explode_a_thousandfold_are_told():
    """What a cycle of four players does when it degenerates: at once, and for good."""
    guard, random = Guard(GuardSettings()), np.random.default_rng(0)
    players = {"photos": 4.0, "paintings": 3.5, "photo critic": 0.2, "painting critic": 0.25}
    for step in range(1, 1001):
        grown = (1 + 3 * math.exp(-step / 100)) * (1000 if step > 900 else 1)
        losses = {n: v * grown * math.exp(random.normal(0, 0.3)) for n, v in players.items()}
        if (alarm := guard.observe(step, losses)) is not None:
            break
    assert alarm is not None and alarm.step == 901


def test_a_slow_explosion_in_a_game_is_told():
    growing = [1.03**step for step in range(300)]
    alarm = alarm_in_a_game(healthy(300) + growing, healthy(600))
    assert 300 < alarm.step <= 300 + 150


def test_a_player_alone_has_no_excuse_for_falling_back():
    """A classifier wrecked by its learning rate ends where it began, at chance."""
    learning = np.geomspace(2.3, 0.05, 500)
    alarm = first_alarm(noisy([*learning, *[2.3] * 50]))
    assert alarm.step == 501


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


@pytest.mark.parametrize("cut", [5, 50, 150, 330, 500])
def test_a_restored_guard_remembers_how_high_a_loss_was(cut):
    won, lost = noisy(WON, 20), noisy(LOST, 20)
    whole, half, again = (Guard(GuardSettings()) for _ in range(3))
    alarm_in_a_game(won, lost, whole)
    alarm_in_a_game(won[:cut], lost[:cut], half)
    again.restore(json.loads(json.dumps(half.state())))
    assert alarm_in_a_game(won[cut:], lost[cut:], again, cut + 1) is None
    assert again.state() == whole.state()


@pytest.mark.parametrize("missing", [("starts",), ("starts", "levels")])
def test_a_state_from_before_there_were_levels_is_read(missing):
    guard, again = Guard(GuardSettings()), Guard(GuardSettings())
    first_alarm(healthy(300), guard=guard)
    again.restore({name: part for name, part in guard.state().items() if name not in missing})
    assert again.state() == guard.state()
    assert first_alarm([50.0] * 20, 301, again).step == 301


def test_a_game_from_before_there_were_starts_goes_on():
    won, lost = noisy(WON, 20), noisy(LOST, 20)
    guard, again = Guard(GuardSettings()), Guard(GuardSettings())
    alarm_in_a_game(won[:200], lost[:200], guard)
    again.restore({name: part for name, part in guard.state().items() if name != "starts"})
    assert alarm_in_a_game(won[200:], lost[200:], again, 201) is None
    assert alarm_in_a_game([5.0] * 20, [1.0] * 20, again, len(won) + 1).step == len(won) + 1
