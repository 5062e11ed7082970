"""A page for people: what was found, with the pictures, each kind on a contact sheet of its own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from markupsafe import Markup

from maquette.core.pages import data_uri, page_templates
from maquette.data.findings.finding import Finding, Mark, Survey, Surveyed

T = TypeVar("T")

MOST_SHOWN = 36  # pictures of one finding
MOST_GROUPS = 18  # of pictures that belong together
_LARGEST_GROUP = 8


@dataclass(frozen=True)
class Shown:
    """A picture on a contact sheet."""

    picture: Markup | None  # None for what cannot be read
    source: str
    detail: str


@dataclass(frozen=True)
class Section:
    """One finding on the page; pictures that belong together share a row."""

    finding: Finding
    rows: list[list[Shown]]
    grouped: bool
    more: int  # pictures that are not shown


def findings_page(title: str, survey: Survey, findings: Sequence[Finding]) -> str:
    """HTML of everything that was found among these pictures."""
    readable = [n for n, picture in enumerate(survey.pictures) if picture.facts is not None]
    page = page_templates("maquette.data.findings").get_template("findings.html.j2")
    text = page.render(
        title=title,
        pictures=len(survey.pictures),
        readable=len(readable),
        facts=_facts(survey),
        classes=_classes(survey),
        sections=[_section(survey, finding) for finding in findings],
        sample=[_shown(survey, n, "") for n in _spread(readable)],
    )
    return text.encode("utf-8", "replace").decode()  # names on disk may hold lone surrogates


def _spread(some: Sequence[T]) -> list[T]:
    """At most MOST_SHOWN, from all over: the first few tend to be from one corner of a set."""
    shown = min(MOST_SHOWN, len(some))
    return [some[index * len(some) // shown] for index in range(shown)]


def _section(survey: Survey, finding: Finding) -> Section:
    if finding.marks and all(mark.group is not None for mark in finding.marks):
        groups: dict[int | None, list[Mark]] = {}
        for mark in finding.marks:
            groups.setdefault(mark.group, []).append(mark)
        chosen = [marks[:_LARGEST_GROUP] for marks in list(groups.values())[:MOST_GROUPS]]
    else:
        chosen = [_spread(finding.marks)]
    rows = [[_shown(survey, mark.picture, mark.detail) for mark in marks] for marks in chosen]
    more = len(finding.marks) - sum(map(len, rows))
    return Section(finding, rows, grouped=len(chosen) > 1, more=more)


def _shown(survey: Survey, number: int, detail: str) -> Shown:
    jpeg = survey.thumbnails.jpeg(number)
    return Shown(data_uri(jpeg, "jpeg") if jpeg else None, survey.pictures[number].source, detail)


def _facts(survey: Survey) -> dict[str, str]:
    """What the pictures are like, in words, by name."""
    seen = [picture.facts for picture in survey.pictures if picture.facts is not None]
    if not seen:
        return {}
    heights, widths = [facts.height for facts in seen], [facts.width for facts in seen]
    sizes = (
        f"{min(heights)}×{min(widths)} to {max(heights)}×{max(widths)}, "
        f"mostly around {median(heights):.0f}×{median(widths):.0f} (height × width, pixels)"
    )
    kinds = Counter(facts.kind for facts in seen).most_common(4)
    return {"sizes": sizes, "kinds": ", ".join(f"{name} {count:,}" for name, count in kinds)}


def _classes(survey: Survey) -> list[tuple[str, int, float]]:
    """Name, pictures, and share of the largest, largest first."""
    counts = Counter(_label(picture) for picture in survey.pictures if _label(picture) is not None)
    if not counts:
        return []
    most = max(counts.values())
    return [(str(name), count, count / most) for name, count in counts.most_common(40)]


def _label(picture: Surveyed) -> Any:
    return picture.label if picture.facts is not None else None
