"""Planted pictures of another kind, each kind alone among photos and all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from maquette.data.findings.finding import Survey
from maquette.data.findings.outliers import LEAST, Outliers
from maquette.data.findings.tones_and_edges import TonesAndEdges
from maquette.data.pictures.content import Box, Raster
from maquette.data.pictures.faults import Fault
from maquette.data.sources.source import Item
from planted import outliers
from planted.clean import clean_pictures
from planted.planting import jpeg
from planted.surveying import FACTS, KeptThumbnails, found, survey_folder, survey_of, surveyed

PLANTERS = {
    "on black": outliers.on_black,
    "on white": outliers.on_white,
    "line drawings": outliers.line_drawings,
    "documents": outliers.documents,
}
CLEAN = 1000
LEAST_RECALL, LEAST_PRECISION = 0.95, 0.90
MOST_MARKED = 0.02  # of ordinary pictures


@dataclass(frozen=True)
class Rows:
    """Describes numbered thumbnails by given rows."""

    rows: np.ndarray
    name: str = "given rows"

    def describe(self, rasters: Iterable[Raster]) -> np.ndarray:
        return np.stack([self.rows[_number(raster)] for raster in rasters]).astype(np.float32)


def _numbered(number: int) -> bytes:
    """A thumbnail that says which row is meant: a bit per block, for JPEG keeps blocks."""
    bits = (number >> np.arange(16)) & 1
    return jpeg((bits.astype(np.uint8) * 255).repeat(8)[None, :, None].repeat(8, 0).repeat(3, 2))


def _number(raster: Raster) -> int:
    return int((raster[0, ::8, 0] > 127) @ (1 << np.arange(16)))


def of_rows(rows: np.ndarray, labels: list[str | None] | None = None) -> tuple[Survey, Outliers]:
    survey = surveyed(*[FACTS] * len(rows), thumbnails=list(map(_numbered, range(len(rows)))))
    if labels:
        named = zip(survey.pictures, labels, strict=True)
        survey = replace(survey, pictures=[replace(one, label=label) for one, label in named])
    return survey, Outliers(Rows(rows))


def marked(survey: Survey, check: Outliers) -> list[int]:
    return [mark.picture for finding in check.findings(survey) for mark in finding.marks]


def bulk(count: int, dims: int = 10) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, dims))


@cache
def corpus() -> tuple[Survey, dict[str, set[str]]]:
    random, crops = np.random.default_rng(0), clean_pictures(CLEAN + 60)
    planted = {name: list(planter(crops, random)) for name, planter in PLANTERS.items()}
    everything = [(one.name, one.content) for some in planted.values() for one in some]
    everything += [(name, jpeg(next(crops)[1])) for name in map(str, range(CLEAN))]
    items = [Item(name, (), content) for name, content in everything]
    return survey_of(items), {kind: {one.name for one in some} for kind, some in planted.items()}


def among_clean(kinds: Iterable[str]) -> tuple[Survey, set[str]]:
    survey, planted = corpus()
    truth = set().union(*(planted[kind] for kind in kinds))
    others = set().union(*planted.values()) - truth
    kept = [i for i, one in enumerate(survey.pictures) if one.source not in others]
    thumbnails = KeptThumbnails([survey.thumbnails.jpeg(i) for i in kept])
    return Survey([survey.pictures[i] for i in kept], thumbnails), truth


@pytest.mark.parametrize("kinds", [*((kind,) for kind in PLANTERS), tuple(PLANTERS)])
def test_figures(kinds: tuple[str, ...]) -> None:
    survey, truth = among_clean(kinds)
    assert len(truth) >= 20 * len(kinds) and len(survey.pictures) == CLEAN + len(truth)
    result = found(survey, Outliers(TonesAndEdges()))["outliers"]
    assert len(result & truth) / len(truth) >= LEAST_RECALL, sorted(truth - result)
    assert len(result & truth) / len(result) >= LEAST_PRECISION, sorted(result - truth)


def test_clean_pictures() -> None:
    survey, _ = among_clean(())
    assert len(marked(survey, Outliers(TonesAndEdges()))) <= MOST_MARKED * CLEAN


def test_real_pictures(real_data: Path) -> None:
    """Those on black, and hardly any of the many on white."""
    survey = survey_folder(real_data / "strawberries")
    result = found(survey, Outliers(TonesAndEdges()))["outliers"]
    on_black = ("297.jpg", "352.jpg", "379.jpg", "441.jpg", "788.jpg", "802.jpg")
    assert {f"strawberries/{name}" for name in on_black} <= result
    assert len(result) <= MOST_MARKED * len(survey.pictures)


def test_details() -> None:
    survey, _ = among_clean(("on black", "documents"))
    (finding,) = Outliers(TonesAndEdges()).findings(survey)
    assert finding.remark == "Compared by their tones and edges."
    assert [mark.picture for mark in finding.marks] == sorted(m.picture for m in finding.marks)
    details = {survey.pictures[mark.picture].source: mark.detail for mark in finding.marks}
    dark = [text for source, text in details.items() if "on-black" in source]
    assert dark.count("much darker than the others") > len(dark) / 2
    assert "much brighter than the others" in details.values()


def test_small_group_among_many() -> None:
    rows = bulk(1000)
    rows[100:120] = 9 + 0.01 * rows[100:120]
    found_there = marked(*of_rows(rows))
    assert set(range(100, 120)) <= set(found_there) and len(found_there) <= 30


def test_many_dimensions() -> None:
    rows = bulk(600, 512)
    rows[:5] += 6
    assert marked(*of_rows(rows)) == [0, 1, 2, 3, 4]


def test_few_pictures() -> None:
    rows = bulk(LEAST)
    rows[7] = 50
    assert 7 in marked(*of_rows(rows))
    assert not marked(*of_rows(rows[1:]))


def test_all_pictures_alike() -> None:
    assert not marked(*of_rows(np.ones((100, 5))))


def test_two_kinds_of_half_each_are_no_outliers() -> None:
    rows = bulk(400)
    rows[::2] += 30
    assert len(marked(*of_rows(rows))) <= 8


def test_within_large_classes() -> None:
    """A picture of one class among those of the other is usual only where classes are unknown."""
    rows = bulk(800)
    rows[400:] += 30
    labels: list[str | None] = ["a"] * 400 + ["b"] * 400
    labels[3], labels[403] = "b", "a"
    assert {3, 403} <= set(marked(*of_rows(rows, labels)))
    assert not {3, 403} & set(marked(*of_rows(rows)))


def test_faults_are_skipped() -> None:
    rows = bulk(100)
    rows[10] = 50  # of picture 11, for picture 0 has no row
    survey, check = of_rows(rows)
    fault = replace(survey.pictures[0], facts=None, fault=Fault("damaged", "cut short"))
    thumbnails = KeptThumbnails([b"", *(survey.thumbnails.jpeg(i) for i in range(100))])
    assert 11 in marked(Survey([fault, *survey.pictures], thumbnails), check)


def test_bars_are_not_looked_at() -> None:
    """Pictures with bars of any colour are no more unlike others than those without."""
    survey, _ = among_clean(())
    pictures, thumbnails = list(survey.pictures[:300]), []
    for index, one in enumerate(pictures):
        raster = survey.thumbnails.raster(index)
        if index < 10:
            height, width = raster.shape[:2]
            raster = np.pad(raster, ((40, 40), (0, 0), (0, 0)), constant_values=index % 2 * 255)
            facts = replace(
                FACTS, height=height + 80, width=width, box=Box(0, 40, width, height + 40)
            )
            pictures[index] = replace(one, facts=facts)
        thumbnails.append(jpeg(raster, 95))
    marks = marked(Survey(pictures, KeptThumbnails(thumbnails)), Outliers(TonesAndEdges()))
    assert not set(marks) & set(range(10))
