"""What a film is like, so that its translation can be like it: times, sizes, position, bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Box, Raster
from maquette.data.sources.film_pixels import UNTURNED, Turn, turn_of
from maquette.data.sources.frames import Film, opened_film
from maquette.data.sources.source import Reading
from maquette.data.sources.videos import VideoSource
from maquette.video.deinterlacing import deinterlaced
from maquette.video.losses import losses

if TYPE_CHECKING:
    from av import VideoFrame

_FINEST_TICK = Fraction(1, 1_000_000)  # what MP4 has numbers for
_COMMON_TICK = Fraction(1, 90_000)
_USUAL_RATES = (1, 240)  # frames a second
_MOST_STRETCH = 8  # of pixels that are not square; as where films are read


@dataclass(frozen=True)
class FilmFacts:
    """Of a film as it is stored (turned, pixels perhaps not square) and as it is shown."""

    height: int  # of a frame as shown: upright, with square pixels
    width: int
    picture: Box  # the part of it without bars
    tick: Fraction  # seconds; frames are shown at whole ticks
    frame_ticks: int  # how long a frame is usually shown
    end_ticks: int | None  # when the last one has been shown
    offset_seconds: float  # from the beginning of picture or sound to that of the picture
    turn: Turn
    matrix: tuple[int, ...] | None  # how players are to turn it (ISO/IEC 14496-12, 6.2.2)
    pixel_shape: Fraction  # width over height of a stored pixel
    frames: int | None  # about
    interlaced: bool  # two half pictures in each frame
    losses: tuple[str, ...]  # what does not come through; see there

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return 1 / (self.frame_ticks * self.tick)


def film_facts(file: Path) -> FilmFacts:
    """DatasetError when the file is no film, or not one of its frames can be decoded."""
    with opened_film(file) as film:
        first = next(film.frames(), None)
        if first is None:
            raise DatasetError(f"{file} has no picture: {film.damage}")
        height, width = film.pixels(first.picture).shape[:2]
        turn, matrix = _position(first.picture)
        stream = film.stream
        tick = stream.time_base or _COMMON_TICK
        tick = tick if tick >= _FINEST_TICK else _COMMON_TICK
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        rate = rate if _USUAL_RATES[0] <= rate <= _USUAL_RATES[1] else Fraction(25)
        shape = stream.sample_aspect_ratio or Fraction(1)
        duration = stream.duration and stream.time_base and stream.duration * stream.time_base
        return FilmFacts(
            height=height,
            width=width,
            picture=VideoSource(file, Reading()).picture,
            tick=tick,
            frame_ticks=max(1, round(1 / (rate * tick))),
            end_ticks=round(duration / tick) if duration else None,
            offset_seconds=_offset_seconds(film),
            turn=turn,
            matrix=matrix,
            pixel_shape=shape
            if Fraction(1, _MOST_STRETCH) <= shape <= _MOST_STRETCH
            else Fraction(1),
            frames=stream.frames or (round(film.seconds * rate) if film.seconds else None),
            interlaced=first.picture.interlaced_frame,
            losses=tuple(losses(film, first.picture)),
        )


def timed_frames(film: Film, facts: FilmFacts, skip: int = 0) -> Iterator[tuple[int, Raster]]:
    """Each frame as shown, with its time in ticks from the first of them, always rising.

    The first `skip` are decoded but not given.
    """
    last, start = -1, None
    frames = deinterlaced(film.frames()) if facts.interlaced else film.frames()
    for index, frame in enumerate(frames):
        ticks = round(frame.seconds / facts.tick)
        start = ticks if start is None else start
        last = max(ticks - start, last + 1)
        if index >= skip:
            yield last, _of_size(film.pixels(frame.picture), facts)


def _of_size(raster: Raster, facts: FilmFacts) -> Raster:
    """A film may change its size on the way; a file for browsers cannot."""
    if raster.shape[:2] == (facts.height, facts.width):
        return raster
    size = facts.width, facts.height
    return np.asarray(Image.fromarray(raster).resize(size, Image.Resampling.LANCZOS))


def _position(frame: "VideoFrame") -> tuple[Turn, tuple[int, ...] | None]:
    from av.sidedata.sidedata import SideData

    turn = turn_of(frame)
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if turn == UNTURNED or not isinstance(matrix, SideData):
        return UNTURNED, None
    return turn, tuple(np.frombuffer(bytes(matrix), np.int32)[:9].tolist())


def _offset_seconds(film: Film) -> float:
    streams = [film.stream, *film.stream.container.streams.audio]
    starts = [float(s.start_time * s.time_base) for s in streams if s.start_time and s.time_base]
    own = float((film.stream.start_time or 0) * (film.stream.time_base or 0))
    return own - min([own, *starts] if len(starts) == len(streams) else [own, *starts, 0.0])
