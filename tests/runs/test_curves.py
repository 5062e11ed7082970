"""Curves keep the truth: what was given up stays visible, spikes keep their height."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maquette.runs.charts import draw
from maquette.runs.curves import Curve, read_curves, smoothed, thinned


def line(step: int, **values: object) -> dict[str, object]:
    return {"step": step, "images": step * 10, "seconds": step / 2, **values}


def test_points_before_a_rollback_are_abandoned_and_the_rest_kept() -> None:
    history = [line(s, loss=float(s)) for s in (1, 2, 3, 4)]
    history += [line(4, event="rollback", message="back to 1")]
    history += [line(s, loss=s + 0.5) for s in (2, 3, 4, 5)]
    curve = read_curves(history)["loss"]
    assert curve.kept.tolist() == [True, False, False, False, True, True, True, True]
    kept, abandoned = curve.branches()
    assert kept.values.tolist() == [1, 2.5, 3.5, 4.5, 5.5]
    assert abandoned.values.tolist() == [1, 2, 3, 4]  # from where it left the kept curve


def test_two_rollbacks_give_two_abandoned_branches() -> None:
    history = [line(s, loss=1.0) for s in (1, 2, 3, 2, 3, 2, 3)]
    branches = list(read_curves(history)["loss"].branches())
    assert [b.at.tolist() for b in branches] == [[10, 20, 30], [10, 20, 30], [30, 20, 30]]


def test_scores_beside_losses_of_the_same_step_are_both_kept() -> None:
    history = [line(10, loss=1.0), line(10, score=0.5), line(20, loss=2.0)]
    curves = read_curves(history)
    assert list(curves) == ["loss", "score"]
    assert curves["loss"].kept.all() and curves["score"].kept.all()


def test_only_finite_numbers_make_points() -> None:
    history = [line(1, loss=float("nan"), note="text"), line(2, loss=float("inf")), line(3, loss=1)]
    assert {n: c.at.tolist() for n, c in read_curves(history).items()} == {"loss": [30]}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(10, 200))
def test_thinning_keeps_the_extremes_and_the_order(values: list[float], most: int) -> None:
    whole = Curve(np.arange(len(values), dtype=float), np.array(values), np.ones(len(values), bool))
    thin = thinned(whole, most)
    assert len(thin.values) <= max(most, 1)
    assert (thin.values.min(), thin.values.max()) == (min(values), max(values))
    assert (np.diff(thin.at) > 0).all()


def test_smoothing_follows_the_trend_and_ignores_single_spikes() -> None:
    images = np.arange(5000.0)
    values = images / 5000
    spiky = values.copy()
    spiky[::97] = 1000
    smooth = smoothed(Curve(images, spiky, np.ones(5000, bool)))
    assert len(smooth.values) == 240
    assert np.abs(smooth.values - np.interp(smooth.at, images, values)).max() < 0.02


def test_a_curve_of_which_everything_was_given_up_is_drawn():
    curves = read_curves([{"step": 500, "images": 1, "a": 2.0}, {"step": 10, "images": 1, "b": 1}])
    assert not curves["a"].kept.any()
    assert draw([curves["a"]], "a").startswith("<svg")


def test_ends_of_an_interval_are_the_band_of_their_number() -> None:
    history = [line(10, score=2.0, score_low=1.5, score_high=2.5), line(20, score=1.0)]
    history += [line(30, score=3.0, score_low=2.0, score_high=4.0), line(30, a_low=1.0)]
    curves = read_curves(history)
    assert list(curves) == ["score", "a_low"]  # the second is the end of nothing
    band = curves["score"].band
    assert band is not None and curves["a_low"].band is None
    np.testing.assert_equal(band, [[1.5, 2.5], [np.nan, np.nan], [2.0, 4.0]])
    later = curves["score"].where(curves["score"].at > 100).band
    np.testing.assert_equal(later, band[1:])


def test_a_band_is_drawn_within_the_picture() -> None:
    steps = range(10, 110, 10)
    bare = [line(s, score=s / 10) for s in steps]
    banded = [line(s, score=s / 10, score_low=s / 20, score_high=s / 4) for s in steps]
    without, with_band = (draw([read_curves(h)["score"]], "score") for h in (bare, banded))
    assert without.count("FillBetween") == 0 and with_band.count("FillBetween") >= 1
    assert ">20<" in with_band and ">20<" not in without  # the axis reaches the upper end
