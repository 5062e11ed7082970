"""The sound of a film on its way into an MP4 file that browsers play.

What they play is copied as it is; everything else becomes AAC. Sound that is damaged loses its
damaged packets, never the film.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import AudioStream, Packet
    from av.container import OutputContainer

COPIED = {"aac", "mp3", "opus", "flac"}  # both MP4 and browsers have them; FFmpeg's names
_AAC_RATES = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000}
_OTHER_RATE = 48000
_LAYOUTS = {1: "mono", 6: "5.1"}  # by channels; everything else is mixed to stereo
_BITS_A_CHANNEL = 80_000  # a second


class Track:
    """One stream of sound, from a film to a file."""

    def __init__(self, stream: "AudioStream", target: "OutputContainer", may_copy: bool):
        self._stream, self._tick = stream, stream.time_base or Fraction(1, 1000)
        context = stream.codec_context
        self._copied = may_copy and context.codec.canonical_name in COPIED
        if self._copied:
            self._out = target.add_stream_from_template(stream)
        else:
            rate = context.sample_rate if context.sample_rate in _AAC_RATES else _OTHER_RATE
            self._out = target.add_stream("aac", rate)
            self._out.codec_context.layout = _LAYOUTS.get(context.layout.nb_channels, "stereo")
            self._out.codec_context.bit_rate = _BITS_A_CHANNEL * context.layout.nb_channels
        self._out.metadata.update({"language": stream.language} if stream.language else {})
        self.index, self.packets, self.damaged = stream.index, 0, 0

    def passed(self, packet: "Packet", origin_seconds: float) -> "Iterator[Packet]":
        """What is to be written for a packet, or nothing where it is damaged."""
        import av

        if packet.pts is None or packet.dts is None or not packet.size:
            return
        self.packets += 1
        try:
            frames = self._stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return
        if self._copied:
            shift = round(origin_seconds / self._tick)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._out
            yield packet
            return
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(origin_seconds / frame.time_base)
            try:
                yield from self._out.encode(frame)
            except av.error.FFmpegError:
                self.damaged += 1

    def rest(self) -> "Iterator[Packet]":
        """What the encoder held back."""
        if not self._copied and self.packets > self.damaged:
            yield from self._out.encode(None)
