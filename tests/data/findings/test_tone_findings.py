"""Blank, dark and blurry pictures; drawings and tiny pictures are none of them."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from maquette.data.findings.tones import Tones
from maquette.data.pictures.tones import BLANK, BLURRY, DARK
from maquette.data.sources.opening import open_source
from maquette.data.sources.source import Item
from planted.planting import jpeg
from planted.surveying import FACTS, found, survey_of, surveyed

EMPTY = jpeg(np.full((160, 160, 3), 200, np.uint8))
BLANK_FACTS = replace(FACTS, contrast=BLANK - 1, sharpness=0.0, brightness=5.0)
DARK_FACTS = replace(FACTS, brightness=DARK - 1, contrast=40.0)
BLURRY_FACTS = replace(FACTS, sharpness=BLURRY - 0.01)


def test_each_picture_is_one_of_them_at_most() -> None:
    facts = [BLANK_FACTS, DARK_FACTS, replace(DARK_FACTS, sharpness=0.1), BLURRY_FACTS]
    survey = surveyed(*facts, *[FACTS] * 9, thumbnails=[EMPTY] * 13)
    assert found(survey, Tones()) == {
        "blank": {"0.jpg"},
        "dark": {"1.jpg", "2.jpg"},
        "blurry": {"3.jpg"},
    }


def test_something_bright_on_black_is_not_dark() -> None:
    assert found(surveyed(FACTS, FACTS, replace(DARK_FACTS, contrast=180.0)), Tones()) == {}


def test_tiny_pictures_are_not_judged_for_blur() -> None:
    tiny = replace(BLURRY_FACTS, height=28, width=28)
    drawing = replace(BLURRY_FACTS, kind="drawing")
    assert found(surveyed(FACTS, FACTS, FACTS, tiny, drawing), Tones()) == {}


def test_what_most_are_like_is_said_once() -> None:
    (finding,) = Tones().findings(surveyed(FACTS, *[BLURRY_FACTS] * 3))
    assert finding.kind.name == "blurry" and finding.marks == ()
    assert finding.remark.startswith("75%")


def test_a_set_of_nothing_is_told() -> None:
    """As pixels of 0..1 stored as 0..255 are."""
    (finding,) = Tones().findings(surveyed(*[BLANK_FACTS] * 4, thumbnails=[EMPTY] * 4))
    assert finding.kind.name == "blank" and len(finding.marks) == 4


def test_one_thin_stroke_is_not_blank() -> None:
    paper = Image.new("L", (256, 256), 255)
    blank = np.asarray(paper)[..., None].copy()
    ImageDraw.Draw(paper).line([(40, 60), (120, 70)], fill=0, width=2)
    drawn = np.asarray(paper)[..., None].copy()
    survey = survey_of([Item("blank", content=blank), Item("drawn", content=drawn)])
    assert survey.pictures[1].facts and survey.pictures[1].facts.contrast < BLANK
    assert found(survey, Tones()) == {"blank": {"blank"}}


def test_digits_are_as_they_should_be() -> None:
    survey = survey_of(islice(open_source("builtin:digits").items(), 300))
    assert found(survey, Tones()) == {}


@pytest.mark.parametrize("name", ["cat", "circle", "square", "star"])
def test_sketches_are_as_they_should_be(real_data: Path, name: str) -> None:
    bitmaps = np.load(real_data / "quickdraw" / "bitmaps" / f"{name}.npy").reshape(-1, 28, 28, 1)
    survey = survey_of(Item(str(n), content=pixels) for n, pixels in enumerate(bitmaps[:200]))
    assert found(survey, Tones()) == {}
