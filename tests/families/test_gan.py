"""The GAN family through its public interface, with every network, loss and kind of data."""

import copy

import pytest
import torch

from maquette.core.family import Progress
from maquette.core.images import Batch, ImageSpec
from maquette.core.randomness import picture_seeds
from maquette.families import family_class

Gan = family_class("gan")
NETWORKS = ["residual", "dcgan", "dense"]
START = Progress(0, 0, 0.0)


def family(classes=0, height=16, width=24, **settings):
    torch.manual_seed(0)
    spec = ImageSpec(3, height, width, tuple(f"class {i}" for i in range(classes)))
    return Gan(Gan.Settings(**{"width": 4, "latents": 6} | settings), spec)


def batch(gan, count=6):
    torch.manual_seed(1)
    classes = len(gan.spec.classes)
    labels = torch.arange(count) % classes if classes else None
    return Batch(torch.rand(count, *gan.spec.shape) * 2 - 1, picture_seeds(count, 3), labels)


def gradients(gan, *batches, progress=START):
    """Gradients of both players, summed over batches, neither player moving."""
    parameters = {name: list(net.parameters()) for name, net in gan.players().items()}
    for part in batches:
        for update in gan.training_step(part, progress):
            share = len(part) / sum(map(len, batches))
            (update.loss * share).backward(inputs=parameters[update.player])
    return {name: [p.grad for p in of] for name, of in parameters.items()}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("loss", ["bce", "hinge", "least_squares", "relativistic"])
@pytest.mark.parametrize("classes", [0, 3])
def test_every_game_moves_every_parameter(network, loss, classes):
    gan = family(classes, network=network, loss=loss)
    # A residual block starts as the identity: nothing reaches its first half before one update.
    for parameter in gan.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    for name, found in gradients(gan, batch(gan)).items():
        assert all(g is not None and g.isfinite().all() for g in found), name
        moved = [g.abs().sum() > 0 for g in found]
        # A relativistic score is a difference, so the bias added to every score cancels out.
        assert moved.count(torch.tensor(False)) <= (name == "discriminator"), name


def test_the_discriminator_moves_first_and_says_how_it_does():
    gan = family()
    updates = list(gan.training_step(batch(gan), START))
    assert [u.player for u in updates] == ["discriminator", "generator"]
    assert set(updates[0].notes) == {
        "real_correct", "fake_correct", "augmentation_strength", "r1", "r2",
    }  # fmt: skip
    assert not any(note.requires_grad for note in updates[0].notes.values())


def test_penalties_add_half_their_weight_times_the_interval():
    def loss(step, **settings):
        gan = family(r1=3.0, r2=5.0, **settings)
        return next(gan.training_step(batch(gan), Progress(step, 0, 0.0)))

    bare = loss(1, penalty_interval_steps=4)
    assert "r1" not in bare.notes
    penalised = loss(4, penalty_interval_steps=4)
    expected = bare.loss + 4 * (1.5 * penalised.notes["r1"] + 2.5 * penalised.notes["r2"])
    torch.testing.assert_close(penalised.loss, expected)


def test_penalties_are_the_same_in_bf16():
    gan = family()
    exact = next(gan.training_step(batch(gan), START))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = next(gan.training_step(batch(gan), START))
    for name in ("r1", "r2"):
        torch.testing.assert_close(mixed.notes[name], exact.notes[name], rtol=0.05, atol=0)
    assert mixed.loss.dtype == torch.float32


