"""Diffusion: what it learns from, how classes steer it, how pictures vary."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from pydantic import ValidationError

from conftest import toy_dataset
from maquette.core.errors import SettingsError
from maquette.core.family import Progress
from maquette.core.images import ImageSpec
from maquette.core.randomness import noise, picture_seeds, seed_everything
from maquette.families.diffusion import Diffusion, DiffusionSettings
from maquette.recipe import read_recipe

SPEC = ImageSpec(1, 8, 8, ("a", "b", "c"))
SMALL = {"width": 4, "multipliers": (1, 1), "sampling_steps": 4}
START = Progress(step=0, images=0, fraction=0.0)


def awake(**settings):
    """A family whose network answers something."""
    seed_everything(1)
    family = Diffusion(DiffusionSettings(**(SMALL | settings)), SPEC).eval()
    for parameter in family.parameters():
        torch.nn.init.normal_(parameter, 0, 0.1)
    return family.requires_grad_(False)


WORKING = [
    (schedule, target)
    for schedule, target in product(
        ["linear", "cosine", "sigmoid", "edm", "flow"], ["epsilon", "v", "x0", "edm", "flow"]
    )
    if (schedule, target) != ("flow", "epsilon")
]


@pytest.mark.parametrize(("schedule", "target"), WORKING)
def test_schedules_and_targets_combine_freely(schedule, target):
    family = awake(schedule=schedule, target=target, weighting="min_snr")
    (update,) = family.training_step(toy_dataset(8, 8, channels=1).batch(0, 4, 0), START)
    assert update.loss.isfinite()
    images = family.generate(torch.tensor([0, 1]), picture_seeds(2, "some"))
    assert images.isfinite().all() and images.abs().max() <= 1


def test_guidance_without_pictures_of_no_class_is_refused():
    with pytest.raises(ValidationError, match=r"label_dropout is 0: raise that"):
        DiffusionSettings(guidance=2, label_dropout=0)
    DiffusionSettings(guidance=1, label_dropout=0)


def test_noise_alone_cannot_begin_from_noise():
    with pytest.raises(ValueError, match="instead of epsilon"):
        DiffusionSettings(schedule="flow", target="epsilon")


def test_the_broken_schedule_is_refused_by_its_setting():
    recipe = read_recipe("diffusion-ddpm", ["model.steps=300", "model.beta_max=0.5"])
    with pytest.raises(SettingsError, match=r"pure noise: lower model\.beta_max$"):
        Diffusion(recipe.model, SPEC)


def test_labels_are_hidden_by_each_pictures_own_seed():
    family = awake(label_dropout=0.3)
    batch = toy_dataset(8, 8, channels=1, count=600).batch(0, 600, 0)
    shown = family._sometimes_hidden(batch)
    hidden = shown == 3
    assert hidden.float().mean() == pytest.approx(0.3, abs=0.07)
    assert torch.equal(shown[~hidden], batch.labels[~hidden])
    assert torch.equal(family._sometimes_hidden(batch.part(2, 4)), shown.chunk(4)[2])


def test_guidance_goes_from_no_class_through_the_class_and_beyond():
    y = noise(picture_seeds(3, "y"), 1, 8, 8)
    labels = torch.tensor([0, 1, 2])
    found = [awake(guidance=g).denoised(y, 0.9, labels) for g in (0.0, 1.0, 2.0)]
    expected = found[0] + 2 * (found[1] - found[0])
    torch.testing.assert_close(found[2], expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found[0], found[1])


def test_the_error_of_zero_answers_is_the_variance_asked_for():
    """An untrained network answers 0, so predicting noise scores about 1."""
    family = Diffusion(DiffusionSettings(**SMALL, schedule="linear", target="epsilon"), SPEC)
    (update,) = family.training_step(toy_dataset(8, 8, channels=1).batch(0, 16, 0), START)
    assert float(update.loss.detach()) == pytest.approx(1, abs=0.15)


def test_variations_come_nearer_to_the_picture_as_strength_falls():
    family = awake(sampling_steps=10, target="edm")
    images = toy_dataset(8, 8, channels=1).batch(0, 4, 0).images
    seeds, labels = picture_seeds(4, "vary"), torch.zeros(4, dtype=torch.long)
    gaps = [
        float((family.vary(images, labels, seeds, strength) - images).abs().mean())
        for strength in (0.0, 0.3, 1.0)
    ]
    assert gaps[0] == pytest.approx(0, abs=1e-5)
    assert gaps[0] < gaps[1] < gaps[2]


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "heun", "dpm"])
def test_what_is_kept_of_a_picture_stays_and_the_rest_is_made_to_it(sampler):
    family = awake(sampling_steps=6, sampler=sampler)
    images = toy_dataset(8, 8, channels=1).batch(0, 2, 0).images
    seeds, kept = picture_seeds(2, "vary"), torch.zeros(2, 1, 8, 8)
    kept[..., :4] = 1
    made = family.vary(images, torch.tensor([0, 1]), seeds, 1.0, kept)
    torch.testing.assert_close(made[..., :4], images[..., :4])
    assert (made[..., 4:] - images[..., 4:]).abs().mean() > 0.1
    free = family.vary(images, torch.tensor([0, 1]), seeds, 1.0)
    assert not torch.allclose(made[..., 4:], free[..., 4:])


def test_without_a_label_a_variation_is_of_no_class():
    family = awake()
    images, seeds = toy_dataset(8, 8, channels=1).batch(0, 2, 0).images, picture_seeds(2, "vary")
    of_no_class = torch.full((2,), family.denoiser.nothing)
    unlabelled = family.vary(images, None, seeds, 0.7)
    assert torch.equal(unlabelled, family.vary(images, of_no_class, seeds, 0.7))
    with pytest.raises(SettingsError, match="name one"):
        awake(label_dropout=0.0).vary(images, None, seeds, 0.7)


# Patches, and changes that are told


def test_patches_make_pictures_of_any_size():
    spec = ImageSpec(3, 9, 14)
    family = Diffusion(DiffusionSettings(**SMALL, patch=2), spec)
    assert family.generate(None, picture_seeds(2, "some")).shape == (2, 3, 9, 14)


def test_what_it_makes_is_of_no_change_and_what_it_learns_from_is_changed():
    batch = toy_dataset(8, 8, channels=1, count=64).batch(0, 64, 0)
    plain = awake(sampling_steps=3)
    told = awake(sampling_steps=3, changes=0.5, jumping_share=0.4)
    told.load_state_dict(plain.state_dict(), strict=False)
    labels, seeds = torch.tensor([0, 1, 2]), picture_seeds(3, "some")
    torch.testing.assert_close(told.generate(labels, seeds), plain.generate(labels, seeds))

    heard = []
    told.denoiser.register_forward_pre_hook(lambda _network, given: heard.append(given))
    (_update,) = told.training_step(batch, replace(START, fraction=0.9))
    *_aims, (_y, _clock, _labels, kinds, changes) = heard
    assert all(len(given) < 5 or given[4] is None for given in _aims)
    jumping = kinds > 0
    assert jumping.any() and not changes[jumping].any()
    assert changes[~jumping].any(1).float().mean() > 0.7  # 1 less half to the power of five


# Jumps


def test_the_last_part_of_training_learns_jumps_and_changes_nothing_before():
    batch = toy_dataset(8, 8, channels=1, count=64).batch(0, 64, 0)
    plain, jumping = awake(), awake(jumping_share=0.4, guidance=1.5)
    jumping.load_state_dict(plain.state_dict(), strict=False)
    early, late = (Progress(step=9, images=9, fraction=f) for f in (0.5, 0.7))
    (before,) = jumping.training_step(batch, early)
    (same,) = plain.training_step(batch, late)
    (after,) = jumping.training_step(batch, late)
    assert torch.equal(before.loss, same.loss) and "error_of_jumps" not in before.notes
    assert after.notes["error_of_jumps"].isfinite() and after.notes["error_of_jumps"] > 0


@pytest.mark.parametrize("target", ["v", "x0", "edm", "flow"])
def test_jumps_of_a_perfect_denoiser_of_one_picture_lead_to_it(target):
    """All aims are that picture: nothing is left to learn."""
    family = awake(jumping_share=0.4, target=target)
    picture = torch.full((64, 1, 8, 8), 0.25)
    family._picture = lambda y, *_: picture[: len(y)].clone()
    family._answer = lambda y, shares, *_: family.target.answer(
        picture, y, shares[:, None, None, None]
    )
    batch = replace(toy_dataset(8, 8, channels=1, count=64).batch(0, 64, 0), images=picture)
    (update,) = family.training_step(batch, Progress(step=9, images=9, fraction=0.9))
    assert float(update.loss) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 3])
def test_few_steps_ask_the_network_once_each_and_say_how_far_to_jump(steps):
    family, asked = awake(jumping_share=0.4, sampling_steps=steps, guidance=3.0), []
    answer = family._answer

    def counted(y, shares, labels, kinds):
        asked.append(None if kinds is None else set(kinds.tolist()))
        return answer(y, shares, labels, kinds)

    family._answer = counted
    family.generate(torch.tensor([0, 1]), picture_seeds(2, "some"))
    kind = {8: {1}, 4: {2}, 2: {3}, 1: {4}, 3: None}[steps]
    assert asked == [kind] * steps


def test_jumps_that_were_not_learnt_are_not_made():
    """Training stopped before its last part: few steps are then the sampler's."""
    jumping, plain = awake(jumping_share=0.4), awake()
    jumping.load_state_dict(plain.state_dict(), strict=False)
    torch.nn.init.zeros_(jumping.denoiser.jump_embedding.weight)
    labels, seeds = torch.tensor([0, 1]), picture_seeds(2, "some")
    assert torch.equal(jumping.generate(labels, seeds), plain.generate(labels, seeds))


def test_pictures_can_be_varied_by_jumps():
    family = awake(jumping_share=0.4, sampling_steps=4)
    images = toy_dataset(8, 8, channels=1).batch(0, 2, 0).images
    seeds, labels = picture_seeds(2, "vary"), torch.tensor([0, 1])
    near, far = (family.vary(images, labels, seeds, strength) for strength in (0.0, 1.0))
    torch.testing.assert_close(near, images)
    anew = family.generate(labels, seeds)
    assert (far - anew).abs().mean() < 0.1 * (far - images).abs().mean()


def test_jumps_from_noise_alone_are_learnt_however_levels_are_weighted():
    """Where flow begins there is no signal, and min_snr gives it no weight."""
    family = awake(schedule="flow", target="v", jumping_share=0.9, jumping_pictures=1.0)
    weighted = awake(
        schedule="flow",
        target="v",
        weighting="min_snr",
        jumping_share=0.9,
        jumping_pictures=1.0,
    )
    batch = toy_dataset(8, 8, channels=1).batch(0, 8, 0)
    losses = [
        next(iter(each.training_step(batch, replace(START, fraction=0.5)))).loss
        for each in (family, weighted)
    ]
    torch.testing.assert_close(losses[0], losses[1])
