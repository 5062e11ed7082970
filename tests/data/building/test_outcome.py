"""What is dropped: never every copy of a picture because of several findings at once."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from maquette.data.building.outcome import outcome
from maquette.data.building.records import Record
from maquette.data.findings.finding import Finding, Kind, Mark
from planted.surveying import FACTS

Marks = Sequence[tuple[int, int | None, bool]]  # picture, group, spare


def finding(name: str, marks: Marks) -> Finding:
    kind = Kind(name, "warning", name, "", "kept")
    return Finding(kind, tuple(Mark(p, "", group, spare) for p, group, spare in marks))


def kept(
    count: int, findings: Sequence[Finding], unlabelled: Mapping[int, str] | None = None
) -> list[int]:
    records = [Record(str(n), 0, "x", (), None, None, FACTS, None) for n in range(count)]
    drop = [finding.kind.name for finding in findings]
    return outcome(records, findings, drop, unlabelled or {}).kept


def test_the_copy_that_leakage_leaves_is_not_a_duplicate_to_drop() -> None:
    duplicates = finding("duplicates", [(0, 0, True), (1, 0, False)])
    leakage = finding("leakage", [(0, 0, False), (1, 0, True)])
    assert kept(2, [leakage, duplicates]) == [1]


def test_another_copy_stays_when_the_spare_one_goes() -> None:
    near = finding("near-duplicates", [(0, 0, False), (1, 0, True), (2, 0, False)])
    assert kept(3, [near]) == [1]
    assert kept(3, [near, finding("bars", [(1, None, False)])]) == [0]
    assert kept(3, [near], unlabelled={0: "no row", 1: "no row"}) == [2]


@given(st.data())
def test_of_every_group_one_stays_unless_all_go_for_another_reason(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    pictures = st.lists(st.integers(0, count - 1), unique=True, max_size=count)
    group = data.draw(pictures)
    spare = data.draw(st.integers(0, max(len(group) - 1, 0)))
    near = finding("near-duplicates", [(p, 0, i == spare) for i, p in enumerate(group)])
    other = data.draw(pictures)
    left = kept(count, [near, finding("blurry", [(p, None, False) for p in other])])
    survivors = set(group) - set(other)
    assert len(set(group) & set(left)) == (1 if survivors else 0)
    assert set(left) >= set(range(count)) - set(group) - set(other)
