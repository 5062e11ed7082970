"""The frames of a film, one after the other, in constant memory.

FFmpeg does the decoding (PyAV). A file comes from elsewhere and may mean harm: only containers of
films are opened (a playlist could name other files), and sizes are bounded before and while
decoding. Damage ends in fewer frames and a reason, never in an exception.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Raster
from maquette.data.pictures.decoding import LARGEST_PICTURE_PX
from maquette.data.sources.film_pixels import Turn, turn_of, upright_pixels

if TYPE_CHECKING:
    from av import Packet, VideoCodecContext, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf"  # FFmpeg's names
_MISSING_SECONDS, _MISSING_SHARE = 1.0, 0.05  # of the end, before a film counts as cut short
_HD_LINES, _HD_COLUMNS = 720, 1280
_BACKWARDS_SECONDS = 1.0  # a clock that steps back further has been set anew


@dataclass(frozen=True)
class Frame:
    """One decoded frame, still in the film's own colours and position."""

    seconds: float  # from the start of the film
    picture: "VideoFrame"


class Film:
    """An open film, read once from its beginning, or here and there; see `opened_film`."""

    def __init__(self, container: "InputContainer", stream: "VideoStream"):
        self._container, self._stream = container, stream
        self._decoder = _decoder(stream)
        self._tick = float(stream.time_base or 0)
        self._start = (stream.start_time or 0) * self._tick
        self._frame_seconds = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        self._turn: Turn | None = None
        self.damage: str | None = None  # what could not be read, known when frames have ended

    @property
    def stream(self) -> "VideoStream":
        """What else the film says about its pictures."""
        return self._stream

    @property
    def seconds(self) -> float | None:
        """How long the film says it is."""
        if self._stream.duration:
            return self._stream.duration * self._tick
        return self._container.duration / 10**6 if self._container.duration else None

    def pixels(self, picture: "VideoFrame") -> Raster:
        """As a viewer shows it."""
        # Films that do not say which colours they mean: the convention of players.
        is_hd = picture.height >= _HD_LINES or picture.width >= _HD_COLUMNS
        hd_colours = is_hd and self._decoder.name not in ("vp8", "libvpx")  # VP8 has but one
        if self._turn is None:
            self._turn = turn_of(picture)
        shape = float(self._stream.sample_aspect_ratio or 1)
        return upright_pixels(picture, shape, hd_colours, self._turn)

    def keyframe_gap_seconds(self) -> float | None:
        """The longest time from one keyframe to the next; None without a whole index."""
        try:
            if self._stream.duration is None:
                self._container.seek(0)  # Matroska reads its index only now
        except _ffmpeg_error():
            return None
        times = [e.timestamp * self._tick for e in self._stream.index_entries if e.is_keyframe]
        if not times or self.seconds is None:
            return None
        ends = [*times[1:], times[0] + self.seconds]
        return max(end - time for time, end in zip(times, ends, strict=True))

    def frames(self, wanted: Callable[[float], bool] | None = None) -> Iterator[Frame]:
        """In order, from the beginning; with `wanted`, only keyframes at seconds it agrees to.

        What follows damage is built upon it, up to the next keyframe, and is left out.
        """
        seconds = -self._frame_seconds
        sound, any_sound, failures = False, False, 0
        keyframe_ticks: int | None = None  # from which pictures do not need what was damaged
        for packet in self._packets(wanted):
            if keyframe_ticks is None and packet.is_keyframe:
                keyframe_ticks = packet.pts
            try:
                pictures = self._decoder.decode(packet)
            except _ffmpeg_error():
                sound, failures, keyframe_ticks = False, failures + 1, None
                continue
            for picture in pictures:
                if not _is_whole(picture):
                    sound, keyframe_ticks = False, None
                elif not sound:
                    sound = picture.key_frame or _reaches(picture, keyframe_ticks)
                if sound:
                    any_sound = True
                    seconds = self._after(seconds, picture)
                    yield Frame(seconds, picture)
                elif any_sound:  # a recording may well begin between two keyframes
                    failures += 1
        if self.damage is None and not any_sound:
            self.damage = "none of its frames can be decoded"
        if self.damage is None and failures:
            self.damage = f"{failures} of its frames cannot be decoded"

    def spread(self, count: int) -> "Iterator[VideoFrame]":
        """Keyframes from all over the film, at most `count`, each once; none where it is mute
        about its length or cannot be jumped in."""
        seen = set()
        for part in range(count if self.seconds else 0):
            picture = self._keyframe_near((part + 0.5) / count * (self.seconds or 0))
            if picture is not None and picture.pts not in seen:
                seen.add(picture.pts)
                yield picture

    def _keyframe_near(self, seconds: float) -> "VideoFrame | None":
        try:
            self._container.seek(int((self._start + seconds) * 10**6))
            self._decoder.flush_buffers()
            for packet in self._container.demux(self._stream):
                for picture in self._decoder.decode(packet):
                    if _is_whole(picture):
                        return picture
        except _ffmpeg_error():
            pass
        return None

    def _packets(self, wanted: Callable[[float], bool] | None) -> "Iterator[Packet]":
        """Of the film's pictures; tells afterwards whether the end is missing."""
        end = 0.0
        try:
            for packet in self._container.demux():
                if packet.pts is not None:
                    end = max(end, float(packet.pts * packet.time_base) - self._start)
                if packet.stream is not self._stream:
                    continue
                if wanted and packet.pts is not None:
                    seconds = packet.pts * self._tick - self._start
                    if not packet.is_keyframe or not wanted(seconds):
                        continue
                yield packet
        except _ffmpeg_error():
            self.damage = f"cannot be read on after {end:.1f} seconds"
            return
        missing = (self.seconds or 0) - end
        if missing > max(_MISSING_SECONDS, _MISSING_SHARE * (self.seconds or 0)):
            self.damage = f"cut short after {end:.1f} of {self.seconds:.1f} seconds"

    def _after(self, last: float, picture: "VideoFrame") -> float:
        """When the picture is shown, where the one before was at `last`."""
        if picture.pts is None:
            return last + self._frame_seconds
        seconds = picture.pts * self._tick - self._start
        if seconds < last - _BACKWARDS_SECONDS:
            self._start += seconds - last - self._frame_seconds
            return last + self._frame_seconds
        return seconds


