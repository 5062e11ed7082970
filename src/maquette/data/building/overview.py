"""Looking over sources: every item once, on all cores, written down as it goes.

`data check` and `data build` share this, so that a build does what the check said.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict

from maquette.data.building.journal import Journal
from maquette.data.building.records import Record
from maquette.data.building.workers import looked
from maquette.data.findings.finding import Survey, Surveyed
from maquette.data.pictures.looking import Bench, Look
from maquette.data.sizes import ImageSize
from maquette.data.sources.source import Item, Reading, Source

Report = Callable[[str, int, int | None], None]  # stage, done, in all when that is known
Hear = Callable[[int, Item, Look], None]  # number of the item, as in the journal

# Raise it when a look gives something else than before: older journals are then begun anew.
LOOKS_VERSION = 2


def silent(_stage: str, _done: int, _total: int | None) -> None:
    """Report to nobody."""


def identity(sources: Sequence[Source], reading: Reading, bench: Bench) -> str:
    """The same when looking over the sources would give the same."""
    places = [[source.name, source.identity] for source in sources]
    work = [LOOKS_VERSION, places, reading.model_dump(), asdict(bench)]
    return hashlib.sha256(json.dumps(work).encode()).hexdigest()


def look_over(
    sources: Sequence[Source],
    bench: Bench,
    journal: Journal,
    workers: int,
    report: Report,
    hear: Hear = lambda number, item, look: None,  # noqa: ARG005
) -> None:
    """Bring the journal to the end of the sources; `hear` is told of every new look first."""
    counts = [source.count() for source in sources]
    total = None if None in counts else sum(count or 0 for count in counts)
    report("looking", len(journal.records), total)
    with warnings.catch_warnings():
        # Pillow comments on odd but readable files; what cannot be read becomes a fault.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for number, source in enumerate(sources):
            already = sum(record.source_number == number for record in journal.records)
            for item, look in looked(bench, source.items(already), workers):
                hear(len(journal.records), item, look)
                journal.append(_record(item, source, number, look), look)
                report("looking", len(journal.records), total)
    journal.flush()


def survey_of(journal: Journal, labels: Sequence[str | None], size: ImageSize | None) -> Survey:
    """What checks look at; `labels` are of the records."""
    pictures = [
        Surveyed(record.source, record.folders, label, record.facts, record.fault)
        for record, label in zip(journal.records, labels, strict=True)
    ]
    return Survey(pictures, journal.thumbnails(), size)


def _record(item: Item, source: Source, number: int, look: Look) -> Record:
    return Record(
        source=item.source,
        source_number=number,
        origin=source.name,
        folders=item.folders,
        stated_label=item.label,
        group=item.group,
        facts=look.facts,
        fault=look.fault,
        classes=item.classes,
    )
