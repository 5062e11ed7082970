"""`--seeds 0-9,42` and `--classes a,b`: any text is read or refused, never a traceback."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maquette.cli.generating_screen import parse_classes, parse_seeds
from maquette.core.errors import MaquetteError


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 50)), min_size=1, max_size=5))
def test_numbers_and_ranges_are_spelt_out(parts):
    text = ", ".join(f"{start}-{start + more}" if more else str(start) for start, more in parts)
    expected = [seed for start, more in parts for seed in range(start, start + more + 1)]
    assert parse_seeds(text) == expected


@given(st.text(alphabet="0123456789-, x", max_size=12))
def test_anything_else_is_refused_in_a_sentence(text):
    try:
        assert parse_seeds(text)
    except MaquetteError as error:
        assert str(error).startswith("--seeds ")


@pytest.mark.parametrize("text", ["", ",", "1,", "-3", "3-1", "1-2-3", "a", "0x1", "9" * 5000])
def test_garbage_is_refused(text):
    with pytest.raises(MaquetteError, match="--seeds"):
        parse_seeds(text)


@given(st.lists(st.text(alphabet='ab ,"', min_size=1).map(str.strip).filter(bool), min_size=1))
def test_names_quoted_as_in_a_csv_are_read(names):
    line = io.StringIO()
    csv.writer(line).writerow(names)
    assert parse_classes(line.getvalue().strip()) == names


def test_names_may_have_spaces_around_and_commas_inside():
    assert parse_classes('Degas , "Monet, Claude",Ukiyo_e') == ["Degas", "Monet, Claude", "Ukiyo_e"]


@pytest.mark.parametrize("text", ["", "\n", '"Monet, Claude', '"x" y'])
def test_no_names_and_open_quotes_are_refused(text):
    with pytest.raises(MaquetteError, match="--classes"):
        parse_classes(text)


@given(st.text())
def test_any_text_is_names_or_a_sentence(text):
    try:
        assert parse_classes(text)
    except MaquetteError as error:
        assert str(error).startswith("--classes ")
