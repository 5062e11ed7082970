"""What is remembered of every item: one line each in the journal and in `items.jsonl`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from maquette.data.pictures.faults import Fault
from maquette.data.pictures.looking import Facts


@dataclass(frozen=True)
class Record:
    """An item without its content: facts of a picture, or the fault that hides it."""

    source: str
    source_number: int  # of the SOURCE it came from, in the order given
    origin: str  # its name
    folders: tuple[str, ...]
    stated_label: str | None
    group: str | None  # pictures that belong on one side of a split
    facts: Facts | None
    fault: Fault | None
    classes: Mapping[str, str] = field(default_factory=dict)  # by column of its own table

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Record":
        """What `to_json` gave; KeyError or TypeError for anything else."""
        facts, fault = entry["facts"], entry["fault"]
        return cls(
            source=entry["source"],
            source_number=entry["source_number"],
            origin=entry["origin"],
            folders=tuple(entry["folders"]),
            stated_label=entry["stated_label"],
            group=entry["group"],
            facts=None if facts is None else Facts.from_json(facts),
            fault=None if fault is None else Fault(**fault),
            classes=dict(entry["classes"]),
        )


@dataclass(frozen=True)
class Place:
    """Where a picture ended up in the dataset."""

    row: int | None  # None when it was left out
    split: str | None
    label: str | None
    left_out: str | None  # the kind of finding it was dropped for; the reason of a fault
    findings: Sequence[str]  # kinds


def item_line(record: Record, place: Place) -> bytes:
    """A line of `items.jsonl`."""
    facts = record.facts
    entry = {
        "row": place.row,
        "source": record.source,
        "split": place.split,
        "label": place.label,
        "height": facts and facts.height,
        "width": facts and facts.width,
        "box": facts and facts.box,
        "sha256": facts and facts.sha256,
        "findings": list(place.findings),
        "left_out": place.left_out,
    }
    return json_line(entry)


def json_line(entry: dict[str, Any]) -> bytes:
    # Names on disk may hold lone surrogates; ASCII escapes carry them through.
    return json.dumps(entry, ensure_ascii=True).encode() + b"\n"