def _reaches(picture: "VideoFrame", ticks: int | None) -> bool:
    """Not every decoder marks the keyframes among its pictures."""
    return ticks is not None and picture.pts is not None and picture.pts >= ticks


def _is_whole(picture: "VideoFrame") -> bool:
    return not picture.is_corrupt and picture.width * picture.height <= LARGEST_PICTURE_PX


@contextmanager
def opened_film(file: Path) -> Iterator[Film]:
    """DatasetError when the file cannot be read as a film."""
    import av

    try:
        if file.stat().st_size == 0:
            raise DatasetError(f"{file} is empty: download or export it again")
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        container = av.open(f"file:{file}", options=options, metadata_errors="replace")
    except (OSError, av.error.FFmpegError) as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise DatasetError(
            f"{file} cannot be read as a video ({reason}): it may be damaged or cut short"
        ) from None
    with container:
        yield Film(container, _picture_stream(file, container))


def _picture_stream(file: Path, container: "InputContainer") -> "VideoStream":
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise DatasetError(f"{file} holds no moving picture")
    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        raise DatasetError(f"{file} is in a format that cannot be read: convert it to H.264")
    stream = max(known, key=lambda stream: stream.width * stream.height)
    if stream.width * stream.height > LARGEST_PICTURE_PX:
        raise DatasetError(
            f"{file} claims frames of {stream.width} x {stream.height} pixels, which is too large"
        )
    return stream


def _decoder(stream: "VideoStream") -> "VideoCodecContext":
    """FFmpeg's own VP8 and VP9 decoders leave transparency out; libvpx has it."""
    from av.codec.context import CodecContext
    from av.video.codeccontext import VideoCodecContext

    decoder: CodecContext = stream.codec_context
    with_alpha = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(decoder.name)
    if with_alpha and stream.metadata.get("alpha_mode") == "1":
        decoder = CodecContext.create(with_alpha, "r")
        decoder.extradata = stream.codec_context.extradata
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_type = "AUTO"
    # Also holds where the size grows in the middle of a stream.
    decoder.options = {"max_pixels": str(LARGEST_PICTURE_PX)}
    return decoder


def _ffmpeg_error() -> type[Exception]:
    import av

    return av.error.FFmpegError
