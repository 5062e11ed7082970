"""CycleGAN and CUT: sizes of the papers, losses against plain independent code."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from conftest import toy_dataset
from maquette.core.errors import SettingsError
from maquette.core.family import Progress
from maquette.core.images import Batch, ImageSpec
from maquette.core.randomness import picture_seeds
from maquette.families.cut import Cut, CutSettings
from maquette.families.cyclegan import CycleGan, CycleGanSettings
from maquette.networks.patches import PatchDiscriminator
from maquette.networks.translator_settings import NETWORKS
from maquette.networks.translators import ResidualTranslator
from maquette.objectives.memory import ImageMemory
from maquette.objectives.patch_nce import patch_nce

START = Progress(step=0, images=0, fraction=0.0)
SMALL = {"width": 4, "blocks": 1, "start": "random"}
JUDGE = {"width": 4, "halvings": 2}


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameters_are_those_of_the_paper_layer_by_layer():
    paper = CycleGan(
        CycleGanSettings(upsampling="transposed", start="random"), ImageSpec(3, 256, 256)
    )
    network = paper.translators["a_to_b"]
    stages = [(7 * 7 * 3 + 1) * 64, (9 * 64 + 1) * 128, (9 * 128 + 1) * 256]
    block = 2 * (9 * 256 + 1) * 256
    ups = [(9 * 256) * 128 + 128, (9 * 128) * 64 + 64]
    assert [parameters(m) for m in (network.first, network.second, network.third)] == stages
    assert [parameters(m) for m in network.blocks] == [block] * 9
    assert parameters(network.up) == sum(ups)
    assert parameters(network.head) == (49 * 64 + 1) * 3
    assert parameters(network) == 11_378_179  # the 11.378 M everybody quotes
    assert parameters(paper.discriminators["a"]) == 2_764_737  # and 2.765 M


def test_a_patch_is_70_pixels_wide():
    judge = PatchDiscriminator(1, 2, normalisation="spectral").double()
    picture = torch.zeros(1, 1, 256, 256, dtype=torch.double, requires_grad=True)
    scores = judge(picture)[0].view(30, 30)
    scores[15, 15].backward()
    rows = picture.grad[0, 0].abs().sum(1).nonzero()[:, 0]
    assert rows.max() - rows.min() + 1 == 70


@pytest.mark.parametrize("network", NETWORKS.values())
@pytest.mark.parametrize("size", [(16, 16), (37, 50), (33, 64)])
def test_translators_begin_at_the_picture_itself_at_any_size(network, size):
    images = torch.rand(2, 3, *size) * 2 - 1
    assert torch.equal(network(3, 4, 2, "resize", "identity")(images), images)
    changed = network(3, 4, 2, "transposed", "random")(images)
    assert changed.shape == images.shape and changed.abs().max() <= 1


def test_an_identity_start_can_leave_and_stays_in_range():
    network = ResidualTranslator(3, 4, 1, "resize", "identity")
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    images, wanted = torch.ones(2, 3, 16, 16), -torch.ones(2, 3, 16, 16)
    for _ in range(150):
        optimizer.zero_grad()
        made = network(images)
        (made - wanted).square().mean().backward()
        optimizer.step()
    assert made.abs().max() <= 1
    assert (made - wanted).abs().mean() < 0.1


def losses_of(family: CycleGan | Cut, batch: Batch) -> dict[str, torch.Tensor]:
    return {u.player: u.loss for u in family.training_step(batch, START)}


def test_cyclegan_losses_are_the_papers():
    family = CycleGan(CycleGanSettings(**SMALL, discriminator=JUDGE), ImageSpec(3, 16, 24))
    batch = toy_dataset(16, 24).batch(0, 4, 0)
    a, b = batch.images, batch.partners
    g, f = family.translators["a_to_b"], family.translators["b_to_a"]
    d_a, d_b = family.discriminators["a"], family.discriminators["b"]

    fake_b, fake_a = g(a), f(b)
    fooling = ((d_b(fake_b)[0] - 1) ** 2).mean() + ((d_a(fake_a)[0] - 1) ** 2).mean()
    cycle = F.l1_loss(f(fake_b), a) + F.l1_loss(g(fake_a), b)
    identity = F.l1_loss(g(b), b) + F.l1_loss(f(a), a)
    judged = sum(
        (((d(real)[0] - 1) ** 2).mean() + (d(fake.detach())[0] ** 2).mean()) / 2
        for d, real, fake in ((d_a, a, fake_a), (d_b, b, fake_b))
    )
    found = losses_of(family, batch)
    torch.testing.assert_close(found["translators"], fooling + 10 * cycle + 5 * identity)
    torch.testing.assert_close(found["discriminators"], judged)


@pytest.mark.parametrize(("heads_a", "heads_b"), [(2, 2), (1, 2)])
def test_two_heads_have_two_objectives(heads_a, heads_b):
    judge = JUDGE | {"heads_a": heads_a, "heads_b": heads_b}
    settings = CycleGanSettings(**SMALL, discriminator=judge, cycle=0, identity=0, loss="hinge")
    family = CycleGan(settings, ImageSpec(3, 16, 16))
    batch = toy_dataset().batch(0, 4, 0)
    fake = {
        "b": family.translate(batch.images, "a_to_b"),
        "a": family.translate(batch.partners, "b_to_a"),
    }
    real = {"a": batch.images, "b": batch.partners}
    fooling, judged = torch.tensor(0.0), torch.tensor(0.0)
    for domain, heads in (("a", heads_a), ("b", heads_b)):
        of_real, of_fake = (family.discriminators[domain](x[domain]) for x in (real, fake))
        judged = (
            judged + (1 - of_real[0]).clamp(min=0).mean() + (1 + of_fake[0]).clamp(min=0).mean()
        )
        fooling = fooling - of_fake[0].mean()
        if heads == 2:
            is_fake = [torch.zeros_like(of_real[1]), torch.ones_like(of_fake[1])]
            judged = judged + F.binary_cross_entropy_with_logits(of_real[1], is_fake[0])
            judged = judged + F.binary_cross_entropy_with_logits(of_fake[1], is_fake[1])
            fooling = fooling + F.binary_cross_entropy_with_logits(of_fake[1], is_fake[0])
    found = losses_of(family, batch)
    torch.testing.assert_close(found["translators"], fooling)
    torch.testing.assert_close(found["discriminators"], judged)


def test_the_memory_gives_back_about_half_and_keeps_what_it_exchanged():
    memory = ImageMemory(50, (1, 1, 1))
    given = []
    for step in range(60):
        fresh = torch.arange(step * 10.0, step * 10 + 10).view(10, 1, 1, 1)
        back = memory.exchange(fresh, picture_seeds(10, 0, step), "x")
        given += back.flatten().tolist()
        if step < 5:  # it is filling
            assert torch.equal(back, fresh)
    kept = memory.pictures.flatten().tolist()
    assert len(set(kept)) == 50 and not set(kept) & set(given[-10:])
    fresh_shares = [value == number for number, value in enumerate(given)][50:]
    assert 0.42 < sum(fresh_shares) / len(fresh_shares) < 0.58


def test_patch_nce_is_a_cross_entropy_over_the_places_of_one_picture():
    torch.manual_seed(0)
    query, key = (F.normalize(torch.randn(2, 5, 8), dim=2) for _ in range(2))
    total = 0.0
    for picture, place in itertools.product(range(2), range(5)):
        likeness = torch.stack([query[picture, place] @ key[picture, i] for i in range(5)]) / 0.07
        total += F.cross_entropy(likeness[None], torch.tensor([place])).item()
    assert patch_nce([query], [key]).item() == pytest.approx(total / 10, rel=1e-5)
    assert patch_nce([query], [query]) < patch_nce([query], [key])


def test_cut_compares_a_picture_with_its_translation_at_the_same_places():
    settings = CutSettings(width=4, blocks=2, discriminator=JUDGE, patches=16)
    family = Cut(settings, ImageSpec(3, 16, 16))
    batch = toy_dataset().batch(0, 4, 0)
    updates = list(family.training_step(batch, START))
    assert [u.player for u in updates] == ["discriminator", "translator"]
    unchanged = {name: value.item() for name, value in updates[1].notes.items()}
    assert unchanged.keys() == {"nce", "nce_identity"}  # at the identity every place finds itself
    head = family.translator.network.head.convolution
    nn.init.normal_(head.weight, 0, 0.5)
    changed = list(family.training_step(batch, START))[1].notes
    assert changed["nce"] > unchanged["nce"]


@pytest.mark.parametrize("family", [CycleGan, Cut])
def test_tiny_pictures_are_refused(family):
    with pytest.raises(SettingsError, match="3x3 px are too small to translate"):
        family(family.Settings(), ImageSpec(3, 3, 3))


@pytest.mark.parametrize("family", [CycleGan, Cut])
@pytest.mark.parametrize(("side", "halvings"), [(16, 2), (24, 3), (23, 3), (47, 4), (48, 4)])
def test_too_many_halvings_are_refused_and_just_enough_work(family, side, halvings):
    judge = {"width": 4, "halvings": halvings}
    settings = family.Settings(width=4, blocks=1, discriminator=judge)
    spec = ImageSpec(3, side, side + 8)
    if side < 3 * 2**halvings:
        with pytest.raises(SettingsError, match=r"set model\.discriminator\.halvings lower"):
            family(settings, spec)
        return
    batch = toy_dataset(side, side + 8).batch(0, 2, 0)
    assert all(u.loss.isfinite() for u in family(settings, spec).training_step(batch, START))
