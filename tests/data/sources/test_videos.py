"""Videos: frames at their times, thinned, in scenes, without bars, and nothing that crashes."""

import struct
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Box, Raster
from maquette.data.sources.frames import opened_film
from maquette.data.sources.source import Item, Reading
from maquette.data.sources.videos import VideoSource, is_video
from picture_files import encoded, noise

WIDTH, HEIGHT = 96, 64
ALL = Reading(frames_per_second=5, min_change=0)


def scene(seed: int, level: int = 0) -> Raster:
    """A wide picture of soft blocks, over which a film pans; `level` makes scenes differ."""
    blocks = noise(seed, HEIGHT // 16, WIDTH * 2 // 16) // 2 + level
    return np.kron(blocks, np.ones((16, 16, 1), np.uint8))


DAY, NIGHT = scene(0, 110), scene(1)


def two_scenes(index: int) -> Raster:
    """Frame `index` of a film that cuts at frame 30."""
    return (DAY if index < 30 else NIGHT)[:, index : index + WIDTH]


def write_film(
    file: Path,
    picture: Callable[[int], Raster] = two_scenes,
    frames: int = 50,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    keyframe_every: int = 250,
    pixel_shape: Fraction = Fraction(1),
    rotation_degrees: int = 0,
) -> Path:
    """25 frames a second."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = picture(0).shape[:2]
        stream.pix_fmt, stream.gop_size = pixels, keyframe_every
        stream.codec_context.sample_aspect_ratio = pixel_shape
        if rotation_degrees:
            stream.set_display_rotation(rotation_degrees)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture(index)), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def items(file: Path, reading: Reading = ALL, start: int = 0) -> list[Item]:
    return list(VideoSource(file, reading).items(start))


def seconds(found: list[Item]) -> list[float]:
    return [float(item.source.split("@")[1].removesuffix("s")) for item in found]


def pixels(item: Item) -> Raster:
    assert isinstance(item.content, np.ndarray)
    return item.content


def mean_difference(first: Raster, second: Raster) -> float:
    return float(np.abs(first.astype(int) - second).mean())


CONTAINERS = [
    ("film.mp4", "libx264"),
    ("film.avi", "mpeg4"),
    ("film.mkv", "ffv1"),  # keyframes only
    ("film.ts", "libx264"),
    ("film.mpg", "mpeg2video"),
    ("film.flv", "flv"),
    ("film.wmv", "wmv2"),
    ("film.webm", "libvpx"),
]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_frames_come_at_their_times(tmp_path: Path, name: str, codec: str) -> None:
    file = write_film(tmp_path / name, codec=codec)
    found = items(file)
    assert seconds(found) == pytest.approx([n / 5 for n in range(10)], abs=0.002)
    for item, time in zip(found, seconds(found), strict=True):
        assert item.fault is None and item.source.startswith(f"{name}@")
        assert mean_difference(pixels(item), two_scenes(round(time * 25))) < 16
    source = VideoSource(file, ALL)
    assert source.count() is None and not source.grey and source.name == "film"


def test_the_asked_rate_may_be_as_fast_as_the_film(tmp_path: Path) -> None:
    file = write_film(tmp_path / "film.mp4", frames=20)
    assert len(items(file, Reading(frames_per_second=100, min_change=0))) == 20


@pytest.mark.parametrize("keyframe_every", [5, 250])
def test_keyframes_alone_give_the_same_frames(tmp_path: Path, keyframe_every: int) -> None:
    file = write_film(tmp_path / "film.mp4", keyframe_every=keyframe_every)
    with opened_film(file) as film:
        assert film.keyframe_gap_seconds() == pytest.approx(min(keyframe_every, 50) / 25)
    with opened_film(file) as film:
        assert len(list(film.frames(lambda _: True))) == max(1, 50 // keyframe_every)
    assert seconds(items(file)) == [n / 5 for n in range(10)]


def test_going_on_gives_what_is_left(tmp_path: Path) -> None:
    file = write_film(tmp_path / "film.mp4")
    whole, rest = items(file), items(file, start=4)
    assert [item.source for item in rest] == [item.source for item in whole[4:]]
    assert [item.group for item in rest] == [item.group for item in whole[4:]]
    for item, same in zip(rest, whole[4:], strict=True):
        assert np.array_equal(pixels(item), pixels(same))
    assert items(file, start=10) == []


def test_frames_that_hardly_change_are_left_out(tmp_path: Path) -> None:
    def slide_show(index: int) -> Raster:
        return (DAY if index < 30 else NIGHT)[:, :WIDTH]

    file = write_film(tmp_path / "film.mp4", slide_show)
    assert seconds(items(file, Reading(frames_per_second=5))) == [0, 1.2]
    assert len(items(file)) == 10


def test_bars_do_not_dampen_changes(tmp_path: Path) -> None:
    """Grey rises by one level in two frames: 5 levels, or 2 % of the range, in 10 frames."""

    def rising(index: int, bar: int) -> Raster:
        picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8) + scene(3)[:, :WIDTH] // 4
        picture[bar : HEIGHT - bar] += np.uint8(index // 2)
        picture[:bar] = picture[HEIGHT - bar :] = 0
        return picture

    reading = Reading(frames_per_second=5)
    plain = write_film(tmp_path / "plain.mkv", lambda index: rising(index, 0), codec="ffv1")
    barred = write_film(tmp_path / "barred.mkv", lambda index: rising(index, 16), codec="ffv1")
    assert 3 <= len(items(plain, reading)) < 10
    assert abs(len(items(plain, reading)) - len(items(barred, reading))) <= 1


def test_a_cut_begins_a_scene(tmp_path: Path) -> None:
    found = items(write_film(tmp_path / "film.mp4"))
    assert [item.group for item in found] == ["film.mp4 scene 1"] * 6 + ["film.mp4 scene 2"] * 4


def test_coming_back_continues_a_scene(tmp_path: Path) -> None:
    def dialogue(index: int) -> Raster:
        return (DAY if index // 10 % 2 == 0 else NIGHT)[:, index // 5 :][:, :WIDTH]

    groups = [item.group for item in items(write_film(tmp_path / "film.mp4", dialogue))]
    one, two = "film.mp4 scene 1", "film.mp4 scene 2"
    assert groups == [one, one, two, two, one, one, two, two, one, one]


def test_a_pan_and_a_fade_are_one_scene(tmp_path: Path) -> None:
    def fading_pan(index: int) -> Raster:
        return (DAY[:, 2 * index :][:, :WIDTH] * (1 - index / 50)).astype(np.uint8)

    found = items(write_film(tmp_path / "film.mp4", fading_pan, frames=48))
    assert {item.group for item in found} == {"film.mp4 scene 1"}


def test_bars_are_known_from_the_first_frame(tmp_path: Path) -> None:
    def after_dark(index: int) -> Raster:
        picture = two_scenes(index) if index > 5 else np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        return np.pad(picture, ((12, 12), (0, 0), (0, 0)))

    found = items(write_film(tmp_path / "film.mp4", after_dark))
    assert {item.box for item in found} == {Box(0, 12, WIDTH, 12 + HEIGHT)}
    assert {item.box for item in items(write_film(tmp_path / "full.mp4"))} == {
        Box(0, 0, WIDTH, HEIGHT)
    }


CORNERS = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
CORNERS[:32, :48], CORNERS[:32, 48:], CORNERS[32:, :48] = (200, 0, 0), (0, 200, 0), (0, 0, 200)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_films_are_turned_upright(tmp_path: Path, degrees: int) -> None:
    file = write_film(tmp_path / "f.mp4", lambda _: CORNERS, 3, rotation_degrees=degrees)
    turned = np.rot90(CORNERS, degrees // 90)
    [item] = items(file)
    assert pixels(item).shape == turned.shape
    assert mean_difference(pixels(item), turned) < 6


def test_pixels_are_made_square(tmp_path: Path) -> None:
    file = write_film(tmp_path / "f.mp4", lambda _: CORNERS, 3, pixel_shape=Fraction(3, 2))
    [item] = items(file)
    assert pixels(item).shape == (HEIGHT, WIDTH * 3 // 2, 3)
    assert mean_difference(pixels(item), np.repeat(CORNERS, 3, axis=1)[:, ::2]) < 8


@pytest.mark.parametrize(
    ("name", "codec", "format_name"),
    [
        ("f.mp4", "libx264", "yuv420p10le"),
        ("f.avi", "mjpeg", "yuvj420p"),
        ("f.mkv", "ffv1", "gray"),
    ],
)
def test_depths_and_ranges_keep_their_colours(
    tmp_path: Path, name: str, codec: str, format_name: str
) -> None:
    picture = CORNERS if format_name != "gray" else np.repeat(CORNERS.max(axis=2)[..., None], 3, 2)
    file = write_film(tmp_path / name, lambda _: picture, 3, codec=codec, pixels=format_name)
    [item] = items(file)
    assert mean_difference(pixels(item), picture) < 6


def test_transparency_is_on_white(tmp_path: Path) -> None:
    file = tmp_path / "film.mov"
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[:32] = (200, 0, 0, 255)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgba"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgba")))
        container.mux(stream.encode())
    [item] = items(file)
    assert np.array_equal(np.unique(pixels(item)[:32].reshape(-1, 3), axis=0), [[200, 0, 0]])
    assert pixels(item)[32:].min() == 255


def test_what_can_be_read_of_a_film_cut_short_is_read(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", lambda index: two_scenes(index % 50), frames=200)
    whole = film.read_bytes()
    file = tmp_path / "cut.mkv"
    file.write_bytes(whole[: len(whole) // 2])
    *found, last = items(file)
    assert 5 < len(found) < 40 and all(item.fault is None for item in found)
    assert last.source == "cut.mkv" and last.fault is not None
    assert last.fault.kind == "damaged" and "of 8.0 seconds" in last.fault.reason
    assert items(file, start=len(found)) == [last]


def test_frames_built_upon_damage_are_left_out(tmp_path: Path) -> None:
    file = write_film(tmp_path / "film.mp4", frames=75, keyframe_every=25)
    with av.open(str(file)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    content = bytearray(file.read_bytes())
    at, size = packets[30]  # a little after the second keyframe
    content[at + 4 : at + size] = bytes(size - 4)
    file.write_bytes(content)
    *found, last = items(file)
    assert last.fault is not None and "cannot be decoded" in last.fault.reason
    assert set(seconds(found)) >= {0, 0.2, 0.4, 0.6, 0.8, 2.0, 2.2, 2.4, 2.6, 2.8}
    assert not set(seconds(found)) & {1.4, 1.6, 1.8}
    for item, time in zip(found, seconds(found), strict=True):
        frame = min(round(time * 25), 74)
        assert mean_difference(pixels(item), two_scenes(frame)) < 16


def test_a_film_without_its_index_is_refused(tmp_path: Path) -> None:
    content = write_film(tmp_path / "film.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match=r"cut\.mp4 cannot be read as a video .* cut short"):
        VideoSource(tmp_path / "cut.mp4", ALL)


def test_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "film.webm"
    file.write_bytes(b"")
    with pytest.raises(DatasetError, match="is empty"):
        VideoSource(file, ALL)
    file.write_text(f"#EXTM3U\n#EXTINF:10\n{write_film(tmp_path / 'other.mp4')}\n")
    with pytest.raises(DatasetError, match="cannot be read as a video"):
        VideoSource(file, ALL)  # a playlist may not open other files
    with pytest.raises(DatasetError, match="cannot be read"):
        VideoSource(tmp_path / "missing.mp4", ALL)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sound.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(DatasetError, match="holds no moving picture"):
        VideoSource(file, ALL)


def test_absurd_sizes_are_refused_before_decoding(tmp_path: Path) -> None:
    file = write_film(tmp_path / "f.avi", lambda _: CORNERS, 3, codec="rawvideo", pixels="bgr24")
    content = bytearray(file.read_bytes())
    struct.pack_into("<ii", content, content.index(b"strf") + 12, 12_000, 12_000)
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="12000 x 12000 pixels, which is too large"):
        VideoSource(file, ALL)


@given(st.binary(max_size=400), st.sampled_from(["", "mp4", "mkv", "avi", "ts"]), st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_read_or_refused(
    tmp_path: Path, damage: bytes, kind: str, data: st.DataObject
) -> None:
    content = bytearray()
    if kind:
        whole = tmp_path / f"whole.{kind}"
        codec = "mpeg4" if kind == "avi" else "libx264"
        if not whole.exists():
            write_film(whole, frames=12, codec=codec)
        content += whole.read_bytes()
    at = data.draw(st.integers(0, len(content)))
    content[at : at + len(damage)] = damage
    file = tmp_path / "film.mp4"
    file.write_bytes(content)
    try:
        found = list(islice(VideoSource(file, ALL).items(), 100))
    except DatasetError:
        return
    assert 1 <= len(found) < 100
    assert all((item.content is None) == (item.fault is not None) for item in found)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(write_film(tmp_path / "film.mp4").read_bytes())
    content[200:400] = bytes(200)
    (tmp_path / "film.mp4").write_bytes(content)
    capfd.readouterr()
    items(tmp_path / "film.mp4")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_films_are_told_by_their_content(tmp_path: Path, name: str, codec: str) -> None:
    start = write_film(tmp_path / name, codec=codec, frames=10).read_bytes()[:512]
    assert is_video(start, "something")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_pictures_are_no_films_whatever_they_are_called(kind: str) -> None:
    assert not is_video(encoded(noise(0), kind)[:512], "film.mp4")


def test_names_help_where_content_says_nothing() -> None:
    assert is_video(b"", "film.MP4")
    assert is_video(b"\0\0\0\x08wide", "film.mov")
    assert not is_video(b"", "notes.txt")
    assert not is_video(b"export const x = 1", "code.ts")
    assert not is_video(b"\0\0\0 ftypM4A ", "song.m4a")
    assert not is_video(b"OggS" + bytes(24) + b"\x01vorbis", "song.ogg")


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("chaplin.mp4", Box(72, 0, 640 - 72, 360)),
        ("letterboxed_with_audio.mp4", Box(0, 58, 854, 480 - 58)),
    ],
)
def test_real_bars_are_cropped_within_two_pixels(real_data: Path, name: str, box: Box) -> None:
    first = next(VideoSource(real_data / "video" / name, Reading()).items())
    assert first.box is not None
    assert np.abs(np.subtract(first.box, box)).max() <= 2


def test_real_films_are_read_or_refused(real_data: Path) -> None:
    counts = {}
    for file in sorted((real_data / "video").iterdir()):
        try:
            found = items(file, Reading())
        except DatasetError as problem:
            assert file.name == "zero_bytes.webm", problem
        else:
            assert all(item.fault is None for item in found)
            counts[file.name] = len({item.group for item in found})
    assert len(counts) >= 12
    assert counts["big_buck_bunny_0_30.webm"] == 4  # scenes
    assert counts["nasa_13013.mp4"] == 2
    assert counts["chaplin.mp4"] == 1
