"""Wilson's interval against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from maquette.evaluation.intervals import wilson_interval


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_agrees_with_scipy(case: tuple[int, int]) -> None:
    successes, count = case
    expected = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    ours = wilson_interval(successes, count)
    assert ours == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert 0 <= ours[0] < ours[1] <= 1
