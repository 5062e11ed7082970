"""What becomes of every item once the checks have spoken: a row of the dataset, or left out."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maquette.data.building.layout import Layout
from maquette.data.building.records import Place, Record, item_line
from maquette.data.findings.finding import Finding

COPIES = ("duplicates", "near-duplicates")  # groups that stay on one side of a split
UNLABELLED = "unlabelled"  # not a finding: a table of labels that does not know the picture


@dataclass(frozen=True)
class LeftOut:
    """Why an item is not in the dataset."""

    kind: str  # of its fault or finding
    reason: str


@dataclass(frozen=True)
class Outcome:
    """By the numbers of records."""

    left_out: dict[int, LeftOut]
    kept: list[int]  # records that become rows, in their order
    prepared: dict[int, int]  # record -> its row among the prepared pixels
    kinds: dict[int, list[str]]  # record -> its findings


def outcome(
    records: Sequence[Record],
    findings: Sequence[Finding],
    drop: Sequence[str],
    unlabelled: Mapping[int, str],
) -> Outcome:
    """`unlabelled`: why records that a table of labels gives no class have none, by number."""
    left_out: dict[int, LeftOut] = {}
    prepared: dict[int, int] = {}
    for number, record in enumerate(records):
        if record.fault is not None:
            left_out[number] = LeftOut(record.fault.kind, record.fault.reason)
        else:
            prepared[number] = len(prepared)
    for number in prepared:
        if number in unlabelled:
            left_out[number] = LeftOut(UNLABELLED, unlabelled[number])
    kinds: dict[int, list[str]] = defaultdict(list)
    # Copies last: which of them stays depends on which are there still.
    for finding in sorted(findings, key=lambda finding: finding.kind.name in COPIES):
        staying = _staying(finding, left_out)
        for mark in finding.marks:
            kinds[mark.picture].append(finding.kind.name)
            if finding.kind.name in drop and mark.picture not in staying:
                left_out.setdefault(mark.picture, LeftOut(finding.kind.name, mark.detail))
    kept = [number for number in prepared if number not in left_out]
    return Outcome(left_out, kept, prepared, dict(kinds))


def _staying(finding: Finding, left_out: Mapping[int, LeftOut]) -> set[int]:
    """Those that stay when a finding is dropped: spare ones, and of copies one in each group."""
    spare = {mark.picture for mark in finding.marks if mark.spare}
    if finding.kind.name not in COPIES:
        return spare
    groups: dict[int | None, list[int]] = defaultdict(list)
    for mark in sorted(finding.marks, key=lambda mark: not mark.spare):
        if mark.picture not in left_out:
            groups[mark.group].append(mark.picture)
    return {group[0] for group in groups.values()}


def copies_in(finding: Finding) -> dict[int, int]:
    """The group of each picture that has copies, by its number; empty for other findings."""
    if finding.kind.name not in COPIES:
        return {}
    return {mark.picture: mark.group for mark in finding.marks if mark.group is not None}


def item_lines(records: Sequence[Record], result: Outcome, layout: Layout) -> Iterator[bytes]:
    """`items.jsonl`: a line for each picture in the order of rows, then those left out."""
    number_of = {row: number for number, row in result.prepared.items()}
    for row, prepared_row in enumerate(layout.order):
        number = number_of[prepared_row]
        label = layout.labels[row] if layout.labels else None
        place = Place(row, layout.split(row), label, None, result.kinds.get(number, []))
        yield item_line(records[number], place)
    for number, why in sorted(result.left_out.items()):
        left_out = why.kind if why.kind == why.reason else f"{why.kind}: {why.reason}"
        place = Place(None, None, None, left_out, result.kinds.get(number, []))
        yield item_line(records[number], place)
