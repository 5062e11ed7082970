"""`translate` of films: times, sound, position, bars and bytes."""

import json
import math
import os
import shutil
import signal
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

import maquette
from commands import start_maquette
from films import contents, difference, drift, scene, times, write_film
from maquette.core.devices import Engine
from maquette.video import stretches
from maquette.workflows import translating_engines, translating_films
from translators import translating_run

QUARTER_TURN = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return translating_run(tmp_path_factory.mktemp("films"))


def test_frames_times_and_sound_are_kept(run, tmp_path):
    ticks = [0, 40, 80, 200, 233, 300, 1000]  # milliseconds, not evenly
    film = write_film(
        tmp_path / "film.mkv", scene(7), ticks=ticks, tick=Fraction(1, 1000), sound=["aac", "flac"]
    )
    done = maquette.translate(run, film, tmp_path / "out")
    (out,) = done.films
    assert out.name == "film.mkv.mp4"
    before, after = contents(film), contents(out)
    assert after.seconds == before.seconds and done.frames == 7
    assert after.sound == before.sound
    assert [kind for kind, _ in after.sound] == ["aac", "flac"]
    assert (after.stream["codec"], after.stream["pixels"]) == ("h264", "yuv420p")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["film.mkv.mp4"]
    assert difference(before.frames[3], after.frames[3]) > 10
    start = out.read_bytes()[:4096]
    assert b"moov" in start  # a browser needs not read all of it first


def test_strength_0_is_the_source(run, tmp_path):
    film = write_film(tmp_path / "film.mp4", scene(5))
    maquette.translate(run, film, tmp_path / "same.mp4", strength=0)
    pairs = zip(contents(film).frames, contents(tmp_path / "same.mp4").frames, strict=True)
    assert max(difference(a, b) for a, b in pairs) < 3


def test_sound_that_mp4_cannot_hold_becomes_aac(run, tmp_path):
    film = write_film(tmp_path / "film.mkv", scene(25), sound=["pcm_s16le", "ac3"])
    maquette.translate(run, film, tmp_path / "out.mp4")
    sound = contents(tmp_path / "out.mp4").sound
    assert [kind for kind, _ in sound] == ["aac", "aac"]
    assert all(packets >= 46 for _, packets in sound)


def test_damaged_sound_costs_a_note_and_no_picture(run, tmp_path):
    film = write_film(tmp_path / "film.mkv", scene(25), sound=["flac"])
    content = bytearray(film.read_bytes())
    sync = b"\xff\xf8"  # of a FLAC frame
    at = [i for i in range(len(content)) if content[i : i + 2] == sync]
    for i in at[1:4]:
        content[i : i + 200] = bytes(200)
    film.write_bytes(content)
    done = maquette.translate(run, film, tmp_path / "out.mp4")
    assert done.frames == 25 and any("sound" in remark for remark in done.remarks)


def test_sound_of_which_nothing_can_be_decoded_is_left_out(run, tmp_path):
    film = write_film(tmp_path / "film.mkv", scene(25), sound=["flac", "aac"])
    content = bytearray(film.read_bytes())
    at = [i for i in range(len(content)) if content[i : i + 2] == b"\xff\xf8"]
    for i in at:
        content[i : i + 12] = bytes(12)
    film.write_bytes(content)
    done = maquette.translate(run, film, tmp_path / "out.mp4")
    assert done.frames == 25 and "left out" in " ".join(done.remarks)
    assert [kind for kind, _ in contents(tmp_path / "out.mp4").sound] == ["aac"]


def test_position_and_shape_of_pixels_are_kept(run, tmp_path):
    frames = scene(3, 48, 64)
    film = write_film(
        tmp_path / "film.mp4", frames, matrix=QUARTER_TURN, shape=Fraction(4, 3), lossless=True
    )
    maquette.translate(run, film, tmp_path / "out.mp4", strength=0)
    before, after = contents(film), contents(tmp_path / "out.mp4")
    for fact in ("rotation", "shape", "size"):
        assert after.stream[fact] == before.stream[fact], fact
    assert before.stream["rotation"] != 0
    assert difference(after.frames[1], before.frames[1]) < 4


