"""Sizes, proportions, bars, rotations and animations."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from maquette.data.findings.shapes import EXTREME, Shapes
from maquette.data.pictures.content import Box
from maquette.data.pictures.looking import Facts
from planted.surveying import FACTS, found, sized, surveyed

MANY = [FACTS] * 9


def of_size(height: int, width: int) -> Facts:
    return replace(FACTS, height=height, width=width)


def details(*facts: Facts) -> dict[str, list[str]]:
    findings = Shapes().findings(surveyed(*facts))
    return {finding.kind.name: [mark.detail for mark in finding.marks] for finding in findings}


def test_smaller_than_planned_in_either_direction() -> None:
    large = of_size(128, 128)
    survey = surveyed(large, of_size(127, 300), of_size(300, 127), large)
    assert found(sized(survey, 128, 128), Shapes()) == {"too-small": {"1.jpg", "2.jpg"}}
    assert found(sized(survey, 64, 64), Shapes()) == {}


def test_a_plan_larger_than_most_pictures_is_told_once() -> None:
    survey = sized(surveyed(of_size(128, 128), of_size(28, 28), of_size(28, 28)), 32, 32)
    (finding,) = Shapes().findings(survey)
    assert (finding.kind.name, finding.marks) == ("too-small", ())
    assert "2 of 3" in finding.remark


def test_bars_do_not_count_as_size() -> None:
    barred = replace(of_size(200, 200), box=Box(0, 60, 200, 140))
    found_kinds = found(sized(surveyed(barred), 128, 128), Shapes())
    assert set(found_kinds) == {"too-small", "bars"}


def test_without_a_plan_small_is_measured_against_the_others() -> None:
    assert found(surveyed(*MANY, of_size(48, 48)), Shapes()) == {"too-small": {"9.jpg"}}
    assert found(surveyed(*[of_size(28, 28)] * 9, of_size(20, 20)), Shapes()) == {}
    large = [of_size(3000, 4000)] * 9
    assert found(surveyed(*large, of_size(300, 300)), Shapes()) == {}
    assert found(surveyed(*large, of_size(200, 200)), Shapes()) == {"too-small": {"9.jpg"}}


def test_drawings_are_never_too_small() -> None:
    drawing = replace(of_size(256, 256), kind="drawing")
    assert found(sized(surveyed(drawing), 512, 512), Shapes()) == {}


@given(st.integers(20, 2000), st.integers(20, 2000), st.integers(20, 200), st.integers(20, 200))
def test_extreme_is_what_covering_the_planned_size_cuts_off(
    height: int, width: int, planned_height: int, planned_width: int
) -> None:
    survey = sized(surveyed(of_size(height, width)), planned_height, planned_width)
    scale = max(planned_height / height, planned_width / width)
    shown = planned_height * planned_width / (height * width * scale**2)
    assert ("extreme-shape" in found(survey, Shapes())) == (shown < 1 / EXTREME)


def test_a_set_of_panoramas_is_not_extreme() -> None:
    wide = [of_size(200, 800)] * 5
    assert found(surveyed(*wide, of_size(300, 300)), Shapes()) == {"extreme-shape": {"5.jpg"}}


def test_bars_are_told_in_pixels() -> None:
    letterbox = replace(FACTS, box=Box(0, 58, 400, 242))
    left = replace(FACTS, box=Box(20, 0, 400, 300))
    assert details(letterbox, FACTS, left) == {"bars": ["58 px above, 58 px below", "20 px left"]}


def test_rotations_and_animations() -> None:
    turned, moving = replace(FACTS, orientation=6), replace(FACTS, frames=12)
    assert details(FACTS, turned, moving) == {
        "rotated": ["turned by 90°"],
        "animated": ["12 frames"],
    }
    mirrored = [replace(FACTS, orientation=n) for n in range(1, 9)]
    assert sum("mirrored" in text for text in details(*mirrored)["rotated"]) == 4


def test_nothing_to_look_at() -> None:
    assert list(Shapes().findings(surveyed())) == []
