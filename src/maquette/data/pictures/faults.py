"""Why a picture could not be read."""

from dataclasses import dataclass
from typing import Literal

from maquette.core.errors import DatasetError

# "unreadable" is everything about the place (encrypted, no permission), the rest about the picture.
FaultKind = Literal["empty", "not-a-picture", "damaged", "bomb", "unreadable"]


@dataclass(frozen=True)
class Fault:
    """A picture that is left out, because there is nothing to look at."""

    kind: FaultKind
    reason: str  # a few words: "cut short", "encrypted"


class PictureError(DatasetError):
    """A picture that cannot be read."""

    def __init__(self, kind: FaultKind, reason: str):
        super().__init__(reason)
        self.fault = Fault(kind, reason)