def test_odd_sides_become_even(run, tmp_path):
    film = write_film(tmp_path / "film.avi", scene(3, 33, 47), codec="ffv1", pixels="bgr0")
    maquette.translate(run, film, tmp_path / "out.mp4", strength=0)
    after = contents(tmp_path / "out.mp4")
    assert after.stream["size"] == (48, 34)
    assert difference(after.frames[0][:33, :47], contents(film).frames[0]) < 4


def test_bars_are_left_alone(run, tmp_path):
    frames = [np.pad(f, ((20, 20), (0, 0), (0, 0))) for f in scene(30, 72, 128)]
    film = write_film(tmp_path / "film.mp4", frames)
    maquette.translate(run, film, tmp_path / "out.mp4")
    after = contents(tmp_path / "out.mp4").frames[15]
    assert after.shape == (112, 128, 3)
    assert after[:19].max() < 30 and after[93:].max() < 30
    without = write_film(tmp_path / "inner.mp4", scene(30, 72, 128))
    maquette.translate(run, without, tmp_path / "inner-out.mp4")
    inner = contents(tmp_path / "inner-out.mp4").frames[15]
    assert np.abs(after[20:92].astype(int) - inner).mean() < 8


def test_compare_and_size(run, tmp_path):
    film = write_film(tmp_path / "film.mp4", scene(3, 96, 128))
    maquette.translate(run, film, tmp_path / "out.mp4", size=48, compare=True)
    after = contents(tmp_path / "out.mp4")
    assert after.stream["size"] == (128, 48)
    left, right = after.frames[1][:, :64], after.frames[1][:, 64:]
    assert np.abs(left.astype(int) - contents(film).frames[1][::2, ::2]).mean() < 12
    assert np.abs(left.astype(int) - right).mean() > 10


def test_stabilising_lowers_flicker(run, tmp_path):
    random = np.random.default_rng(0)
    frames = [
        np.clip(f + random.normal(0, 3, f.shape), 0, 255).astype(np.uint8)
        for f in scene(16, 64, 96)
    ]
    film = write_film(tmp_path / "film.mp4", frames, lossless=True)
    plain = maquette.translate(run, film, tmp_path / "plain.mp4")
    steady = maquette.translate(run, film, tmp_path / "steady.mp4", stabilise=True)
    assert (steady.flicker.pairs, plain.flicker.pairs) == (15, 3)
    assert steady.flicker.source_levels == pytest.approx(plain.flicker.source_levels, rel=0.1)
    assert steady.flicker.made_levels < 0.8 * plain.flicker.made_levels


def test_an_interrupted_film_ends_in_the_same_bytes(run, tmp_path, monkeypatch):
    monkeypatch.setattr(translating_films, "STRETCH_FRAMES", 8)
    film = write_film(tmp_path / "film.mp4", scene(30), sound=["aac"])
    maquette.translate(run, film, tmp_path / "whole.mp4", stabilise=True)

    class Stop(Exception):
        pass

    def stop_at(frame: int):
        def report(_name: str, done: int, _total: int | None) -> None:
            if done >= frame:
                raise Stop

        return report

    out = tmp_path / "parts.mp4"
    for frame in (5, 14, 27):
        with pytest.raises(Stop):
            maquette.translate(run, film, out, stabilise=True, report=stop_at(frame))
        assert not out.exists()
    seen = []
    maquette.translate(
        run, film, out, stabilise=True, report=lambda _name, done, _total: seen.append(done)
    )
    assert seen[0] == 24  # what was finished is not made again
    assert out.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("engine", "levels"), [("onnxruntime", 0.1), ("bf16", 1)])
