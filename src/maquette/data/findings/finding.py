"""What can be wrong with pictures, and what every check of them has in common.

A check sees all pictures at once (the survey), and marks some. It never changes, moves or deletes
anything: what a build does with marked pictures is the build's decision, written in `Kind.action`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from maquette.data.findings.thumbnails import Thumbnails
from maquette.data.pictures.faults import Fault
from maquette.data.pictures.looking import Facts
from maquette.data.sizes import ImageSize

# error: cannot be learned from; warning: will hurt; note: handled, or good to know
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Kind:
    """One kind of finding."""

    name: str  # what --drop takes: "near-duplicates"
    severity: Severity
    title: str  # for a table: "Near duplicates"
    meaning: str  # a sentence: what it is and why it hurts
    action: str  # what a build does about it: "kept, on one side of the split"
    droppable: bool = True  # whether --drop may name it


@dataclass(frozen=True)
class Mark:
    """One picture with one finding."""

    picture: int  # index into Survey.pictures
    detail: str  # a few words about this one: "58 px above, 58 px below"
    group: int | None = None  # duplicates and the like: those that belong together share it
    spare: bool = False  # the one of a group that stays when the others are dropped


@dataclass(frozen=True)
class Finding:
    """All the marks of one kind; `remark` says what single pictures cannot (class counts)."""

    kind: Kind
    marks: tuple[Mark, ...]
    remark: str = ""


@dataclass(frozen=True)
class Surveyed:
    """One item, as every check sees it."""

    source: str
    folders: tuple[str, ...]
    label: str | None  # its class, once that is known
    facts: Facts | None  # None for a fault
    fault: Fault | None


@dataclass(frozen=True)
class Survey:
    """Everything that checks look at."""

    pictures: Sequence[Surveyed]  # faulty items too, in the order of the sources
    thumbnails: Thumbnails  # of readable ones, by index into `pictures`
    size: ImageSize | None = None  # the dataset's, when one is planned


class Check(ABC):
    """Finds pictures of one or a few related kinds."""

    kinds: tuple[Kind, ...]

    @abstractmethod
    def findings(self, survey: Survey) -> Iterable[Finding]:
        """Only those with something to say; marks sorted by picture."""
