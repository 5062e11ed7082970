"""ArtGAN: what each turn learns from, pre-training, double turns, and pictures without labels."""

import pytest
import torch
from torch.nn import functional as F

from conftest import random_pixels, toy_dataset
from maquette.core.devices import Engine
from maquette.core.family import Progress
from maquette.core.images import Batch, ImageSpec, to_float
from maquette.core.randomness import noise, picture_seeds, seed_everything
from maquette.families.artgan import ArtGan, ArtGanSettings
from maquette.runs.scorers.generated import GeneratedScorer
from maquette.runs.scoring import Scoring
from toys import StopAt, same_weights, toy_recipe, toy_session, toy_trainer

SPEC = ImageSpec(3, 16, 16, ("a", "b", "c"))
START = Progress(0, 0, 0.0)


def family(**settings) -> ArtGan:
    seed_everything(0)
    return ArtGan(ArtGanSettings(width=4, latents=6, **settings), SPEC).train()


def batch(labels: list[int] | None = None) -> Batch:
    labels = [0, 1, 2, 0, 1, 2] if labels is None else labels
    images = to_float(random_pixels(len(labels), SPEC, seed=3))
    return Batch(images, picture_seeds(len(labels), "some"), torch.tensor(labels))


def turns(made: ArtGan, given: Batch, progress: Progress = START) -> list:
    return list(made.training_step(given, progress))


@pytest.mark.parametrize("answers", ["sigmoid", "softmax"])
def test_the_four_losses_are_those_of_the_paper(answers):
    """Written out from the networks alone, in the order of the turns."""
    made, given = family(answers=answers, reconstruction=0.5), batch()

    def surprise(scores, labels):
        if answers == "softmax":
            return F.cross_entropy(scores, labels)
        targets = torch.zeros_like(scores)
        targets[range(len(labels)), labels] = 1
        p = scores.sigmoid()
        return -(targets * p.log() + (1 - targets) * (1 - p).log()).sum(1).mean()

    updates = turns(made, given)
    wanted = made._drawn_labels(given.seeds, "")
    fakes = made.generate(wanted, given.seeds)
    features = made.discriminator.encoder(given.images)
    real = surprise(made.discriminator(given.images), given.labels)
    fake = surprise(made.discriminator(fakes), torch.full_like(wanted, 3))
    asked = surprise(made.discriminator(fakes), wanted)
    redrawn = made.generator.decoder(features)
    error = ((((redrawn + 1) / 2) - ((given.images + 1) / 2)) ** 2).mean()
    assert [update.player for update in updates] == ["discriminator", "generator"]
    torch.testing.assert_close(updates[0].loss, real + fake)
    torch.testing.assert_close(updates[1].loss, asked + 0.5 * error)


def test_the_discriminator_sees_real_and_generated_pictures_changed_alike():
    """All of them covered by mid-grey: it cannot tell more of one than of another."""
    made, heard = family(strength=1.0, augmentation={"translation": False, "colour": False}), []
    made.discriminator.encoder.register_forward_pre_hook(lambda _net, given: heard.append(given[0]))
    turns(made, batch())
    assert len(heard) == 3  # real and generated ones, and these again in the generator's turn
    for images in heard:
        covered = (images == 0).all(1).flatten(1).sum(1)  # places of each picture
        assert (covered >= 16 * 16 / 16).all() and (covered <= 16 * 16 / 4).all()
    real, fake, again = ((images == 0).all(1) for images in heard)
    assert not torch.equal(real, fake) and not torch.equal(fake, again)
    plain = family(strength=0.0)
    assert plain._seen(heard[0], picture_seeds(6), "real") is heard[0]


def test_classes_are_asked_for_evenly_and_whatever_the_labels():
    seeds = picture_seeds(3000, "many")
    drawn = family()._drawn_labels(seeds, "")
    counts = torch.bincount(drawn, minlength=3)
    assert (counts - 1000).abs().max() < 120
    assert not torch.equal(drawn, family()._drawn_labels(seeds, " again"))


def test_pretraining_shows_the_discriminator_real_pictures_alone():
    made = family(pretraining_epochs=2)
    (update,) = turns(made, batch(), Progress(5, 100, 0.1, epochs=1.9))
    assert update.player == "discriminator" and "fake_correct" not in update.notes
    assert len(turns(made, batch(), Progress(6, 120, 0.1, epochs=2.0))) == 2


def test_the_generator_moves_twice_while_the_discriminator_is_too_strong():
    made = family(double_turns_above=0.8)
    assert len(turns(made, batch())) == 2
    made.accuracy.fill_(0.95)
    first, second, third = turns(made, batch())
    assert [u.player for u in (first, second, third)] == ["discriminator", "generator", "generator"]
    assert first.notes["generator_turns"] == 2
    assert second.loss != third.loss  # other noise and other classes
    assert made.accuracy < 0.95  # untrained, it tells fewer apart
    never = family()
    never.accuracy.fill_(1.0)
    assert len(turns(never, batch())) == 2


def test_double_turns_survive_micro_batches():
    """All parts of a batch decide alike, by what was known before the step."""
    recipe = toy_recipe("artgan")
    model = type(recipe.model).model_validate(
        recipe.model.model_dump() | {"double_turns_above": 0.5}
    )
    recipe = recipe.model_copy(update={"model": model}).with_training(micro_batches=4)
    trainer = toy_trainer(recipe, toy_dataset())
    trainer.family.accuracy.fill_(0.51)
    players = [name for name, _ in trainer._turns(trainer._batch(0), None)]
    assert players == ["discriminator", "generator", "generator"]


