"""The Parzen number of a run: all pictures made, the bandwidth chosen on every second one."""

import torch

from maquette.evaluation.bootstrap import DEVIATIONS
from maquette.evaluation.evidence import Evidence, Seen
from maquette.evaluation.metrics.likelihood import ParzenLikelihood
from maquette.evaluation.parzen import SIGMAS, log_likelihoods, parzen_window
from scenes import scenes


def seen(count: int, seed: int) -> Seen:
    return Seen(scenes(count, seed=seed, size=(12, 16)), torch.zeros(count, 3))


def test_it_is_made_from_as_many_pictures_as_were_asked_for():
    """More than there are to learn from, as the protocol of 10,000 may ask for."""
    made, train, held_out = seen(90, 0), seen(40, 1), seen(60, 2)
    evidence = Evidence(made, seen(90, 3), train, held_out, torch.zeros(40, 3), "", "toy")
    (found,) = ParzenLikelihood().measure(evidence)
    validation, test = held_out.pixels[::2], held_out.pixels[1::2]
    by_hand = parzen_window(made.pixels, validation, test)
    assert (found.value, found.count) == (by_hand.value, 90)
    assert found.high == by_hand.value + DEVIATIONS * by_hand.error
    assert found.ceiling == parzen_window(train.pixels, validation, test).value
    assert "real: 40 training pictures as samples" in found.note


def test_it_says_how_the_bandwidth_moves_it():
    made, held_out = seen(90, 0), seen(60, 2)
    evidence = Evidence(made, made, made, held_out, torch.zeros(90, 3), "", "toy")
    (found,) = ParzenLikelihood().measure(evidence)
    validation, test = held_out.pixels[::2], held_out.pixels[1::2]
    sigma = parzen_window(made.pixels, validation, test).sigma
    half = SIGMAS[SIGMAS.index(sigma) - 3]
    assert abs(half / sigma - 0.5) < 0.01
    value = log_likelihoods(validation, made.pixels, [half]).mean().item()
    assert f"bandwidth {sigma:.3g}" in found.note and f"{value:,.0f} at half of it" in found.note