@pytest.mark.parametrize("classes", [0, 3])
def test_micro_batches_add_up_to_the_batch(classes):
    whole, parts = family(classes), family(classes)
    b = batch(whole)
    ours = gradients(parts, *(b.part(i, 3) for i in range(3)))
    for name, found in gradients(whole, b).items():
        torch.testing.assert_close(found, ours[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("classes", [0, 3])
def test_a_picture_depends_on_its_own_seed_and_label_alone(network, classes):
    gan = family(classes, network=network).eval()
    b = batch(gan)
    together = gan.generate(b.labels, b.seeds)
    alone = gan.generate(None if b.labels is None else b.labels[2:3], b.seeds[2:3])
    torch.testing.assert_close(together[2:3], alone)
    assert (together[0] - together[3]).abs().max() > 1e-6
    torch.testing.assert_close(gan.preview(b), together)


def test_training_leaves_its_batch_alone():
    gan = family(augmentation={"colour": False, "translation": False, "cutout": False})
    b = batch(gan)
    before = copy.deepcopy(b.images)
    gradients(gan, b)
    assert torch.equal(b.images, before) and not b.images.requires_grad


def test_adaptive_strength_follows_the_discriminator_and_is_saved():
    gan = family(strength={"initial": 0.5, "adaptive": True, "pace_images": 100}, loss="bce")
    output = gan.discriminator.output
    output.bias.data.fill_(100.0)  # takes everything for real
    list(gan.training_step(batch(gan), START))
    assert gan.state_dict()["strength"].item() == pytest.approx(0.5 + 6 * 0.4 / 100)
    output.bias.data.fill_(-100.0)
    list(gan.training_step(batch(gan), START))
    assert gan.strength.item() < 0.5


def test_a_fixed_strength_stays():
    gan = family(strength={"initial": 0.25})
    list(gan.training_step(batch(gan), START))
    assert gan.strength.item() == 0.25


def recent(loss, correct, count=100):
    return {
        "discriminator": [loss] * count, "real_correct": [correct] * count,
        "fake_correct": [1.0] * count,
    }  # fmt: skip


def test_a_discriminator_that_always_wins_is_a_concern():
    gan = family()
    (sentence,) = gan.concerns(recent(0.01, 1.0))
    assert "model.r1" in sentence
    for healthy in (recent(0.01, 0.9), recent(0.5, 1.0), recent(0.01, 1.0, count=20), {}):
        assert not list(gan.concerns(healthy))


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(ValueError, match="width"):
        Gan.Settings(width=0)
    with pytest.raises(ValueError, match="penalty_interval_steps"):
        Gan.Settings(penalty_interval_steps=0)


def test_classes_come_in_after_a_while():
    settings = {"unconditional_share": 0.5, "fading_share": 0.2, "r1": 0.0, "r2": 0.0}
    plain, fading = family(3, network="dcgan"), family(3, network="dcgan", **settings)
    fading.load_state_dict(plain.state_dict(), strict=False)
    seeds, one, other = picture_seeds(2, 3), torch.tensor([0, 0]), torch.tensor([1, 2])

    def difference(fraction):
        """Between pictures of two classes, and whether losses are those of classes told at once."""
        progress = Progress(9, 9, fraction)
        losses, of_plain = (
            [float(update.loss.detach()) for update in gan.training_step(batch(gan), progress)]
            for gan in (fading, plain)
        )
        apart = (fading.generate(one, seeds) - fading.generate(other, seeds)).abs().mean()
        return float(apart.detach()), losses == pytest.approx(of_plain, abs=1e-6)

    (none, as_told), (some, _), (all_, same) = (difference(done) for done in (0.4, 0.6, 0.8))
    assert none == 0 and 0 < some < all_
    assert same and not as_told
    assert (fading.complete_from(), plain.complete_from()) == (0.85, 0.0)
    assert family(0, network="dcgan", **settings).complete_from() == 0
    torch.testing.assert_close(fading.generate(one, seeds), plain.generate(one, seeds))


def test_how_far_classes_have_come_in_is_kept_with_the_weights():
    gan = family(3, fading_share=0.5)
    list(gan.training_step(batch(gan), Progress(9, 9, 0.2)))
    other = family(3, fading_share=0.5)
    other.load_state_dict(gan.state_dict())
    labels, seeds = torch.tensor([0, 1]), picture_seeds(2, 3)
    assert torch.equal(other.generate(labels, seeds), gan.generate(labels, seeds))
    shares = gan.shares(labels)
    blended = gan.blend(gan.latents(seeds), shares)
    torch.testing.assert_close(blended, gan.generate(labels, seeds))


def test_something_of_training_is_left_for_classes():
    with pytest.raises(ValueError, match="less than 1"):
        Gan.Settings(unconditional_share=0.6, fading_share=0.5)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_small_description_leaves_more_to_the_latents(network):
    whole, small = family(3, network=network), family(3, network=network, class_scale=0.1)
    parts = whole.generator.input.descriptions.weight, small.generator.input.descriptions.weight
    torch.testing.assert_close(parts[1], 0.1 * parts[0])
    same = {name for name, tensor in whole.state_dict().items() if "descriptions" not in name}
    assert all(torch.equal(whole.state_dict()[name], small.state_dict()[name]) for name in same)
