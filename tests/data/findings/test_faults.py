"""Files that cannot be read are findings, each with its reason, and cannot be kept."""

from typing import get_args

from maquette.data.findings.faults import Faults
from maquette.data.findings.finding import Survey, Surveyed
from maquette.data.pictures.faults import Fault, FaultKind
from planted.surveying import FACTS, KeptThumbnails


def test_every_kind_of_fault_is_a_finding_that_cannot_be_dropped_or_kept() -> None:
    assert {kind.name for kind in Faults.kinds} == set(get_args(FaultKind))
    assert all(kind.severity == "error" and not kind.droppable for kind in Faults.kinds)


def test_faults_are_told_with_their_reasons() -> None:
    faults = [None, Fault("damaged", "cut short"), Fault("empty", "no bytes"), None]
    pictures = [
        Surveyed(f"{index}.jpg", (), None, None if fault else FACTS, fault)
        for index, fault in enumerate([*faults, Fault("damaged", "checksum")])
    ]
    found = {f.kind.name: f.marks for f in Faults().findings(Survey(pictures, KeptThumbnails([])))}
    assert {name: [(m.picture, m.detail) for m in marks] for name, marks in found.items()} == {
        "empty": [(2, "no bytes")],
        "damaged": [(1, "cut short"), (4, "checksum")],
    }
