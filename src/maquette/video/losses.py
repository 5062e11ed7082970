"""What of a film does not come through, in words: better heard from us than missed afterwards."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from maquette.data.sources.frames import Film

if TYPE_CHECKING:
    from av import VideoFrame

_HIGH_RANGE = {16: "PQ", 18: "HLG"}  # transfer characteristics, ITU-T H.273 table 3


def losses(film: Film, first: "VideoFrame") -> Iterator[str]:
    """Parts of sentences that begin with the film's name; `first` is one of its frames."""
    from av.stream import Disposition

    streams = film.stream.container.streams
    pictures = [s for s in streams.video if not s.disposition & Disposition.attached_pic]
    if others := len(pictures) - 1:
        yield f"{_tracks(others)} of pictures beside the largest {_are(others)} left out"
    if subtitles := len(streams.subtitles):
        yield f"{_tracks(subtitles)} of subtitles {_are(subtitles)} left out"
    if any(component.is_alpha for component in first.format.components):
        yield "what is transparent stands on white, as MP4 has no transparency"
    if name := _HIGH_RANGE.get(first.color_trc):
        yield (
            f"its high dynamic range ({name}) is taken for an ordinary one, so colours look pale: "
            "convert it to BT.709 first"
        )


def _tracks(count: int) -> str:
    return f"{count} track{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
