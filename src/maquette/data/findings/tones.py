"""Findings about what can be seen in single pictures: nothing, hardly anything, nothing sharp."""

from collections.abc import Callable, Iterable

import numpy as np

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.pictures.looking import Facts
from maquette.data.pictures.tones import BLANK, BLURRY, DARK

_LEAST_LIT = 96  # contrast; above it something in a picture is lit, as fruit or a face on black
_LEAST_DRAWN = 64  # grey levels in any channel of a thumbnail
_JUDGED_PX = 64  # shorter side; blur cannot be told from few pixels
_USUAL = 0.5  # share of the pictures that makes a look the style of a set


class Tones(Check):
    """Each picture has at most one of these. What most pictures of a set are like is its style."""

    kinds = (
        Kind(
            "blank",
            "warning",
            "Blank",
            "There is nothing to see but one colour.",
            "kept",
        ),
        Kind(
            "dark",
            "warning",
            "Very dark",
            "These pictures are almost black, so a model learns to paint black ones.",
            "kept",
        ),
        Kind(
            "blurry",
            "warning",
            "Blurry",
            "Nothing in these pictures is sharp, and a model learns blur faster than detail.",
            "kept",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        readable = [(i, p.facts) for i, p in enumerate(survey.pictures) if p.facts]
        blank, dark, blurry = self.kinds
        empty = {index for index, facts in readable if _is_blank(survey, index, facts)}
        nothing = [(index, facts) for index, facts in readable if index in empty]
        yield from _found(blank, nothing, lambda f: f"contrast {f.contrast:.0f} of 255")
        seen = [(index, facts) for index, facts in readable if index not in empty]
        yield from _styled(dark, seen, is_dark, lambda f: f"brightness {f.brightness:.0f} of 255")
        lit = [(index, facts) for index, facts in seen if not is_dark(facts)]
        judged = [(index, facts) for index, facts in lit if _judged(facts)]
        yield from _styled(blurry, judged, _is_blurry, lambda f: f"sharpness {f.sharpness:.2f}")


_Seen = list[tuple[int, Facts]]


def _found(kind: Kind, seen: _Seen, detail: Callable[[Facts], str]) -> Iterable[Finding]:
    if seen:
        yield Finding(kind, tuple(Mark(index, detail(facts)) for index, facts in seen))


def _styled(
    kind: Kind, seen: _Seen, test: Callable[[Facts], bool], detail: Callable[[Facts], str]
) -> Iterable[Finding]:
    """What most are like is said once instead of marking them all."""
    found = [(index, facts) for index, facts in seen if test(facts)]
    if len(found) <= _USUAL * len(seen):
        yield from _found(kind, found, detail)
    else:
        share = len(found) / len(seen)
        yield Finding(kind, (), f"{share:.0%} of the pictures are: taken as the style of the set")


def _is_blank(survey: Survey, index: int, facts: Facts) -> bool:
    """A few thin strokes on paper do not count in the contrast, but show in the thumbnail."""
    if facts.contrast >= BLANK:
        return False
    thumbnail = survey.thumbnails.raster(index)
    return int(np.ptp(thumbnail, axis=(0, 1)).max()) < _LEAST_DRAWN


def is_dark(facts: Facts) -> bool:
    """Whether hardly anything can be seen; a bright thing on black can."""
    return facts.brightness < DARK and facts.contrast < _LEAST_LIT


def _judged(facts: Facts) -> bool:
    """Photos with enough pixels, in which there is more than a stroke."""
    large = min(facts.height, facts.width) >= _JUDGED_PX
    return large and facts.contrast >= BLANK and facts.kind != "drawing"


def _is_blurry(facts: Facts) -> bool:
    return facts.sharpness < BLURRY
