"""history.jsonl: append, go back, and read what a kill left."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import RunError
from maquette.runs.history import History, read_history


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.jsonl", every_steps=10, batch_size=4)


def test_lines_come_back_in_order(history):
    history.append(1, 4, {"generator": 0.5})
    history.event(2, "warning", "mind")
    first, second = read_history(history.path)
    assert (first["step"], first["images"], first["generator"]) == (1, 4, 0.5)
    assert (second["event"], second["message"], second["images"]) == ("warning", "mind", 8)


def test_going_back_to_a_mark_forgets_what_came_after(history):
    history.append(1, 4, {})
    mark = json.loads(json.dumps(history.mark()))
    before = history.path.read_bytes()
    history.append(2, 8, {})
    history.rewind(mark)
    assert history.path.read_bytes() == before
    history.append(2, 8, {})
    assert [line["step"] for line in read_history(history.path)] == [1, 2]


def test_a_mark_from_before_the_first_line_empties_it(history):
    mark = history.mark()
    history.append(1, 4, {})
    history.rewind(mark)
    assert list(read_history(history.path)) == []


def test_no_history_is_an_empty_one(tmp_path):
    assert list(read_history(tmp_path / "none.jsonl")) == []


@given(st.integers(0, 200))
def test_a_line_cut_anywhere_is_left_out_and_the_others_stay(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "history.jsonl"
    history = History(path, every_steps=1, batch_size=1)
    for step in range(4):
        history.append(step, step, {"loss": step / 7})
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    steps = [line["step"] for line in read_history(path)]
    assert steps in (list(range(whole)), list(range(whole + 1)))  # the last may lack its newline


def test_foreign_lines_are_left_out(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'[1]\n\xff\xfe\n{"step": 1}\nnull\n')
    assert list(read_history(path)) == [{"step": 1}]


def test_a_history_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "history.jsonl").mkdir()
    with pytest.raises(RunError, match=r"history\.jsonl cannot be written"):
        History(tmp_path / "history.jsonl", 1, 1).append(0, 0, {})
