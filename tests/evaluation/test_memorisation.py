"""Copies are found, other pictures of the same kind are not, whatever duplicates a set holds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest

from maquette.evaluation.memorisation import Memorisation, memorisation
from maquette.evaluation.neighbours import pixel_vectors
from scenes import scenes


def measured(
    generated: torch.Tensor, training: torch.Tensor, held_out: torch.Tensor
) -> Memorisation:
    plain, mirrored = pixel_vectors(training)
    parts = (pixel_vectors(part).plain for part in (generated, held_out))
    return memorisation(next(parts), plain, next(parts), mirrored)


def noisy(pixels: torch.Tensor, levels: int = 2) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    change = torch.randint(-levels, levels + 1, pixels.shape, generator=random)
    return (pixels.int() + change).clamp(0, 255).byte()


def shifted(pixels: torch.Tensor, levels: int) -> torch.Tensor:
    return (pixels.int() + levels).clamp(0, 255).byte()


REPLAYS = {
    "as they are": lambda pixels: pixels,
    "flipped": lambda pixels: pixels.flip(3),
    "noise": noisy,
    "flipped, noise": lambda pixels: noisy(pixels.flip(3)),
    "brighter": lambda pixels: shifted(pixels, 2),
    "darker, flipped": lambda pixels: shifted(pixels, -2).flip(3),
}


@pytest.mark.parametrize("replay", REPLAYS)
def test_replayed_pictures_are_flagged(replay: str) -> None:
    training, held_out = scenes(300, seed=0), scenes(100, seed=1)
    found = measured(REPLAYS[replay](training[:120]), training, held_out)
    assert found.rate >= 0.99
    assert found.nearest_index.tolist() == list(range(120))


def test_other_pictures_of_the_same_kind_are_not() -> None:
    found = measured(scenes(200, seed=2), scenes(300, seed=0), scenes(100, seed=1))
    assert found.rate <= 0.05
    assert found.held_out_rate <= 0.05
    assert (found.distance > 0.5).all()


def test_a_share_of_copies_is_that_share_with_its_interval() -> None:
    training = scenes(300, seed=0)
    generated = torch.cat([scenes(60, seed=2), noisy(training[100:140])])
    found = measured(generated, training, scenes(100, seed=1))
    assert found.is_copy[60:].all()
    copies = int(found.is_copy.sum())
    assert 40 <= copies <= 43
    assert found.rate == copies / 100
    expected = binomtest(copies, 100).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    worst = found.score.argsort()[:40].sort().values
    assert worst.tolist() == list(range(60, 100))
    assert found.nearest_index[60:].tolist() == list(range(100, 140))


def test_held_out_duplicates_do_not_blind_it_and_are_told() -> None:
    """A third of the held-out pictures is in training: the percentile is a distance of copies."""
    training = scenes(300, seed=0)
    held_out = torch.cat([training[:50], scenes(100, seed=1)])[torch.randperm(150)]
    found = measured(noisy(training[100:200]), training, held_out)
    assert found.rate >= 0.99
    assert found.held_out_rate == pytest.approx(1 / 3, abs=0.02)


def test_duplicates_in_training_do_not_hide_copies() -> None:
    """The two nearest are equally near, so their ratio would be 1."""
    training = scenes(100, seed=0).repeat(5, 1, 1, 1)
    assert measured(noisy(training[:50]), training, scenes(100, seed=1)).rate >= 0.99


def test_blurred_averages_are_no_copies() -> None:
    training = scenes(300, seed=0)
    means = training[:200].float().reshape(20, 10, 3, 32, 32).mean(1).byte()
    assert measured(means, training, scenes(100, seed=1)).rate == 0


def test_few_and_equal_training_pictures_give_a_number() -> None:
    few, other = scenes(2, seed=0), scenes(30, seed=1)
    assert measured(few, few, other).rate == 1
    equal = few[:1].repeat(60, 1, 1, 1)
    found = measured(torch.cat([few[:1], other]), equal, other)
    assert found.is_copy.tolist() == [True] + 30 * [False]


def test_features_serve_as_well_as_pixels() -> None:
    random = np.random.default_rng(0)
    plain, mirrored, held_out, noise = (
        torch.from_numpy(random.normal(size=(n, 16)).clip(0)).double() for n in (200, 200, 80, 50)
    )
    for view in (plain, mirrored):
        found = memorisation(view[:50] + 0.02 * noise, plain, held_out, mirrored)
        assert found.rate >= 0.98
        assert found.nearest_index.tolist() == list(range(50))
    assert memorisation(mirrored[:50], plain, held_out).rate < 0.1


@pytest.mark.parametrize("folder", ["landscapes", "horse2zebra/trainA"])
def test_on_real_photos(real_data: Path, folder: str) -> None:
    files = sorted((real_data / folder).rglob("*.jpg"))
    files = [files[i] for i in np.random.default_rng(0).permutation(len(files))[:700]]
    loaded = [np.asarray(Image.open(f).convert("RGB").resize((32, 32))) for f in files]
    pixels = torch.from_numpy(np.stack(loaded)).permute(0, 3, 1, 2)
    training, calibrating, held_out = pixels[:400], pixels[400:550], pixels[550:]
    assert measured(held_out, training, calibrating).rate <= 0.05
    for replay in REPLAYS.values():
        assert measured(replay(training), training, calibrating).rate >= 0.99
