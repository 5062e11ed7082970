"""Schedules against their closed forms, and the check that refuses those that cannot teach."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import SettingsError
from maquette.noising.checking import complaint, curve
from maquette.noising.levels import sigma_of_share, signal_left
from maquette.noising.schedules import Steps, edm, flow, linear_betas
from maquette.noising.settings import NoiseSettings, noise_schedule, teaching_schedule

NAMES = ["linear", "cosine", "sigmoid", "edm", "flow"]


def schedule(name, **settings):
    return noise_schedule(NoiseSettings(schedule=name, **settings))


def test_linear_is_the_product_of_its_betas():
    left = schedule("linear").signal_left
    expected = math.prod(1 - (1e-4 + (0.02 - 1e-4) * k / 999) for k in range(1000))
    assert float(left[-1]) == pytest.approx(expected, rel=1e-9)
    assert float(left[0]) == pytest.approx(1 - 1e-4)


def test_cosine_is_the_papers_curve():
    left = schedule("cosine").signal_left

    def f(t):
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    for step in (0, 250, 500, 900):
        assert float(left[step]) == pytest.approx(f((step + 1) / 1000) / f(0), rel=1e-6)


def test_sigmoid_is_symmetric():
    left = schedule("sigmoid").signal_left
    assert float(left[499]) == pytest.approx(0.5, abs=1e-6)


def test_edm_samples_sigmas_as_the_paper():
    """Karras et al. 2022, equation 5 and the log-normal of table 1."""
    ours = edm(-1.2, 1.2, 0.002, 80.0)
    path = sigma_of_share(ours.path(18))
    for i in range(18):
        expected = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
        assert float(path[i]) == pytest.approx(expected, rel=1e-9)
    assert path[18] == 0
    quantiles = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    logarithms = sigma_of_share(ours.shares(quantiles)).log()
    assert float(logarithms.mean()) == pytest.approx(-1.2, abs=0.01)
    assert float(logarithms.std()) == pytest.approx(1.2, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_a_path_leads_from_noise_to_the_picture(name, steps):
    path = schedule(name).path(steps)
    assert path.shape == (steps + 1,)
    assert (path.diff() < 0).all()
    assert path[-1] == 0
    assert signal_left(path[0]) < 0.01


def test_the_clock_counts_the_steps():
    linear = schedule("linear")
    assert torch.equal(linear.clock(linear.levels), torch.arange(1000.0, dtype=torch.float64))
    assert torch.equal(linear.clock(linear.levels.float()), torch.arange(1000.0))


def test_more_sampling_steps_than_there_are_levels_are_refused():
    with pytest.raises(SettingsError, match=r"at most 10 \(model\.sampling_steps\)"):
        Steps(linear_betas(10, 0.1, 0.9)).path(11)


@pytest.mark.parametrize("name", NAMES)
def test_usual_schedules_pass(name):
    assert complaint(schedule(name), name) is None


def test_the_intended_schedule_of_the_reports_passes():
    teaching_schedule(NoiseSettings(schedule="linear", steps=300, beta_max=0.02))


@pytest.mark.parametrize("beta_max", [0.2, 0.5, 0.999])
def test_the_broken_schedule_of_the_reports_is_refused(beta_max):
    with pytest.raises(
        SettingsError, match=r"most of training .* pure noise: lower model\.beta_max"
    ):
        teaching_schedule(NoiseSettings(schedule="linear", steps=300, beta_max=beta_max))


def test_a_schedule_that_never_reaches_noise_is_refused():
    with pytest.raises(SettingsError, match=r"could not begin from noise: raise model\.beta_max"):
        teaching_schedule(NoiseSettings(schedule="linear", steps=100))
    with pytest.raises(SettingsError, match=r"raise model\.sigma_max"):
        teaching_schedule(NoiseSettings(schedule="edm", sigma_max=2))


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "flow", "noise_mean": -3.0, "noise_spread": 0.5},
        {"schedule": "edm", "noise_mean": -5.0, "noise_spread": 0.3},
    ],
)
def test_learning_that_never_sees_noise_is_refused(settings):
    with pytest.raises(SettingsError, match=r"raise model\.noise_mean or model\.noise_spread"):
        teaching_schedule(NoiseSettings(**settings))


@pytest.mark.parametrize("beta_max", [0.02, 0.5])
def test_of_too_large_a_first_step_that_step_is_named(beta_max):
    with pytest.raises(SettingsError, match=r"lower model\.beta_min, then model\.beta_max"):
        teaching_schedule(NoiseSettings(schedule="linear", beta_min=0.02, beta_max=beta_max))


def test_learning_at_noise_alone_is_refused():
    assert "model.noise_mean" in complaint(flow(5.0, 1.0), "flow")


@given(st.integers(50, 1200), st.floats(0.001, 0.99))
def test_the_check_says_what_the_products_of_the_betas_say(steps, beta_max):
    betas = linear_betas(steps, 1e-4, beta_max)
    left = (1 - betas).cumprod(0)
    bad = float((left >= 0.01).double().mean()) < 0.4 or left[-1] > 0.05
    close = abs(float((left >= 0.01).double().mean()) - 0.4) < 0.002
    assert close or (complaint(Steps(betas), "linear") is not None) == bool(bad)


def test_the_curve_falls():
    for name in NAMES:
        left = curve(schedule(name), 200)
        assert (left.diff() <= 0).all() and left[0] > 0.9
