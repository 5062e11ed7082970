"""Stretches and sound to one film: a constant amount of memory, and the same bytes every time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maquette.data.sources.frames import opened_film
from maquette.video.facts import FilmFacts
from maquette.video.sound import Track
from maquette.video.stretches import unwritable

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

# The index goes to the front, so that a browser can begin before it has read everything.
_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}


@dataclass(frozen=True)
class Stretch:
    """A finished part of a film."""

    file: Path
    first_ticks: int  # when its first frame is shown


def join(stretches: Sequence[Stretch], film: Path, facts: FilmFacts, out: Path) -> list[str]:
    """Write a film of these pictures and the sound of `film`; what a person should hear of it.

    Sound is copied where it can be, else encoded, else left out; so are tracks of which nothing can
    be decoded. RunError when `out` cannot be written.
    """
    import av

    ways, dropped, remarks = ["copied", "encoded", "none"], set[int](), list[str]()
    while True:
        try:
            tracks = _joined(stretches, film, facts, out, ways[0], dropped)
        except av.error.FFmpegError as error:
            if len(ways) == 1:
                raise unwritable(out, error) from error
            ways = ways[1:]
            if len(ways) == 1:
                remarks.append(f"the sound of {film.name} could not be kept ({error.strerror})")
            continue
        mute = {track.index for track in tracks if track.packets == track.damaged > 0}
        if not mute:
            return remarks + list(_remarks(tracks))
        dropped |= mute
        remarks.append(f"{len(mute)} of the tracks of sound cannot be decoded, and were left out")


def _joined(
    stretches: Sequence[Stretch],
    film: Path,
    facts: FilmFacts,
    out: Path,
    sound: str,
    dropped: set[int],
) -> list[Track]:
    import av

    with ExitStack() as stack:
        opened = stack.enter_context(opened_film(film))
        source = cast("InputContainer", opened.stream.container)
        target = stack.enter_context(
            av.open(f"file:{out}", "w", format="mp4", container_options=dict(_OPTIONS))
        )
        first = stack.enter_context(av.open(f"file:{stretches[0].file}"))
        picture = target.add_stream_from_template(first.streams.video[0])
        if facts.matrix is not None:
            picture.set_display_matrix(facts.matrix)
        tracks = {
            stream.index: Track(stream, target, sound == "copied")
            for stream in (source.streams.audio if sound != "none" else ())
            if stream.codec_context is not None and stream.index not in dropped
        }
        own = float((opened.stream.start_time or 0) * (opened.stream.time_base or 0))
        pictures = _pictures(stretches, facts)
        coming = next(pictures, None)
        for packet in chain(_sound(source, tracks, own - facts.offset_seconds), [None]):
            while coming is not None and (packet is None or _seconds(coming) <= _seconds(packet)):
                coming.stream = picture
                target.mux(coming)
                coming = next(pictures, None)
            if packet is not None:
                target.mux(packet)
    return list(tracks.values())


def _pictures(stretches: Sequence[Stretch], facts: FilmFacts) -> "Iterator[Packet]":
    """All packets with their times in the whole film, and how long each is shown."""
    offset = round(facts.offset_seconds / facts.tick)
    held: Packet | None = None
    for packet, ticks in _timed(stretches, facts.tick):
        if held is not None and held.pts is not None:
            held.duration = ticks + offset - held.pts
            yield held
        packet.pts = packet.dts = ticks + offset
        packet.time_base = facts.tick
        held = packet
    if held is not None and held.pts is not None:
        end = facts.end_ticks + offset - held.pts if facts.end_ticks else 0
        usual = facts.frame_ticks
        held.duration = end if 0 < end <= 10 * usual else usual
        yield held


def _timed(stretches: Sequence[Stretch], tick: Fraction) -> "Iterator[tuple[Packet, int]]":
    import av

    for stretch in stretches:
        with av.open(f"file:{stretch.file}") as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.pts is not None and packet.size:
                    yield packet, stretch.first_ticks + round(packet.pts * packet.time_base / tick)


def _sound(
    source: "InputContainer", tracks: dict[int, Track], origin_seconds: float
) -> "Iterator[Packet]":
    import av

    streams = [source.streams[index] for index in tracks]
    packets = source.demux(*streams) if streams else iter(())
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            break  # the film is damaged here; its pictures ended here too
        if packet is None:
            break
        yield from tracks[packet.stream.index].passed(packet, origin_seconds)
    for track in tracks.values():
        yield from track.rest()


def _remarks(tracks: list[Track]) -> Iterator[str]:
    for number, track in enumerate(tracks, 1):
        if track.damaged:
            yield (
                f"{track.damaged:,} of {track.packets:,} packets of sound track {number} cannot "
                "be decoded, and were left out"
            )


def _seconds(packet: "Packet") -> float:
    return float((packet.dts or 0) * packet.time_base)
