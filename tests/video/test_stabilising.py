"""Stabilising takes flicker away and nothing else."""

import numpy as np
import torch

from films import scene
from maquette.core.images import Pixels, to_float, to_pixels
from maquette.video.stabilising import WATCHED_EVERY, Stabiliser


def frames(count: int) -> list[Pixels]:
    return [torch.from_numpy(f).permute(2, 0, 1)[None] for f in scene(count, 64, 96)]


def flickering(source: Pixels, index: int) -> Pixels:
    """Darker by a constant, and by a number of its own in every frame."""
    light = 0.3 * np.random.default_rng(index).standard_normal()
    return to_pixels(to_float(source) * 0.5 - 0.2 + 0.3 * light)


def brightness(made: list[Pixels]) -> float:
    """How much it goes up and down."""
    return float(np.std(np.diff([float(x.float().mean()) for x in made[3:]])))


def test_flicker_goes():
    sources = frames(20)
    plain = [flickering(f, i) for i, f in enumerate(sources)]
    stabiliser = Stabiliser(True)
    steady = [stabiliser(s, m)[0] for s, m in zip(sources, plain, strict=True)]
    assert brightness(steady) < 0.5 * brightness(plain)


def test_what_is_steady_stays_as_it_is():
    """A translation that always does the same thing is not smeared over time."""
    stabiliser = Stabiliser(True)
    for source in frames(12):
        made = to_pixels(to_float(source) * 0.8 - 0.1)
        shown, _ = stabiliser(source, made)
        assert (shown.float() - made.float()).abs().mean() < 2


def test_a_cut_begins_anew():
    stabiliser, (first, *_) = Stabiliser(True), frames(1)
    other = 255 - first.flip(3)
    stabiliser(first, first)
    made = to_pixels(-to_float(other))
    shown, _ = stabiliser(other, made)
    assert (shown.float() - made.float()).abs().mean() < 3


def test_watching_changes_nothing_and_a_new_size_has_no_past():
    stabiliser, watched = Stabiliser(False), []
    (first, second), smaller = frames(2), torch.zeros(1, 3, 20, 20, dtype=torch.uint8)
    for _ in range(2 * WATCHED_EVERY):
        shown, moved = stabiliser(first, second)
        assert shown.equal(second)
        watched.append(moved is not None)
    assert watched == [False] * WATCHED_EVERY + [True] + [False] * (WATCHED_EVERY - 1)
    assert stabiliser(smaller, smaller)[1] is None
