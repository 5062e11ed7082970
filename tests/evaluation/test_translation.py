"""What translators of known behaviour keep and lose."""

import pytest
import torch
from scipy.stats import bootstrap

from maquette.evaluation.translation import content_kept, cycle_error, edges_kept, identity_error
from scenes import scenes

PICTURES = scenes(80, seed=0)


def recoloured(pixels: torch.Tensor) -> torch.Tensor:
    """Colours that differ much and luminance that differs little."""
    return pixels[:, [2, 1, 0]]


def inverted(pixels: torch.Tensor) -> torch.Tensor:
    return 255 - pixels


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_is_lost_by_doing_nothing(channels: int) -> None:
    pictures = scenes(20, seed=0, channels=channels)
    for keeps in (content_kept, edges_kept):
        found = keeps(pictures, pictures)
        assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
        assert found.floor < 0.9
    for loses in (cycle_error, identity_error):
        found = loses(pictures, pictures)
        assert (found.value, found.low, found.high) == (0, 0, 0)
        assert found.floor > 5


def test_a_translator_that_forgets_its_input_scores_the_floor() -> None:
    others = PICTURES.roll(7, dims=0)
    for measure in (content_kept, edges_kept, cycle_error, identity_error):
        found = measure(PICTURES, others)
        assert found.low < found.floor < found.high
        assert found.count == 80


def test_content_survives_new_colours_and_edges_survive_inversion() -> None:
    assert content_kept(PICTURES, recoloured(PICTURES)).value > 0.8
    assert edges_kept(PICTURES, inverted(PICTURES)).value == pytest.approx(1, abs=1e-4)
    assert content_kept(PICTURES, inverted(PICTURES)).value < 0


def test_edges_are_where_brightness_changes() -> None:
    """Pure brightness far apart keeps the edges, a displacement does not."""
    brighter = (PICTURES.int() + 40).clamp(0, 255).byte()
    moved = edges_kept(PICTURES, PICTURES.roll(6, dims=3))
    assert edges_kept(PICTURES, brighter).low > moved.high


def test_errors_are_in_grey_levels() -> None:
    shifted = PICTURES // 2 + 60
    found = cycle_error(shifted, shifted + 5)
    assert (found.value, found.low, found.high) == pytest.approx((5, 5, 5))
    black = torch.zeros_like(PICTURES)
    assert identity_error(black, inverted(black)).value == 255


def test_the_interval_is_scipys_bootstrap() -> None:
    noisy = (PICTURES.int() * torch.linspace(0.3, 1, 80)[:, None, None, None]).byte()
    found = cycle_error(PICTURES, noisy)
    values = (PICTURES.double() - noisy.double()).abs().mean((1, 2, 3)).numpy()
    expected = bootstrap((values,), lambda x, axis: x.mean(axis), method="percentile", rng=0)
    interval = expected.confidence_interval
    assert found.value == pytest.approx(values.mean())
    width = interval.high - interval.low
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.1 * width)


def test_a_seed_repeats_itself() -> None:
    first, again, other = (cycle_error(PICTURES, inverted(PICTURES), seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert first.value == other.value
