"""What was measured is read back column by column, in the new form and the old."""

import json
from dataclasses import asdict

import pytest

from maquette.core.errors import RunError
from maquette.evaluation.metric import Measurement
from maquette.runs.evaluations import (
    BEST,
    SELECTED,
    Column,
    MeasuredOn,
    measured_rows,
    read_evaluation,
)

ONE = Measurement("one", 1.0, 0.5, 1.5, 10, 0.0, 2.0, "a note", "net")
TWO = Measurement("two", 3.0)
ON = MeasuredOn("digits", "f" * 64, 1200, foreign=True)


def test_nothing_measured_is_no_column(tmp_path):
    assert read_evaluation(tmp_path).columns == ()


def test_columns_come_back_as_they_were(tmp_path):
    columns = (Column(SELECTED, 4, (ONE, TWO)), Column(BEST, None, (ONE,)))
    written = {"format": 2, "pictures": 10, "columns": [asdict(column) for column in columns]}
    written["measurements"] = written["columns"][0]["measurements"]
    (tmp_path / "evaluation.json").write_text(json.dumps(written))
    stored = read_evaluation(tmp_path)
    assert (stored.columns, stored.measured_on) == (columns, None)
    written["measured_on"] = asdict(ON)
    (tmp_path / "evaluation.json").write_text(json.dumps(written))
    assert read_evaluation(tmp_path).measured_on == ON


def test_the_old_form_is_of_what_is_served(tmp_path):
    old = {"pictures": 10, "measurements": [{"name": "one", "value": 1.0, "low": None}]}
    (tmp_path / "evaluation.json").write_text(json.dumps(old))
    assert read_evaluation(tmp_path).columns == (
        Column(SELECTED, None, (Measurement("one", 1.0),)),
    )


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"measurements": 3}', '{"measurements": [{"name": "x", "value": "y"}]}']
)
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, text):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(RunError, match=r"is damaged: measure again with `maquette evaluate .*`"):
        read_evaluation(tmp_path)


def test_rows_keep_columns_apart():
    other = Measurement("one", 0.5, floor=0.0, ceiling=3.0)
    columns = [
        Column(SELECTED, 4, (other,)),
        Column("last", 8, (ONE, TWO)),
        Column(BEST, None, (ONE,)),
    ]
    one, two = measured_rows(columns)
    assert one.cells == (other, ONE, ONE)
    assert (one.best_step, one.shared_ends) == (8, False)
    assert two.cells == (None, TWO, None)
    assert (two.first, two.best_step, two.shared_ends) == (TWO, None, True)


def test_what_it_was_measured_by_is_told_in_words():
    assert str(ON) == "all 1,200 pictures of digits, another dataset"
    own = MeasuredOn("digits", "f" * 64, 120, foreign=False)
    assert str(own) == "the 120 held-out pictures of digits"
