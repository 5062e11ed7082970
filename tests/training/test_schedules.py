"""Every law stays within its bounds, ends where it says, and equals its closed form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from maquette.core.family import Progress
from maquette.training.schedules import (
    Constant,
    Cosine,
    LinearDecay,
    Phase,
    Phases,
    Schedule,
    Table,
    TableRow,
)

fractions = st.floats(0, 1)
rates = st.floats(1e-8, 1)


def at(fraction: float, images: int = 10**9, epochs: float = 0.0) -> Progress:
    return Progress(step=1, images=images, fraction=fraction, epochs=epochs)


@st.composite
def schedules(draw):
    warmup = draw(st.integers(0, 10_000))
    phases = st.lists(st.builds(Phase, learning_rate=rates, epochs=st.floats(0.1, 500)), min_size=1)
    starts = st.lists(st.integers(1, 300), unique=True, max_size=5).map(sorted)
    rows = starts.map(
        lambda s: tuple(TableRow(from_epoch=e, learning_rate=1e-3 / (e + 1)) for e in (0, *s))
    )
    return draw(
        st.one_of(
            st.just(Constant(warmup_images=warmup)),
            st.builds(LinearDecay, start=fractions, warmup_images=st.just(warmup)),
            st.builds(Cosine, final=fractions, warmup_images=st.just(warmup)),
            st.builds(Phases, phases=phases.map(tuple), warmup_images=st.just(warmup)),
            st.builds(Table, rows=rows, warmup_images=st.just(warmup)),
        )
    )


@given(schedules(), rates, fractions, st.integers(0, 10**9), st.floats(0, 1000))
def test_a_rate_never_leaves_its_bounds(schedule, base, fraction, images, epochs):
    rate = schedule.rate(base, Progress(1, images, fraction, epochs))
    assert 0 <= rate <= schedule.highest(base)


@given(schedules(), rates, fractions)
def test_a_schedule_survives_a_round_trip(schedule, base, fraction):
    again = TypeAdapter(Schedule).validate_python(schedule.model_dump(mode="json"))
    assert again.rate(base, at(fraction)) == schedule.rate(base, at(fraction))


@given(rates, fractions, fractions)
def test_linear_decay_is_a_straight_line_to_zero(base, start, fraction):
    expected = base if fraction <= start else base * (1 - fraction) / (1 - start)
    assert LinearDecay(start=start).rate(base, at(fraction)) == pytest.approx(expected, abs=1e-15)


def test_linear_decay_past_its_end_stays_at_zero():
    assert LinearDecay().law(1.0, at(1.5)) == 0


@given(rates, fractions)
def test_cosine_follows_the_paper(base, fraction):
    expected = base * (0.1 + 0.9 * (1 + math.cos(math.pi * fraction)) / 2)
    assert Cosine(final=0.1).rate(base, at(fraction)) == pytest.approx(expected)


def test_phases_hold_their_rate_for_their_epochs():
    plan = [(2e-4, 400), (1e-4, 300), (5e-5, 200), (2.5e-5, 200), (1e-5, 200)]
    phases = Phases(phases=tuple(Phase(learning_rate=r, epochs=e) for r, e in plan))
    assert phases.total_epochs == 1300
    for epoch, rate in [(0, 2e-4), (399, 2e-4), (400, 1e-4), (899, 5e-5), (1299, 1e-5)]:
        assert phases.rate(1.0, at(epoch / 1300 + 1e-9)) == rate
    assert phases.rate(1.0, at(1.0)) == 1e-5


def test_a_table_goes_up_and_down():
    rows = [(0, 1e-3), (25, 2e-4), (50, 2e-5), (60, 4e-5)]
    table = Table(rows=tuple(TableRow(from_epoch=e, learning_rate=r) for e, r in rows))
    found = [table.rate(1.0, at(0, epochs=e)) for e in (0, 24.9, 25, 55, 60, 900)]
    assert found == [1e-3, 1e-3, 2e-4, 2e-5, 4e-5, 4e-5]


@pytest.mark.parametrize("starts", [(1, 2), (0, 5, 5), (0, 9, 3)])
def test_a_table_out_of_order_is_refused(starts):
    with pytest.raises(ValidationError, match="from_epoch 0 and rise"):
        Table(rows=tuple(TableRow(from_epoch=e, learning_rate=1.0) for e in starts))


def test_warm_up_rises_from_nearly_zero():
    schedule = Constant(warmup_images=999)
    found = [schedule.rate(1.0, at(0, images=i)) for i in (0, 499, 999, 5000)]
    assert found == pytest.approx([0.001, 0.5, 1.0, 1.0])