@pytest.mark.parametrize("stop", [2, 3, 5])
def test_with_everything_on_a_resumed_run_is_bitwise_the_uninterrupted_one(tmp_path, stop):
    """Dropout, changes, pre-training for three steps, double turns from the fifth, and scores."""
    findings = {"dropout": 0.3, "pretraining_epochs": 1.2, "double_turns_above": 0.01}
    findings["strength"] = 0.5
    recipe = toy_recipe("artgan", steps=7)
    model = type(recipe.model).model_validate(recipe.model.model_dump() | findings)
    recipe = recipe.model_copy(update={"model": model})

    def trained(name: str, *stoppers: StopAt):
        trainer = toy_trainer(recipe, toy_dataset())
        scoring = Scoring(GeneratedScorer(toy_dataset(), 8, 0, 8), every_steps=2)
        session = toy_session(trainer, tmp_path / name, [scoring, *stoppers], save_every_steps=2)
        for stopper in stoppers:
            stopper.session = session
        return session.run(), trainer, session

    _, whole, session = trained("whole")
    assert list(session.recent["generator_turns"]) == [1, 2, 2, 2]
    assert trained("cut", StopAt(stop))[0] == "interrupted"
    torch.randn(7)  # the outside world moves on
    ended, again, _ = trained("cut")
    assert ended == "finished" and same_weights(whole, again)


def test_processes_share_what_decides_about_double_turns(monkeypatch):
    shared = []
    take = lambda _engine, tensors: shared.extend(tensors)  # noqa: E731
    monkeypatch.setattr(Engine, "average_over_processes", take)
    recipe = toy_recipe("artgan", players={"generator": {"turns": 2}})
    trainer = toy_trainer(recipe, toy_dataset())
    trainer.learn()
    shared = [tensor for tensor in shared if tensor is trainer.family.accuracy]
    assert len(shared) == 2 and shared[-1] > 0  # after the extra turn, too


def test_unlabelled_pictures_teach_the_decoder_alone():
    made = family()
    given = batch([-1] * 6)
    first, second = turns(made, given)
    known = torch.autograd.grad(first.loss, made.discriminator.parameters(), retain_graph=True)
    assert all(g.isfinite().all() for g in known)
    assert first.notes["class_correct"] == 0
    assert second.notes["reconstruction"] > 0
    only_fakes = made._cross_entropy(
        made.discriminator(made.generate(made._drawn_labels(given.seeds, ""), given.seeds)),
        torch.full((6,), 3),
    )
    torch.testing.assert_close(first.loss, only_fakes, rtol=1e-4, atol=1e-4)
    assert made.preview(given).isfinite().all()


def test_without_classes_it_is_an_ordinary_gan():
    made = ArtGan(ArtGanSettings(width=4, latents=6), ImageSpec(3, 16, 16))
    given = batch()
    given = Batch(given.images, given.seeds)
    first, second = turns(made, given)
    assert first.loss > 0 and second.loss > 0
    assert made.discriminator.cls_net.answer.out_features == 2


def test_blending_begins_and_ends_at_generated_pictures():
    made = family().eval()
    seeds = picture_seeds(2, "two")
    shares = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    blended = made.blend(made.latents(seeds), shares)
    torch.testing.assert_close(blended, made.generate(torch.tensor([1, 2]), seeds))


def test_a_larger_scale_of_classes_makes_them_differ_more():
    def difference(scale: float) -> float:
        made, seeds = family(class_scale=scale).eval(), picture_seeds(8, "some")
        first, second = (made.generate(torch.full((8,), label), seeds) for label in (0, 1))
        return float((first - second).abs().mean())

    assert 0 < 2 * difference(0.3) < difference(1.0) < 0.5 * difference(4.0)


def test_it_makes_the_class_that_is_asked_for():
    """Three colours with a little noise, three classes: knows them, redraws them, makes them."""
    colours = torch.tensor([[0.8, -0.8, -0.8], [-0.8, 0.8, -0.8], [-0.8, -0.8, 0.8]])
    labels = torch.arange(24) % 3
    flat = colours[labels][:, :, None, None].expand(-1, -1, 16, 16)
    made = family(reconstruction=10)
    players = {n: torch.optim.RMSprop(p.parameters(), 8e-3, 0.9) for n, p in made.players().items()}
    for step in range(120):
        seeds = picture_seeds(24, "step", step)
        given = Batch(flat + 0.2 * noise(seeds, 3, 16, 16, stream="paint"), seeds, labels)
        for update in made.training_step(given, START):
            player = made.get_submodule(update.player)
            gradients = torch.autograd.grad(update.loss, list(player.parameters()))
            for parameter, gradient in zip(player.parameters(), gradients, strict=True):
                parameter.grad = gradient
            players[update.player].step()
    assert update.notes["reconstruction"] < 0.05  # one grey for everything would have 0.16

    made.eval()
    with torch.no_grad():
        answers = made.discriminator(flat)[:, :3].argmax(1)
        means = made.generate(labels, picture_seeds(24, "new")).mean((2, 3))
    assert (answers == labels).float().mean() > 0.95
    assert (means.argmax(1) == labels).float().mean() > 0.95
    assert (means - colours[labels]).abs().mean() < 0.3  # grey: 0.8
