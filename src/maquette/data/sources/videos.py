"""The frames of one video as pictures: so many a second, near-identical ones left out.

Every frame names its time ("film.mp4@12.480s") and, as its group, its scene ("film.mp4 scene 3").
Bars are told from many frames at once. Where a film has keyframes as often as frames are asked
for, only they are decoded, which is many times faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from math import floor, inf
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import Float32

from maquette.data.pictures.bars import steady_bars
from maquette.data.pictures.content import Box, Raster
from maquette.data.pictures.faults import Fault
from maquette.data.sources.film_pixels import thumbnail
from maquette.data.sources.frames import Film, Frame, opened_film
from maquette.data.sources.identity import file_identity
from maquette.data.sources.magic import starts_as_picture
from maquette.data.sources.scenes import Scenes
from maquette.data.sources.source import Item, Reading, Source

_BARS_FRAMES = 32  # looked at for bars
_LEAST_JUMPS = 12  # among them; with fewer keyframes the film's beginning is looked at too
_LONGEST_GAP_SECONDS, _UNKNOWN_GAP_SECONDS = 2.0, 0.5  # between frames of the beginning
_CUT, _CUT_BETWEEN_KEYFRAMES = 0.15, 0.3  # least changes; see scenes.py
_KEYFRAME_SLACK = 0.25  # of the asked gap: how far a keyframe may be from the asked time
_INSTANT_SECONDS = 1e-3

_BRANDS_OF_STILLS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_BRANDS_OF_STILLS |= {b"avif", b"avis", b"crx ", b"jp2 ", b"jpx ", b"jxl "}
_BRANDS_OF_SOUND = {b"M4A ", b"M4B ", b"M4P "}
_MAGIC = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video by itself
)
_ASF_MAGIC = bytes.fromhex("3026b2758e66cf11")
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # QuickTime before "ftyp"
_OGG_VIDEO = (b"theora", b"fishead", b"OVP80", b"BBCD\0", b"\x01video")
_ENDINGS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv"}
_ENDINGS |= {".ogv", ".3gp", ".3g2", ".mts", ".m2ts", ".vob"}


def is_video(start: bytes, name: str) -> bool:
    """By the first 512 bytes; where they tell nothing, by the name."""
    ending = PurePath(name).suffix.lower()
    if start[4:8] == b"ftyp":
        return start[8:12] not in _BRANDS_OF_STILLS | _BRANDS_OF_SOUND
    if start.startswith(_MAGIC) or (start[:4] == b"RIFF" and start[8:12] == b"AVI "):
        return True
    if start.startswith(b"OggS"):
        return any(codec in start for codec in _OGG_VIDEO)
    if start.startswith(_ASF_MAGIC):
        return ending != ".wma"
    if any(all(start[at : at + 1] == b"G" for at in packets) for packets in _transport_packets()):
        return True
    if start[4:8] in _ATOMS and ending in {".mov", ".mp4", ".m4v", ".3gp"}:
        return True
    return ending in _ENDINGS and not starts_as_picture(start)


def _transport_packets() -> tuple[tuple[int, ...], ...]:
    """Where sync bytes lie in an MPEG transport stream: as broadcast, and on discs."""
    return (0, 188, 376), (4, 196, 388)


class VideoSource(Source):
    """One film; its scenes are groups."""

    def __init__(self, file: Path, reading: Reading):
        """DatasetError when the file cannot be read as a film."""
        self._file, self._reading = file, reading
        self.name = file.stem
        with opened_film(file):
            pass

    @property
    def grey(self) -> bool:
        return False

    @property
    def identity(self) -> str:
        return file_identity(self._file)

    def count(self) -> int | None:
        return None

    def items(self, start: int = 0) -> Iterator[Item]:
        """Those before `start` are decoded too: what is left out depends on what was kept."""
        kept = 0
        with opened_film(self._file) as film:
            for frame, scene in self._kept(film):
                kept += 1
                if kept > start:
                    yield self._item(film, frame, scene)
            if film.damage is not None and kept >= start:
                yield Item(self._file.name, fault=Fault("damaged", film.damage))

    def _item(self, film: Film, frame: Frame, scene: int) -> Item:
        name = self._file.name
        pixels = film.pixels(frame.picture)
        return Item(
            f"{name}@{frame.seconds:.3f}s",
            content=pixels,
            group=f"{name} scene {scene}",
            # A stream may change its size on the way.
            box=self._bars.inside if pixels.shape == self._bars.shape else None,
        )

    def _kept(self, film: Film) -> Iterator[tuple[Frame, int]]:
        """The frames that become items, and their scenes."""
        gap = 1 / self._reading.frames_per_second
        keyframe_gap = film.keyframe_gap_seconds() or inf
        only_keyframes = keyframe_gap <= gap * (1 + _KEYFRAME_SLACK)
        slack = min(_KEYFRAME_SLACK * gap, keyframe_gap / 2)
        due = _Due(gap, slack if only_keyframes else _INSTANT_SECONDS)
        scenes = Scenes(_CUT_BETWEEN_KEYFRAMES if only_keyframes else _CUT)
        # Bars never change, so the change of a whole frame is the smaller the wider they are.
        least_change = self._reading.min_change * self._bars.share_inside
        last: Float32[np.ndarray, "rows columns"] | None = None
        for frame in film.frames(due if only_keyframes else None):
            colours = thumbnail(frame.picture)
            scene = scenes.number(colours)
            if not (only_keyframes or due(frame.seconds)):
                continue
            grey = colours.mean(axis=2)
            if last is None or np.abs(grey - last).mean() >= least_change:
                last = grey
                yield frame, scene

    @property
    def picture(self) -> Box:
        """The part of each frame without bars; empty for a film without frames."""
        return self._bars.inside

    @cached_property
    def _bars(self) -> "_Bars":
        pictures = self._pictures_for_bars()
        first = next(pictures, None)
        if first is None:
            return _Bars((0, 0, 3), None)
        return _Bars(first.shape, steady_bars(chain([first], pictures)))

    def _pictures_for_bars(self) -> Iterator[Raster]:
        """From all over the film where it can be jumped in, else from its beginning."""
        jumps = 0
        with opened_film(self._file) as film:
            gap = film.seconds / _BARS_FRAMES if film.seconds else _UNKNOWN_GAP_SECONDS
            for picture in film.spread(_BARS_FRAMES):
                jumps += 1
                yield film.pixels(picture)
        if jumps >= _LEAST_JUMPS:
            return
        with opened_film(self._file) as film:
            due = _Due(min(gap, _LONGEST_GAP_SECONDS), _INSTANT_SECONDS)
            frames = (frame for frame in film.frames() if due(frame.seconds))
            for frame in islice(frames, _BARS_FRAMES):
                yield film.pixels(frame.picture)


@dataclass(frozen=True)
class _Bars:
    """The part of a film without bars, for frames of one shape."""

    shape: tuple[int, ...]
    box: Box | None

    @property
    def inside(self) -> Box:
        """All of a frame where there are no bars, so that none are looked for in single frames."""
        return self.box or Box(0, 0, self.shape[1], self.shape[0])

    @property
    def share_inside(self) -> float:
        """Of the area."""
        left, top, right, bottom = self.inside
        return (right - left) * (bottom - top) / (self.shape[0] * self.shape[1])


class _Due:
    """Says yes once in every gap, as soon as its time has come."""

    def __init__(self, gap_seconds: float, slack_seconds: float):
        self._gap, self._slack, self._next = gap_seconds, slack_seconds, 0

    def __call__(self, seconds: float) -> bool:
        gaps = floor((seconds + self._slack) / self._gap)
        if gaps < self._next:
            return False
        self._next = gaps + 1
        return True