def test_every_engine_shows_the_same(run, tmp_path, monkeypatch, engine, levels):
    """Compared without loss: how x264 writes noise hangs on single roundings.

    At the usual quality one sample of 9,216 that was one level apart moved its frame and those
    after it in the stretch by 1.5 to 3.5 levels, with one thread as with three; at a fixed
    quantiser by 0.9 to 1.8. Of 200 single samples so moved, 15 moved a frame by more than 0.5.
    """
    if engine == "onnxruntime":
        pytest.importorskip("onnxscript")
    monkeypatch.setattr(stretches, "_OPTIONS", {"qp": "0", "bf": "0"})
    monkeypatch.setattr(translating_films, "STRETCH_FRAMES", 8)
    film, precisions = write_film(tmp_path / "film.mp4", scene(20)), ["fp32"]
    monkeypatch.setattr(
        translating_engines,
        "start_engine",
        lambda device: Engine(torch.device(device), precisions[-1]),
    )
    maquette.translate(run, film, tmp_path / "torch.mp4")
    monkeypatch.setattr(translating_engines, "LEAST_WORK", 0)
    monkeypatch.setattr(translating_engines, "_SLOWER", math.inf)
    precisions.append("bf16" if engine == "bf16" else "fp32")
    engines = []

    def stop(_name: str, done: int, _total: int | None) -> None:
        if done >= 16:
            plan = tmp_path / ".out.mp4.translating" / "plan.json"
            engines.append(json.loads(plan.read_text())["engine"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        maquette.translate(run, film, tmp_path / "out.mp4", report=stop)
    maquette.translate(run, film, tmp_path / "out.mp4")
    assert engines == [engine]
    pairs = zip(
        contents(tmp_path / "out.mp4").frames, contents(tmp_path / "torch.mp4").frames, strict=True
    )
    assert max(difference(a, b) for a, b in pairs) < levels


def test_other_wishes_begin_anew(run, tmp_path, monkeypatch):
    monkeypatch.setattr(translating_films, "STRETCH_FRAMES", 4)
    film, out = write_film(tmp_path / "film.mp4", scene(10)), tmp_path / "out.mp4"

    def stop(_name: str, done: int, _total: int | None) -> None:
        if done >= 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        maquette.translate(run, film, out, report=stop)
    maquette.translate(run, film, out, strength=0.5)
    maquette.translate(run, film, tmp_path / "half.mp4", strength=0.5)
    assert out.read_bytes() == (tmp_path / "half.mp4").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_anywhere_ends_in_the_same_bytes(run, tmp_path):
    film = write_film(tmp_path / "film.mp4", scene(600, 96, 128), sound=["aac"])
    command = ["translate", run, film, "--stabilise", "--device", "cpu", "--out"]
    assert start_maquette(*command, "whole.mp4", folder=tmp_path).wait() == 0
    out = tmp_path / "out.mp4"
    for seconds in (4.0, 5.0, 6.5, 8.0, 5.5):
        started = start_maquette(*command, out.name, folder=tmp_path)
        time.sleep(seconds)
        os.kill(started.pid, signal.SIGKILL)
        started.wait()
    if not out.exists():
        assert start_maquette(*command, out.name, folder=tmp_path).wait() == 0
    assert out.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_film_cut_short_is_told_and_comes_as_far_as_it_goes(run, tmp_path):
    film = write_film(tmp_path / "film.ts", scene(100))
    content = film.read_bytes()
    film.write_bytes(content[: len(content) // 2])
    done = maquette.translate(run, film, tmp_path / "out.mp4")
    assert 10 < done.frames < 100
    assert len(contents(tmp_path / "out.mp4").frames) == done.frames


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\x1a\x45\xdf\xa3" + bytes(500), "cannot be read as a video")],
)
def test_what_is_no_film_is_refused_and_leaves_nothing(run, tmp_path, content, words):
    film = tmp_path / "film.webm"
    film.write_bytes(content)
    with pytest.raises(maquette.MaquetteError, match=words):
        maquette.translate(run, film, tmp_path / "out.mp4")
    assert {p.name for p in tmp_path.iterdir()} == {"film.webm"}


def test_a_film_of_sound_alone_is_refused(run, tmp_path):
    with av.open(str(tmp_path / "song.mp4"), "w") as film:
        track = film.add_stream("aac", 48000, layout="mono")
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "mono")
        heard.sample_rate = 48000
        film.mux(track.encode(heard))
        film.mux(track.encode())
    with pytest.raises(maquette.MaquetteError, match="no moving picture"):
        maquette.translate(run, tmp_path / "song.mp4", tmp_path / "out.mp4")


def test_two_at_once_are_refused(run, tmp_path):
    film, out = write_film(tmp_path / "film.mp4", scene(6)), tmp_path / "out.mp4"

    def again(_name: str, done: int, _total: int | None) -> None:
        with pytest.raises(maquette.MaquetteError, match="another process"):
            maquette.translate(run, film, out)

    maquette.translate(run, film, out, report=again)
    assert out.exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_real_clips_keep_every_frame_and_their_sound_in_step(run, tmp_path, real_data):
    for clip in sorted((real_data / "video").iterdir()):
        if clip.stat().st_size:
            done = maquette.translate(run, clip, tmp_path / "out", size=32)
            before, after = times(clip), times(done.films[0])
            assert done.frames == len(after.frames) == len(before.frames), clip
            period = (before.frames[-1] - before.frames[0]) / (len(before.frames) - 1)
            assert drift(before, after) <= period, clip
            shutil.rmtree(tmp_path / "out")


def test_sound_and_picture_stay_in_step_whatever_the_rate(run, tmp_path):
    ticks = np.cumsum(np.random.default_rng(0).integers(5, 90, 120)).tolist()  # milliseconds
    film = write_film(
        tmp_path / "film.mkv", scene(120), ticks=ticks, tick=Fraction(1, 1000), sound=["aac", "ac3"]
    )
    (out,) = maquette.translate(run, film, tmp_path / "out").films
    assert len(times(out).frames) == 120
    assert drift(times(film), times(out)) <= 0.02


def test_interlaced_films_are_made_whole_frame_by_frame(run, tmp_path):
    whole = scene(40, 96, 128)
    combed = [one.copy() for one in whole[::2]]
    for one, later in zip(combed, whole[1::2], strict=True):
        one[1::2] = later[1::2]
    film = write_film(tmp_path / "film.mp4", combed, options={"x264-params": "tff=1", "qp": "0"})
    done = maquette.translate(run, film, tmp_path / "out.mp4", strength=0)
    before, after = contents(film), contents(tmp_path / "out.mp4")
    assert done.frames == 20 and after.seconds == before.seconds

    def combs(frame: np.ndarray) -> float:
        rows = frame.mean(2)
        return float(np.abs(rows[1:-1] * 2 - rows[:-2] - rows[2:]).mean())

    assert combs(after.frames[10]) < 0.5 * combs(before.frames[10])


def test_what_does_not_come_through_is_told(run, tmp_path, real_data):
    for clip, words in {
        "nasa_13013.mp4": ("1 track of pictures", "2 tracks of subtitles are left out"),
        "transparent.webm": ("stands on white",),
    }.items():
        done = maquette.translate(run, real_data / "video" / clip, tmp_path, size=16)
        said = " ".join(done.remarks)
        assert clip in said and all(word in said for word in words), said


def test_high_dynamic_range_is_told(run, tmp_path):
    film = write_film(
        tmp_path / "film.mp4", scene(3), options={"x264-params": "transfer=smpte2084"}
    )
    done = maquette.translate(run, film, tmp_path / "out.mp4")
    assert "high dynamic range (PQ)" in done.remarks[0] and "convert it" in done.remarks[0]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_minutes_of_1080p_fit_into_2_gib(run, tmp_path):
    """Five frames a second, of which every hundredth differs: memory knows nothing of that."""
    film, still = tmp_path / "film.mp4", None
    with av.open(str(film), "w") as opened:
        stream = opened.add_stream("libx264", 5, {"preset": "ultrafast", "g": "100"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for i in range(3000):
            if i % 100 == 0:
                still = scene(1 + i // 100, 1080, 1920)[-1] if i < 300 else np.roll(still, 40, 1)
            frame = av.VideoFrame.from_ndarray(still, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 5)
            opened.mux(stream.encode(frame))
        opened.mux(stream.encode())
    command = ["translate", run, film, "--size", "64", "--stabilise", "--device", "cpu", "--out"]
    started = start_maquette(*command, "out.mp4", folder=tmp_path)
    _, status, used = os.wait4(started.pid, 0)
    assert status == 0 and used.ru_maxrss < 2 * 2**20  # KiB
    assert len(times(tmp_path / "out.mp4").frames) == 3000
