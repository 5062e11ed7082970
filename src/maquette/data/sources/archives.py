"""What is allowed of archives and packed files: they come from elsewhere and may mean harm."""

from pathlib import PurePosixPath

from maquette.data.pictures.faults import Fault

MOST_MEMBERS = 200_000  # where all are listed before any is read
LARGEST_RATIO = 200  # unpacked to packed bytes; pictures are compressed already
_SMALL_BYTES = 2**20  # flat little pictures may exceed the ratio harmlessly

LEADS_OUT = Fault("unreadable", "a name that leads out of the archive")
CUT_SHORT = Fault("damaged", "cut short")
BOMB = Fault("bomb", f"compressed more than {LARGEST_RATIO} times")


def most_unpacked(packed_bytes: int) -> int:
    """Bytes that so many packed ones may become."""
    return max(_SMALL_BYTES, LARGEST_RATIO * packed_bytes)


def is_hidden(name: str) -> bool:
    """Whether a member or a folder above it is hidden, like `__MACOSX/._a.jpg`."""
    return any(part.startswith(".") and part != ".." for part in PurePosixPath(name).parts)


def leads_out(name: str) -> bool:
    """Whether a member's name, used as a path, would leave the archive's folder."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name
