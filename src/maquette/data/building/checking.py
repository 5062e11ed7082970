"""Looking at pictures without building anything."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.core.files import write_text
from maquette.data.building.choices import Choices
from maquette.data.building.journal import Journal
from maquette.data.building.labelling import classes_of
from maquette.data.building.overview import Report, identity, look_over, silent, survey_of
from maquette.data.building.workers import default_workers, looked
from maquette.data.findings.finding import Finding
from maquette.data.findings.listing import listed, to_text
from maquette.data.findings.page import findings_page
from maquette.data.findings.surveying import find
from maquette.data.findings.thumbnails import decoded
from maquette.data.manifest import FINDINGS, MANIFEST
from maquette.data.pictures.content import Raster
from maquette.data.pictures.looking import Bench
from maquette.data.sizes import ImageSize
from maquette.data.sources.opening import open_source
from maquette.data.sources.source import Reading

PAGE = "findings.html"
MOST_EXAMPLES = 2000  # of what a person does not want


@dataclass(frozen=True)
class CheckSummary:
    """What came of a check."""

    items: int
    readable: int
    findings: tuple[Finding, ...]
    page: Path | None  # where contact sheets are, if they were asked for


def check(
    sources: Sequence[str],
    size: ImageSize | None = None,
    choices: Choices | None = None,
    *,
    out: Path | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> CheckSummary:
    """Every finding among the pictures of these sources; nothing of them is changed.

    `size` is that of the dataset planned, if there is one. `out` is a folder for `findings.json`
    and a page with contact sheets. DatasetError when there is nothing, or a source is none.
    """
    choices = choices or Choices()
    if not sources:
        raise DatasetError("no source was given; name a folder, a file or builtin:digits")
    choices.check()
    if out is not None and (out / MANIFEST).exists():
        raise DatasetError(f"{out} is a dataset: choose another folder for what is found")
    reading = choices.reading_columns
    opened = [open_source(source, reading) for source in sources]
    with tempfile.TemporaryDirectory(prefix="maquette-") as scratch:
        bench = Bench(None)
        with Journal(Path(scratch), identity(opened, reading, bench), 0) as journal:
            look_over(opened, bench, journal, workers or default_workers(), report)
        if not journal.records:
            raise DatasetError(f"{' and '.join(sources)} is empty: there is nothing to check")
        survey = survey_of(journal, classes_of(journal.records, choices, len(opened)), size)
        findings = find(survey, choices.checking.checks(), partial(report, "checking"))
        if out is not None:
            title = " + ".join(source.name for source in opened[:4])
            _write(out, findings_page(title, survey, findings), to_text(listed(findings, survey)))
        readable = sum(picture.facts is not None for picture in survey.pictures)
        page = None if out is None else out / PAGE
        return CheckSummary(len(survey.pictures), readable, tuple(findings), page)


def examples(sources: Sequence[str], reading: Reading, workers: int) -> tuple[Raster, ...]:
    """Thumbnails of the pictures in these sources, seen as a check sees its pictures."""
    seen: list[Raster] = []
    for text in sources:
        items = open_source(text, reading).items()
        for _item, look in looked(Bench(None), items, workers):
            if look.facts is not None:
                seen.append(decoded(look.thumbnail))
            if len(seen) == MOST_EXAMPLES:
                break
    if not seen:
        raise DatasetError(f"{' and '.join(sources)} holds no picture that could be an example")
    return tuple(seen)


def _write(out: Path, page: str, listing: str) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / FINDINGS, listing)
        write_text(out / PAGE, page)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise DatasetError(f"{out} cannot be written: {reason}") from None
