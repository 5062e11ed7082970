"""Samplers on a Gaussian, whose denoiser and whose probability flow are known exactly."""

import math
from itertools import pairwise

import pytest
import torch

from maquette.core.randomness import noise, picture_seeds
from maquette.noising.levels import level, radius
from maquette.noising.samplers import SAMPLERS
from maquette.noising.schedules import Steps, cosine_betas, edm, flow, linear_betas

MEAN, DEVIATION = 0.3, 0.25
SCHEDULES = {
    "edm": edm(-1.2, 1.2, 0.002, 80.0),
    "flow": flow(0.0, 1.0),
    "linear": Steps(linear_betas(4000, 2.5e-5, 0.005)),
    "cosine": Steps(cosine_betas(4000)),
}


def denoise(y, share):
    """The expected picture given y, of a Gaussian."""
    clear = (1 - share) ** 2 * DEVIATION**2
    return MEAN + (1 - share) * DEVIATION**2 / (clear + share**2) * (y - (1 - share) * MEAN)


def spread(share):
    """Standard deviation of y."""
    return math.hypot((1 - share) * DEVIATION, share)


def error(sampler, schedule, steps):
    """Largest distance from the exact end of the probability flow."""
    path = schedule.path(steps).tolist()
    normal = torch.tensor([-1.5, 0.4, 2.0], dtype=torch.float64)
    y = (1 - path[0]) * MEAN + spread(path[0]) * normal
    seeds = torch.arange(3)
    found = SAMPLERS[sampler](denoise, y[:, None, None, None], path, seeds).flatten()
    return float((found - (MEAN + DEVIATION * normal)).abs().max())


ORDERS = {"ddim": 1, "euler": 1, "heun": 2, "dpm": 2}


@pytest.mark.parametrize("schedule", ["edm", "flow"])
@pytest.mark.parametrize("sampler", ORDERS)
def test_a_sampler_converges_at_its_order(sampler, schedule):
    """On paths whose steps all shrink alike; the last of numbered steps stays coarse."""
    errors = [error(sampler, SCHEDULES[schedule], steps) for steps in (160, 320, 640)]
    orders = [math.log2(one / two) for one, two in pairwise(errors)]
    assert min(orders) > ORDERS[sampler] - 0.35


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", ["heun", "dpm"])
def test_better_samplers_come_nearer_in_as_many_steps(sampler, schedule):
    plain, better = (error(name, SCHEDULES[schedule], 40) for name in ("ddim", sampler))
    assert better < plain / 2


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_ancestral_sampling_ends_at_the_distribution(schedule):
    seeds = picture_seeds(4000, "ancestral")
    path = SCHEDULES[schedule].path(200).tolist()
    y = spread(path[0]) * noise(seeds, 1, 1, 4, stream="start") + (1 - path[0]) * MEAN
    found = SAMPLERS["ddpm"](denoise, y, path, seeds)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.01)
    assert float(found.std()) == pytest.approx(DEVIATION, rel=0.07)


def test_fresh_noise_follows_from_the_pictures_own_seed():
    seeds = picture_seeds(5, "own")
    path = SCHEDULES["flow"].path(10).tolist()
    y = noise(seeds, 1, 2, 2)
    among = SAMPLERS["ddpm"](denoise, y, path, seeds)
    alone = SAMPLERS["ddpm"](denoise, y[3:4], path, seeds[3:4])
    assert torch.equal(among[3:4], alone)
    other = SAMPLERS["ddpm"](denoise, y, path, seeds + 1)
    assert not torch.equal(among, other)


@pytest.mark.parametrize(("ours", "theirs"), [("ddim", "DDIM"), ("dpm", "DPMSolverMultistep")])
def test_samplers_are_those_of_diffusers(ours, theirs):
    diffusers = pytest.importorskip("diffusers")
    betas = linear_betas(1000, 1e-4, 0.02)
    extra = (
        {"clip_sample": False, "set_alpha_to_one": True, "timestep_spacing": "trailing"}
        if theirs == "DDIM"
        else {"timestep_spacing": "trailing", "final_sigmas_type": "zero"}
    )
    scheduler = getattr(diffusers, f"{theirs}Scheduler")(
        trained_betas=betas.tolist(), prediction_type="sample", **extra
    )
    schedule = Steps(betas)
    path = schedule.path(20).tolist()
    start = noise(picture_seeds(2, "reference"), 1, 4, 4)
    found = SAMPLERS[ours](denoise, float(radius(level(path[0]))) * start, path, torch.arange(2))
    scheduler.set_timesteps(20)
    z = start
    for time in scheduler.timesteps:
        share = float(schedule.levels[int(time)])
        answer = denoise(float(radius(level(share))) * z, share)
        z = scheduler.step(answer, time, z).prev_sample
    torch.testing.assert_close(found, z, atol=2e-4, rtol=1e-3)
