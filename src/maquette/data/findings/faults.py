"""Findings of single files: what could not be read as a picture, and why."""

from collections.abc import Iterable

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.pictures.faults import FaultKind

_ACTION = "left out, and listed in quarantine with the reason; the file stays where it is"


def _fault(name: FaultKind, title: str, meaning: str) -> Kind:
    return Kind(name, "error", title, meaning, _ACTION, droppable=False)


class Faults(Check):
    """What the pictures' readers said."""

    kinds = (
        _fault("empty", "Empty files", "The file has no bytes; a download or a copy went wrong."),
        _fault(
            "not-a-picture",
            "Not pictures",
            "The content is no picture, whatever the name says; often a web page saved as one.",
        ),
        _fault(
            "damaged",
            "Damaged pictures",
            "The picture is cut short or its bytes are spoilt, so a part of it would be missing.",
        ),
        _fault(
            "bomb",
            "Decompression bombs",
            "A small file claims so many pixels that opening it could fill the memory.",
        ),
        _fault(
            "unreadable",
            "Unreadable",
            "There is something, but it cannot be got at: encrypted, forbidden or far too large.",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        for kind in self.kinds:
            marks = tuple(
                Mark(index, picture.fault.reason)
                for index, picture in enumerate(survey.pictures)
                if picture.fault is not None and picture.fault.kind == kind.name
            )
            if marks:
                yield Finding(kind, marks)
