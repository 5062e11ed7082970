"""The network written by hand, against the library that does the same by itself."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.nn import functional as F

from conftest import toy_dataset
from maquette.core.devices import start_engine
from maquette.core.errors import DatasetError, SettingsError
from maquette.core.family import Progress
from maquette.core.images import Batch, ImageSpec
from maquette.core.randomness import picture_seeds, seed_everything
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.families.scratch_mlp import rows_of, shifted, softmax_cross_entropy
from maquette.recipe import Recipe, read_recipe
from maquette.training.trainer import Trainer
from toys import STEPS, StopAt, same_weights, toy_recipe, toy_session, toy_trainer

Mlp = family_class("scratch_mlp")
START = Progress(0, 0, 0.0)
STILL = {"dropout": 0.0, "shift_px": 0}


def family(channels=1, height=3, width_px=4, classes=3, **model):
    torch.manual_seed(0)
    spec = ImageSpec(channels, height, width_px, tuple(f"class {i}" for i in range(classes)))
    mlp = Mlp(Mlp.Settings(**({"width": 5} | STILL | model)), spec)
    for bias in mlp.network.biases:  # of 0 would hide mistakes
        bias.data.normal_()
    return mlp


def batch(mlp, count=6):
    torch.manual_seed(1)
    labels = torch.arange(count) % len(mlp.spec.classes)
    return Batch(torch.rand(count, *mlp.spec.shape) * 2 - 1, picture_seeds(count, 3), labels)


def update(mlp, batch):
    (found,) = mlp.training_step(batch, START)
    return found


def doubled(batch):
    return Batch(batch.images.double(), batch.seeds, batch.labels)


def recipe(**model) -> Recipe:
    toy = toy_recipe("scratch-mlp")
    changed = type(toy.model).model_validate(toy.model.model_dump() | model)
    return toy.model_copy(update={"model": changed})


# Gradients


@settings(max_examples=25)
@given(
    channels=st.sampled_from([1, 3]),
    sides=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    classes=st.integers(2, 5),
    width=st.integers(1, 9),
    hidden_layers=st.integers(0, 4),
    count=st.integers(1, 7),
)
def test_loss_and_gradients_are_those_of_autograd(
    channels, sides, classes, width, hidden_layers, count
):
    mlp = family(channels, *sides, classes, width=width, hidden_layers=hidden_layers).double()
    b = doubled(batch(mlp, count))
    network = mlp.network
    a = rows_of(b.images)
    for i, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        z = F.linear(a, weight.T, bias)
        a = F.relu(z) if i < hidden_layers else z
    loss = F.cross_entropy(a, b.labels)
    expected = torch.autograd.grad(loss, list(network.parameters()))

    found = update(mlp, b)
    torch.testing.assert_close(found.loss, loss.detach())
    assert found.gradients is not None
    for (name, _), gradient in zip(network.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found.gradients[name], gradient, rtol=1e-9, atol=1e-12)
    assert not found.loss.requires_grad
    torch.testing.assert_close(mlp.logits(b.images), a)


@pytest.mark.parametrize("dropout", [0.2, 0.7])
def test_gradients_go_around_units_that_are_off(dropout):
    mlp = family(width=9, dropout=dropout).double()
    b = doubled(batch(mlp))
    masks = mlp._masks(b.seeds)
    on_or_off = torch.tensor([0, 1 / (1 - dropout)])
    assert all(torch.equal(mask.unique(), on_or_off) for mask in masks)
    layers = mlp.network(rows_of(b.images), masks)
    loss = F.cross_entropy(layers[-1], b.labels)
    expected = torch.autograd.grad(loss, list(mlp.network.parameters()))
    found = update(mlp, b)
    torch.testing.assert_close(found.loss, loss.detach())
    for (name, _), gradient in zip(mlp.network.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found.gradients[name], gradient)


def test_dropout_switches_off_its_share_and_keeps_the_mean():
    mlp = family(width=400, dropout=0.3)
    for mask in mlp._masks(picture_seeds(50, 0)):
        assert (mask == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
        assert mask.mean().item() == pytest.approx(1, abs=0.03)


@given(st.integers(1, 6), st.integers(2, 6), st.floats(0.1, 100))
def test_softmax_cross_entropy_is_the_librarys(count, classes, size):
    torch.manual_seed(count)
    z = (torch.randn(count, classes, dtype=torch.float64) * size).requires_grad_()
    labels = torch.randint(classes, (count,))
    expected = F.cross_entropy(z, labels)
    loss, error = softmax_cross_entropy(z.detach(), labels)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(error, torch.autograd.grad(expected, z)[0])


def test_a_picture_without_a_label_counts_for_nothing():
    z, labels = torch.randn(4, 3), torch.tensor([0, -1, 2, 1])
    loss, error = softmax_cross_entropy(z, labels)
    known = labels >= 0
    alone, alone_error = softmax_cross_entropy(z[known], labels[known])
    torch.testing.assert_close(loss, alone * 3 / 4)
    torch.testing.assert_close(error[known], alone_error * 3 / 4)
    assert not error[1].any()


def test_half_precision_gives_nearly_the_same_gradients():
    exact, mixed = (
        Trainer(family(width=64), toy_dataset(3, 4, channels=1), recipe().training, engine)
        for engine in (start_engine("cpu", "fp32"), start_engine("cpu", "bf16"))
    )
    for t in (exact, mixed):
        next(t._turns(t._batch(0), only=None))
    for p, q in zip(exact.family.parameters(), mixed.family.parameters(), strict=True):
        assert q.grad.dtype == torch.float32
        assert (q.grad - p.grad).norm() < 0.15 * p.grad.norm()
        assert not q.grad.equal(p.grad)


# Steps


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_many_steps_are_those_of_torch_optim(optimizer, weight_decay):
    ours, theirs = (
        family(optimizer=optimizer, weight_decay=weight_decay).double().network for _ in range(2)
    )
    groups = [
        {"params": list(theirs.weights), "weight_decay": weight_decay},
        {"params": list(theirs.biases), "weight_decay": 0.0},
    ]
    torchs = (
        torch.optim.SGD(groups, momentum=0.9)
        if optimizer == "momentum"
        else torch.optim.Adam(groups, betas=(0.9, 0.999))
    )
    memory: dict[str, torch.Tensor] = {}
    for step in range(60):
        rate = 0.1 * (1 + math.cos(step / 20))
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            p.grad = torch.randn_like(p) * 10 ** (step % 3)
            q.grad = p.grad.clone()
        with torch.no_grad():
            ours.step(rate, memory)
        for group in torchs.param_groups:
            group["lr"] = rate
        torchs.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_resumed_run_is_bitwise_the_uninterrupted_one(optimizer, tmp_path):
    chosen = recipe(optimizer=optimizer, dropout=0.3, weight_decay=0.01)
    whole = toy_trainer(chosen, toy_dataset())
    toy_session(whole, tmp_path / "whole").run()
    stopper = StopAt(STEPS // 2)
    stopper.session = toy_session(toy_trainer(chosen, toy_dataset()), tmp_path / "cut", [stopper])
    assert stopper.session.run() == "interrupted"
    again = toy_trainer(chosen, toy_dataset())
    assert toy_session(again, tmp_path / "cut").run() == "finished"
    assert same_weights(whole, again)
    remembered = whole.tensors()["optimizers"]
    assert any(tensor.any() for tensor in remembered.values())
    forgotten = toy_trainer(chosen, toy_dataset())
    forgotten.restore(STEPS, whole.tensors() | {"optimizers": {}})
    whole.learn(), forgotten.learn()
    assert not same_weights(whole, forgotten), "the next step depends on what is remembered"


def test_what_the_step_remembers_is_no_part_of_the_average():
    t = toy_trainer(recipe(), toy_dataset())
    t.learn()
    names = {"temperature", *(f"network.{name}" for name, _ in t.family.network.named_parameters())}
    assert t.average.state_dict().keys() == t.family.state_dict().keys() == names


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_micro_batches_add_up_with_dropout_and_shifts(optimizer):
    chosen = recipe(optimizer=optimizer, dropout=0.4, shift_px=2)
    whole, pieces = (
        toy_trainer(chosen.with_training(micro_batches=n), toy_dataset()) for n in (1, 4)
    )
    for t in (whole, pieces):
        next(t._turns(t._batch(0), only=None))
    for p, q in zip(whole.family.parameters(), pieces.family.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped_when_asked():
    still = recipe(weight_decay=0.0)
    free, held = (
        toy_trainer(
            still.with_training(optimizer={"learning_rate": 1.0, "clip": clip}), toy_dataset()
        )
        for clip in (None, 1e-3)
    )
    before = [p.detach().clone() for p in held.family.parameters()]
    norm = held.learn()["network/gradient_norm"]
    assert norm == free.learn()["network/gradient_norm"] > 1e-3
    moved = [p - q for p, q in zip(held.family.parameters(), before, strict=True)]
    assert torch.nn.utils.get_total_norm(moved).item() == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize("player", [False, True])
@pytest.mark.parametrize(
    "dead", [{"kind": "sgd"}, {"momentum": 0.5}, {"betas": [0.5, 0.9]}, {"weight_decay": 0.1}]
)
def test_settings_of_torchs_optimizers_are_refused(dead, player):
    given = {"players": {"network": dead}} if player else {"optimizer": dead}
    with pytest.raises(SettingsError, match=f"training.optimizer.{next(iter(dead))} has no effect"):
        toy_trainer(recipe().with_training(**given), toy_dataset())


# Pictures


def test_rows_are_alike_however_bright_pale_or_large_pictures_are():
    images = torch.rand(4, 3, 5, 6)
    rows = rows_of(images)
    torch.testing.assert_close(
        rows, 10 * F.normalize(images.flatten(1) - images.mean((1, 2, 3))[:, None])
    )
    torch.testing.assert_close(rows_of(images / 4 - 0.7), rows, rtol=1e-3, atol=1e-3)
    large = rows_of(F.interpolate(images, scale_factor=4.0))
    torch.testing.assert_close(large.norm(dim=1), rows.norm(dim=1))
    assert not rows_of(torch.full((1, 3, 5, 6), 0.5)).any()


def test_a_picture_is_moved_by_its_own_seed_and_its_edges_continue():
    images = torch.rand(200, 3, 6, 7)
    seeds = picture_seeds(200, 0)
    found = shifted(images, seeds, 2)
    padded = F.pad(images, (2, 2, 2, 2), mode="replicate")
    moves = set()
    for i in range(200):
        fitting = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if torch.equal(found[i], padded[i, :, top : top + 6, left : left + 7])
        ]
        assert len(fitting) == 1
        moves |= set(fitting)
    assert len(moves) == 25
    assert torch.equal(shifted(images[7:8], seeds[7:8], 2), found[7:8])
    assert torch.equal(shifted(images, seeds, 0), images)


def test_a_preview_shows_the_whole_batch_with_mistakes_first():
    mlp = family(channels=3, height=8, width_px=8).eval()
    b = batch(mlp)
    wrong = mlp.classify(b.images).argmax(1) != b.labels
    assert 0 < wrong.sum() < len(b)
    preview = mlp.preview(b)
    red = torch.tensor([1.0, -1.0, -1.0])
    framed = [bool((picture[:, 1, 1] == red).all()) for picture in preview]
    assert framed == sorted(framed, reverse=True) and sum(framed) == wrong.sum()


# Learning


def test_it_reads_digits_after_seconds():
    digits = load_digits()
    pixels = (torch.from_numpy(digits.images)[:, None] * 15.9).to(torch.uint8)
    labels = torch.from_numpy(digits.target)
    shipped = read_recipe("scratch-mlp", ["model.width=64", "model.shift_px=0"])
    training = shipped.with_training(
        epochs=15, batch_size=64, average_halflife_images=1000
    ).training
    spec = ImageSpec(1, 8, 8, tuple("0123456789"))
    seed_everything(0, "weights")
    learnt = ImageDataset(pixels[::2], spec, labels=labels[::2])
    t = Trainer(Mlp(shipped.model, spec), learnt, training, start_engine("cpu", "fp32"))
    while t.progress.fraction < 1:
        t.learn()
    answers = t.average.classify(pixels[1::2].float() / 127.5 - 1).argmax(1)
    assert (answers == labels[1::2]).float().mean() > 0.93  # measured: 0.952


def test_one_class_is_refused():
    with pytest.raises(DatasetError, match="two or more"):
        family(classes=1)


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"dropout": 1.0}, {"momentum": 1.0}, {"optimizer": "sgd"}]
)
def test_settings_out_of_bounds_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Mlp.Settings(**wrong)
