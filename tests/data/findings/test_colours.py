"""Unusual stored colours, and grey among coloured pictures."""

from dataclasses import replace

import pytest

from maquette.data.findings.colours import Colours
from planted.surveying import FACTS, found, surveyed

GREY = replace(FACTS, colourless=True)


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        ("RGB", set()),
        ("YCbCr", set()),
        ("CMYK", {"cmyk"}),
        ("P", {"palette"}),
        ("PA", {"palette", "transparent"}),
        ("I;16", {"sixteen-bit"}),
        ("F", {"sixteen-bit"}),
        ("RGBA", {"transparent"}),
        ("LA", {"transparent"}),
    ],
)
def test_stored_modes(mode: str, kinds: set[str]) -> None:
    assert found(surveyed(FACTS, replace(FACTS, mode=mode)), Colours()) == {
        kind: {"1.jpg"} for kind in kinds
    }


def test_animated_webps_are_not_called_transparent() -> None:
    moving = replace(FACTS, mode="RGBA", kind="WEBP", frames=3)
    assert found(surveyed(moving), Colours()) == {}
    assert found(surveyed(replace(moving, frames=1)), Colours()) == {"transparent": {"0.jpg"}}


def test_grey_pictures_among_coloured_ones() -> None:
    survey = surveyed(FACTS, GREY, FACTS, replace(GREY, mode="L"), FACTS)
    assert found(survey, Colours()) == {"greyscale": {"1.jpg", "3.jpg"}}


def test_a_grey_set_is_as_it_should_be() -> None:
    assert found(surveyed(GREY, GREY, replace(GREY, mode="L"), FACTS), Colours()) == {}


def test_no_colour_is_expected_where_there_is_no_light() -> None:
    black, flat = replace(GREY, brightness=8.0, contrast=30.0), replace(GREY, contrast=3.0)
    stored_grey = replace(black, mode="L")
    survey = surveyed(black, flat, stored_grey, FACTS, FACTS, FACTS)
    assert found(survey, Colours()) == {"greyscale": {"2.jpg"}}
