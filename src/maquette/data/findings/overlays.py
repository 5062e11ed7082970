"""What was laid over many pictures at the same place: watermarks, logos, stamps, dates.

An overlay repeats to the pixel while the pictures below it differ, so its gradients stay when
those of many pictures are averaged (Dekel et al. 2017, "On the Effectiveness of Visible
Watermarks", section 3.1). As only few may carry it, small groups of pictures that agree in some
block are looked for first; each gives a template, to which all pictures are compared.

Not found: text that changes from picture to picture, like subtitles, what covers most of a picture
(then they count as copies), what is very small, and overlays on drawings and tiny pictures.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.findings.hamming import near_pairs
from maquette.data.findings.overlay_templates import (
    LEAST_PICTURES,
    Template,
    share,
    templates_in,
)
from maquette.data.findings.views import stacked, views_for
from maquette.data.pictures.looking import Facts

LEAST_PX = 64  # shorter side of a picture
_SAMPLE = 1200  # pictures among which overlays are looked for
_AT_ONCE = 64  # pictures compared
_MOST = 20  # overlays told


class Overlays(Check):
    """Each overlay is a group of marks."""

    kinds = (
        Kind(
            "overlay",
            "warning",
            "Watermarks and logos",
            "Many of these pictures carry the same mark at the same place, and a model would learn "
            "to paint it.",
            "kept",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        fit = [i for i, p in enumerate(survey.pictures) if p.facts and _shows_enough(p.facts)]
        if len(fit) < LEAST_PICTURES:
            return
        templates = _discovered(survey, _different(survey, fit))
        overlays = _matched(survey, fit, templates)
        marks: dict[int, Mark] = {}
        for number, (template, pictures) in enumerate(overlays):
            for picture in pictures:
                marks.setdefault(picture, Mark(picture, template.place, number))
        if marks:
            yield Finding(
                self.kinds[0], tuple(marks[index] for index in sorted(marks)), _remark(overlays)
            )


def _shows_enough(facts: Facts) -> bool:
    return facts.kind != "drawing" and min(facts.height, facts.width) >= LEAST_PX


def _remark(overlays: Sequence[tuple[Template, list[int]]]) -> str:
    each = ", ".join(f"{template.place} ({len(found)} pictures)" for template, found in overlays)
    return f"one overlay: {each}" if len(overlays) == 1 else f"{len(overlays)} overlays: {each}"


def _different(survey: Survey, fit: list[int]) -> list[int]:
    """A sample without near copies, evenly from all of the set."""
    hashes = np.array([_facts(survey, index).hash for index in fit], np.uint64)
    copies = set(near_pairs(hashes, hashes)[:, 1].tolist())
    single = [index for place, index in enumerate(fit) if place not in copies]
    order = np.random.default_rng(0).permutation(len(single))[:_SAMPLE]
    return [single[place] for place in order.tolist()]


def _facts(survey: Survey, index: int) -> Facts:
    facts = survey.pictures[index].facts
    assert facts is not None
    return facts


def _thumbnail(survey: Survey, index: int) -> Image.Image:
    return Image.fromarray(survey.thumbnails.raster(index))


def _discovered(survey: Survey, sample: list[int]) -> list[Template]:
    """Of templates for the same pictures, the one with the most."""
    if len(sample) < LEAST_PICTURES:
        return []
    images = [_thumbnail(survey, index) for index in sample]
    facts = [_facts(survey, index) for index in sample]
    found: list[Template] = []
    for view in views_for([(some.height, some.width) for some in facts]):
        stack = stacked(view, images, facts)
        found += templates_in(view, stack)
    kept: list[Template] = []
    for template in sorted(found, key=lambda some: -len(some.pictures)):
        if all(share(template.pictures, other.pictures) < 0.5 for other in kept):
            kept.append(template)
    return kept[:_MOST]


def _matched(
    survey: Survey, fit: list[int], templates: list[Template]
) -> list[tuple[Template, list[int]]]:
    """All pictures of the survey that carry each overlay."""
    found: list[list[int]] = [[] for _ in templates]
    for start in range(0, len(fit), _AT_ONCE) if templates else ():
        some = fit[start : start + _AT_ONCE]
        images = [_thumbnail(survey, index) for index in some]
        facts = [_facts(survey, index) for index in some]
        stacks = {template.view: None for template in templates}
        seen = {view: stacked(view, images, facts) for view in stacks}
        for template, pictures in zip(templates, found, strict=True):
            marked = template.scores(seen[template.view]) >= template.least
            pictures += [index for index, yes in zip(some, marked.tolist(), strict=True) if yes]
    pairs = zip(templates, found, strict=True)
    return [(template, pictures) for template, pictures in pairs if len(pictures) >= LEAST_PICTURES]
