"""Small films, made frame by frame, and what is in a film."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


@dataclass(frozen=True)
class Contents:
    """What a film holds, as a player would find it."""

    frames: list[np.ndarray]  # as stored, RGB
    seconds: list[Fraction]  # when each is shown
    sound: list[tuple[str, int]]  # codec and packets of each track
    stream: dict[str, object]


def scene(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A bright square that wanders over a smooth pattern that moves too."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    frames = []
    for i in range(count):
        waves = [np.sin((columns + i) / 5 + c) * np.cos((rows + i / 2) / 7 - c) for c in range(3)]
        frame = (np.stack(waves, -1) * 90 + 128).astype(np.uint8)
        frame[10 + i % 20 : 22 + i % 20, 8 + i % 30 : 20 + i % 30] = (250, 240, 200)
        frames.append(frame)
    return frames


def write_film(
    file: Path,
    frames: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    ticks: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 25),
    sound: Sequence[str] = (),
    matrix: Sequence[int] | None = None,
    shape: Fraction = Fraction(1),
    lossless: bool = False,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Frames at their ticks, 25 a second without; tracks of sound in these codecs."""
    with av.open(str(file), "w") as film:
        stream = film.add_stream(codec, 25, dict(options or ({"qp": "0"} if lossless else {})))
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pixels
        stream.codec_context.time_base = tick
        stream.codec_context.sample_aspect_ratio = shape
        if matrix is not None:
            stream.set_display_matrix(matrix)
        tracks = [film.add_stream(name, 48000, layout="stereo") for name in sound]
        for number, pixels_of_frame in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels_of_frame), "rgb24")
            frame.pts, frame.time_base = number if ticks is None else ticks[number], tick
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        for number, track in enumerate(tracks):
            seconds = len(frames) / 25
            at = np.arange(int(48000 * seconds)) / 48000
            wave = (np.sin(at * 2 * np.pi * 220 * (number + 1)) * 8000).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], "s16", "stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 0, Fraction(1, 48000)
            film.mux(track.encode(heard))
            film.mux(track.encode())
    return file


def contents(file: Path) -> Contents:
    """All of a film."""
    with av.open(str(file)) as film:
        stream = film.streams.video[0]
        shown = [
            (frame.to_ndarray(format="rgb24"), frame.pts * frame.time_base, frame.rotation)
            for frame in film.decode(stream)
        ]
        facts = {
            "codec": stream.codec_context.name,
            "pixels": stream.codec_context.pix_fmt,
            "shape": stream.sample_aspect_ratio,
            "size": (stream.width, stream.height),
            "rotation": shown[0][2],
            "seconds": float((stream.duration or 0) * (stream.time_base or 0)),
        }
        tracks = len(film.streams.audio)
    sound = []
    for index in range(tracks):
        with av.open(str(file)) as film:
            track = film.streams.audio[index]
            packets = sum(1 for packet in film.demux(track) if packet.size)
            sound.append((track.codec_context.codec.canonical_name, packets))
    return Contents([f for f, _, _ in shown], [s for _, s, _ in shown], sound, facts)


@dataclass(frozen=True)
class Times:
    """When what is in a film is seen and heard, in seconds; see `drift`."""

    frames: list[float]
    sound: list[tuple[float, float]]  # beginning and end of each track


def times(file: Path) -> Times:
    """Of the largest picture and all sound that can be decoded."""
    with av.open(str(file)) as film:
        picture = max(film.streams.video, key=lambda stream: stream.width * stream.height)
        tracks = [stream for stream in film.streams.audio if stream.codec_context is not None]
        frames, heard = [], {track.index: [] for track in tracks}
        for packet in film.demux(picture, *tracks):
            for frame in packet.decode():
                seconds = float(frame.pts * frame.time_base)
                if packet.stream is picture:
                    frames.append(seconds)
                else:
                    end = seconds + frame.samples / frame.sample_rate
                    heard[packet.stream.index].append((seconds, end))
    return Times(
        frames, [(min(parts)[0], max(end for _, end in parts)) for parts in heard.values()]
    )


def drift(before: Times, after: Times) -> float:
    """The most seconds by which a frame, or the end of a track, moved against the sound."""
    origins = [times.sound[0][0] if times.sound else times.frames[0] for times in (before, after)]
    moved = [
        (late - origins[1]) - (early - origins[0])
        for early, late in zip(
            [*before.frames, *(end for _, end in before.sound)],
            [*after.frames, *(end for _, end in after.sound)],
            strict=True,
        )
    ]
    return max(map(abs, moved))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean of two frames in grey levels; brightness alone, as colours are stored coarser."""
    return float(np.abs(one.mean(2) - other.mean(2)).mean())
