"""Only what was measured in the same way stands in one row; only what is sure is called best."""

from dataclasses import replace
from pathlib import Path

import pytest

from maquette.evaluation.metric import Measurement
from maquette.recipe import parse_recipe
from maquette.runs.comparison import Compared, differing_settings, surely_best, tables
from maquette.runs.evaluations import BEST, LAST, SELECTED, Column, MeasuredOn
from maquette.runs.folder import Run

KID = Measurement(
    "kernel distance, KID (net)", 0.2, 0.1, 0.3, 500, 2.0, 0.0, features="net, weights 1"
)
LOWER = replace(KID, floor=0.0, ceiling=0.1, lower_is_better=True)
PRECISION = Measurement("precision (net)", 0.8, 0.7, 0.9, 500, 0.0, 1.0, features="net, weights 1")


def compared(
    name: str, *found: Measurement, dataset: str = "f" * 64, kind: str = SELECTED, steps: int = 8
) -> Compared:
    recipe = parse_recipe(f"name: x\nfamily: gan\ntraining: {{steps: {steps}, batch_size: 4}}")
    info = {"state": "finished", "dataset": {"name": "d", "fingerprint": dataset}}
    return Compared(name, Run(Path(name), recipe, info), (Column(kind, 8, found),), ())


def shifted(found: Measurement, by: float) -> Measurement:
    assert found.low is not None and found.high is not None
    return replace(found, value=found.value + by, low=found.low + by, high=found.high + by)


@pytest.mark.parametrize(
    ("cells", "best"),
    [
        ([KID, shifted(KID, 0.5)], 0),  # lower is better: towards the ceiling
        ([PRECISION, shifted(PRECISION, 0.5)], 1),  # higher is better
        ([KID, shifted(KID, 0.1)], None),  # the intervals overlap
        ([KID, replace(KID, low=0.3, high=0.5)], None),  # and touch
        ([shifted(KID, 0.6), KID, shifted(KID, 0.5)], 1),
        ([shifted(KID, 0.6), KID, shifted(KID, 0.1)], None),  # sure against one of two only
        ([KID, None], None),
        ([KID, None, shifted(KID, 0.5)], 0),
        ([KID, replace(shifted(KID, 0.5), low=None)], None),  # no interval
        ([replace(KID, floor=None), replace(shifted(KID, 0.5), floor=None)], None),
        # Floor and ceiling are on the wrong sides by chance, or missing: it says itself.
        ([LOWER, shifted(LOWER, 0.5)], 0),
        ([replace(LOWER, floor=None), replace(shifted(LOWER, 0.5), ceiling=None)], 0),
        ([KID, replace(shifted(KID, 0.5), floor=-1.0)], None),  # do not agree what is better
    ],
)
def test_best_is_what_overlaps_with_no_other(cells, best):
    assert surely_best(cells) == best


def test_alike_stands_in_one_row():
    (table,) = tables([compared("a", KID, PRECISION), compared("b", shifted(KID, 0.5), PRECISION)])
    kid, precision = table.rows
    assert table.kind == SELECTED
    assert (kid.cells, kid.best, kid.remark) == ((KID, shifted(KID, 0.5)), 0, "")
    assert (precision.best, precision.remark) == (None, "too close to tell")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (compared("b", replace(KID, count=100)), "from 100 pictures"),
        (compared("b", replace(KID, features="net, weights 2")), "with net, weights 2"),
        (compared("b", KID, dataset="e" * 64), "against d (eeeeeeee)"),
        (
            compared(
                "b", replace(KID, name="kernel distance, KID (other)", features="other, weights 3")
            ),
            "with other, weights 3",
        ),
    ],
)
def test_what_was_measured_in_other_ways_stands_apart_and_says_so(other, told):
    (table,) = tables([compared("a", KID), other])
    first, second = table.rows
    assert [cell is None for cell in first.cells] == [False, True]
    assert [cell is None for cell in second.cells] == [True, False]
    assert first.best is None and second.best is None
    assert second.remark == f"not comparable with other rows: measured {told}"
    assert first.remark.startswith("not comparable with other rows")


def test_the_same_test_set_makes_runs_of_different_datasets_comparable():
    one, two = compared("a", KID), compared("b", shifted(KID, 0.5), dataset="e" * 64)
    on = MeasuredOn("test", "d" * 64, 500, foreign=True)
    (table,) = tables([replace(run, measured_on=on) for run in (one, two)])
    (row,) = table.rows
    assert row.best == 0
    other = replace(on, fingerprint="c" * 64)
    (table,) = tables([replace(one, measured_on=on), replace(one, name="b", measured_on=other)])
    assert [row.best for row in table.rows] == [None, None]


def test_a_number_that_only_one_has_is_no_contest():
    (table,) = tables([compared("a", KID, PRECISION), compared("b", KID)])
    assert table.rows[1].remark == "not measured for every run"


def test_kinds_of_checkpoints_never_meet():
    """A best of run beside a selected one is how published numbers flatter."""
    flattering = Column(BEST, None, (shifted(KID, -0.1),))
    one = compared("a", KID)
    both = replace(compared("b", KID), columns=(Column(SELECTED, 4, (KID,)), flattering))
    assert [table.kind for table in tables([one, both])] == [SELECTED]
    twice = tables([both, replace(both, name="c")])
    assert [(t.kind, t.steps) for t in twice] == [(SELECTED, (4, 4)), (BEST, (None, None))]
    worse = Column(BEST, None, (shifted(KID, 9.0),))
    rival = replace(both, name="c", columns=(both.columns[0], worse))
    assert [row.best for row in tables([both, rival])[1].rows] == [None]
    last = compared("d", KID, kind=LAST)
    found = tables([one, last])
    assert [table.kind for table in found] == [SELECTED, LAST]
    assert [cell is None for cell in found[1].rows[0].cells] == [True, False]


def test_only_settings_that_differ_are_told():
    runs = [compared("a", KID), compared("b", KID, steps=9)]
    assert differing_settings(runs) == [("training.steps", ("8", "9"))]
    assert differing_settings(runs[:1] * 2) == []


def test_the_last_checkpoints_are_not_shown_twice_where_they_are_the_selected_ones():
    columns = (Column(SELECTED, 8, (KID,)), Column(LAST, 8, (KID,)))
    runs = [replace(compared(name, KID), columns=columns) for name in "ab"]
    assert [table.kind for table in tables(runs)] == [SELECTED]
    earlier = replace(runs[0], columns=(Column(SELECTED, 4, (KID,)), columns[1]))
    assert [table.kind for table in tables([earlier, runs[1]])] == [SELECTED, LAST]
