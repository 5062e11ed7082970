"""Finished stretches of a film, each a file of its own that begins anew.

No frame of one depends on another stretch, none is stored before an earlier one (no B-frames), and
the number of encoder threads is fixed: a stretch is the same bytes whenever it is made.
H.264 in 8 bits 4:2:0 with even sides and ITU-R BT.709 colours, which every browser shows.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.core.errors import RunError
from maquette.data.pictures.content import Raster
from maquette.data.sources.film_pixels import Turn
from maquette.video.facts import FilmFacts

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_OPTIONS = {"crf": "18", "preset": "fast", "bf": "0"}
_THREADS = 3
_BT709, _LIMITED = 1, 1  # ITU-T H.273


class StretchWriter:
    """Frames in order to one file, times counted from its first frame."""

    def __init__(self, file: Path, facts: FilmFacts):
        self._file, self._facts = file, facts
        self._opened: tuple[OutputContainer, VideoStream] | None = None
        self._first_ticks = 0

    def add(self, ticks: int, shown: Raster) -> None:
        """RunError when it cannot be written."""
        import av
        from av.video.reformatter import ColorRange, Colorspace, Interpolation

        stored = even(stored_position(shown, self._facts.turn))
        width = _even(round(stored.shape[1] / self._facts.pixel_shape))
        try:
            if self._opened is None:
                self._first_ticks = ticks
                self._opened = self._open(len(stored), width)
            container, stream = self._opened
            frame = av.VideoFrame.from_ndarray(stored, "rgb24").reformat(
                width=width,
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
            )
            frame.pts, frame.time_base = ticks - self._first_ticks, self._facts.tick
            container.mux(stream.encode(frame))
        except av.error.FFmpegError as error:
            raise unwritable(self._file, error) from error

    def close(self) -> None:
        """Nothing is left to be written."""
        import av

        assert self._opened is not None
        container, stream = self._opened
        try:
            container.mux(stream.encode())
            container.close()
        except av.error.FFmpegError as error:
            raise unwritable(self._file, error) from error

    def _open(self, height: int, width: int) -> "tuple[OutputContainer, VideoStream]":
        import av

        container = av.open(f"file:{self._file}", "w", format="mp4")
        stream = container.add_stream("libx264", self._facts.rate, dict(_OPTIONS))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.thread_count = self._facts.tick, _THREADS
        context.sample_aspect_ratio = self._facts.pixel_shape
        context.color_range, context.colorspace = _LIMITED, _BT709
        context.color_primaries, context.color_trc = _BT709, _BT709
        return container, stream


def stored_position(shown: Raster, turn: Turn) -> Raster:
    """The reverse of how `film_pixels` turns a stored frame upright."""
    a, b, c, d = turn
    swapped = abs(b) > abs(a)
    if swapped:
        a, d = c, b
    pixels = shown[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(pixels.transpose(1, 0, 2) if swapped else pixels)


def even(raster: Raster) -> Raster:
    """Both sides even, by repeating the last row or column."""
    rows, columns = raster.shape[0] % 2, raster.shape[1] % 2
    if not (rows or columns):
        return raster
    return np.pad(raster, ((0, rows), (0, columns), (0, 0)), mode="edge")


def unwritable(file: Path, error: Exception) -> RunError:
    """For what FFmpeg could not write."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    return RunError(
        f"{file} cannot be written ({reason}): mend that, and the same command goes on from here"
    )


def _even(number: int) -> int:
    return max(2, number + number % 2)
