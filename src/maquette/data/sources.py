"""Where pictures come from: what every kind of source has in common.

A source lists cheaply and reads lazily, one item after the other, always in the same order, so that
a build needs little memory however many pictures there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from maquette.data.preparation import Raster

LARGEST_FILE_BYTES = 100 * 10**6  # one encoded picture, on disk or unpacked


def too_large() -> str:
    """The finding for a file that is not even read."""
    return f"larger than {LARGEST_FILE_BYTES // 10**6} MB"


@dataclass(frozen=True)
class Item:
    """One picture, not yet decoded, or the reason why there is none."""

    source: str  # where it came from, never an absolute path: "photos/a.jpg", "a.zip!b.png", "c#12"
    folders: tuple[str, ...] = ()  # between the source and the picture; may become its class
    content: bytes | Raster | None = None
    label: str | None = None  # where the source itself names classes
    finding: str | None = None  # why there is no content


class Source(ABC):
    """Pictures of one kind from one place."""

    name: str  # of the folder or file, without ending; the class name when several are combined

    @property
    @abstractmethod
    def grey(self) -> bool:
        """Whether every picture certainly has a single channel."""

    @abstractmethod
    def __len__(self) -> int:
        """How many items there are, unreadable ones included."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Each item once, in a fixed order."""
