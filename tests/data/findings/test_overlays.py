"""Overlays are found where pictures share one, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from maquette.data.findings.finding import Finding, Survey
from maquette.data.findings.overlays import LEAST_PICTURES, Overlays
from maquette.data.pictures.content import Raster
from maquette.data.sources.source import Item
from planted.clean import clean_pictures
from planted.overlays import OVERLAYS, Overlay
from planted.planting import jpeg
from planted.surveying import survey_of

COUNT = 160


@cache
def clean() -> Sequence[Raster]:
    return [pixels for _, pixels in islice(clean_pictures(COUNT), COUNT)]


def surveyed_with(overlay: Overlay | None, count: int) -> Survey:
    """The first `count` of the clean pictures carry it."""
    pictures = [
        overlay.over(pixels) if overlay and index < count else pixels
        for index, pixels in enumerate(clean())
    ]
    return survey_of(Item(f"{i}.jpg", content=jpeg(pixels)) for i, pixels in enumerate(pictures))


def only(survey: Survey) -> Finding:
    (finding,) = Overlays().findings(survey)
    return finding


@pytest.mark.parametrize(
    ("number", "place"),
    [
        (0, "bottom right"),
        pytest.param(2, "top right", marks=pytest.mark.slow),
        (3, "top left"),
        pytest.param(4, "middle", marks=pytest.mark.slow),
    ],
)
def test_shared_overlay_is_found_in_its_place(number: int, place: str) -> None:
    finding = only(surveyed_with(OVERLAYS[number], 30))
    marked = {mark.picture for mark in finding.marks}
    assert len(marked & set(range(30))) >= 28 and len(marked) <= 31
    assert {mark.detail for mark in finding.marks if mark.picture < 30} == {place}
    assert place in finding.remark


def test_overlay_on_every_picture_is_found() -> None:
    assert len(only(surveyed_with(OVERLAYS[4], COUNT)).marks) >= 0.95 * COUNT


def test_clean_pictures_have_none() -> None:
    assert list(Overlays().findings(surveyed_with(None, 0))) == []


def test_a_few_pictures_are_not_many() -> None:
    assert list(Overlays().findings(surveyed_with(OVERLAYS[4], LEAST_PICTURES // 2))) == []


def test_copies_of_one_picture_are_no_overlay() -> None:
    content = [jpeg(clean()[0], 70 + index) for index in range(25)]
    content += [jpeg(pixels) for pixels in clean()[1:60]]
    survey = survey_of(Item(f"{i}.jpg", content=some) for i, some in enumerate(content))
    assert list(Overlays().findings(survey)) == []


def test_a_camera_that_does_not_move_is_no_overlay() -> None:
    """Something else stands before the same wall in each frame."""
    wall = np.asarray(Image.fromarray(clean()[0]).resize((320, 240)))
    frames = []
    for pixels in clean()[1:60]:
        frame = wall.copy()
        frame[60:180, 100:220] = np.asarray(Image.fromarray(pixels).resize((120, 120)))
        frames.append(frame)
    survey = survey_of(Item(f"f.mp4@{i}.000s", content=jpeg(f)) for i, f in enumerate(frames))
    assert list(Overlays().findings(survey)) == []


def test_tiny_pictures_and_drawings_are_not_looked_at() -> None:
    survey = surveyed_with(OVERLAYS[4], COUNT)
    for changes in ({"kind": "drawing"}, {"height": 28, "width": 28}):
        pictures = [
            replace(p, facts=replace(p.facts, **changes)) for p in survey.pictures if p.facts
        ]
        assert list(Overlays().findings(replace(survey, pictures=pictures))) == []
