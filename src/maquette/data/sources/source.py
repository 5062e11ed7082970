"""Where pictures come from: what every kind of source has in common.

A source lists cheaply and reads lazily, one item after the other, always in the same order, so that
a build needs little memory however many pictures there are, and can go on where it was stopped.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from maquette.core.settings import Settings
from maquette.data.pictures.content import Box, Content
from maquette.data.pictures.faults import Fault

LARGEST_FILE_BYTES = 100 * 10**6  # one encoded picture, on disk or unpacked


def too_large() -> Fault:
    """For a file that is not even read."""
    return Fault("unreadable", f"larger than {LARGEST_FILE_BYTES // 10**6} MB")


class Reading(Settings):
    """How sources are read where they leave a choice."""

    shape: tuple[int, ...] | None = None
    """Of each picture in files of bytes without a header: (height, width) or (height, width, 3)."""
    image_feature: str | None = None
    """Column or feature that holds the pictures of TFRecords and tables; found by content if not
    given."""
    label_feature: str | None = None
    """Column or feature that holds the classes; found by name and type if not given."""
    class_features: tuple[str, ...] = ()
    """Columns or features that are read beside that one, because several labels are wanted."""
    frames_per_second: float = Field(default=1.0, gt=0)
    """How many frames of each second of video are looked at."""
    min_change: float = Field(default=0.02, ge=0, le=1)
    """A frame is kept when it differs from the last kept one by this share of the brightness range
    (mean absolute difference of small grey thumbnails); 0 keeps all."""


@dataclass(frozen=True)
class Item:
    """One picture, not yet decoded, or the reason why there is none."""

    source: str  # where it came from, never an absolute path: "photos/a.jpg", "a.zip!b.png", "c#12"
    folders: tuple[str, ...] = ()  # between the source and the picture; may become its class
    content: Content | None = None
    label: str | None = None  # where the source itself names classes
    fault: Fault | None = None  # why there is no content
    group: str | None = None  # pictures that belong together, like a film's scene: never split
    box: Box | None = None  # the part without bars, where the source knows better than one picture
    classes: Mapping[str, str] = field(default_factory=dict)  # by the class features asked for


class Source(ABC):
    """Pictures of one kind from one place."""

    name: str  # of the folder or file, without ending; the class name when several are combined

    @property
    @abstractmethod
    def grey(self) -> bool:
        """Whether every picture certainly has a single channel."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Changes when the place is seen to hold something else: names, sizes, times of change.

        Cheap: nothing large is read. A stopped build goes on only where identities are the same.
        """

    @abstractmethod
    def count(self) -> int | None:
        """How many items there are, faulty ones included; None when only reading tells."""

    @abstractmethod
    def items(self, start: int = 0) -> Iterator[Item]:
        """Each item once, in a fixed order, without the first `start`, which are skipped cheaply
        where that can be."""
