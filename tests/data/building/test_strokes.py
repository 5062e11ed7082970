"""Datasets of drawings keep their strokes: those of each row, whatever was dropped or stopped."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from drawing_files import drawing, write_drawings
from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.building.journal import POINTS
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
from maquette.data.pictures.drawing import rasterise_points
from maquette.data.sizes import ImageSize
from picture_files import contents, write_pictures

SIZE = ImageSize(12, 16)
CATS, DOGS = 14, 10


@pytest.fixture
def sources(tmp_path: Path) -> list[str]:
    """Timed drawings and such without times; one drawing twice, and a line that is none."""
    cats = write_drawings(tmp_path / "cat.ndjson", "cat", range(CATS), timed=True)
    dogs = write_drawings(tmp_path / "dog.ndjson", "dog", range(50, 50 + DOGS))
    with cats.open("a") as file:
        file.write(json.dumps({"word": "cat", "drawing": drawing(3, timed=True)}) + "\nnothing\n")
    return [str(cats), str(dogs)]


def strokes_of(folder: Path) -> list[np.ndarray]:
    points, ends = np.load(folder / "strokes.npy"), np.load(folder / "stroke-ends.npy")
    assert points.dtype == np.float32 and ends.dtype == np.int64
    return np.split(points, ends)[:-1]


@pytest.mark.parametrize("drop", [(), ("duplicates",)])
def test_every_row_has_the_strokes_of_its_drawing(
    drop: tuple[str, ...], sources: list[str], tmp_path: Path
) -> None:
    summary = build(sources, tmp_path / "out", SIZE, Choices(drop=drop, holdout=0.3))
    assert summary.counts["skipped"] == 1 + len(drop) and summary.counts["holdout"] > 2
    lines = (tmp_path / "out" / "items.jsonl").read_text().splitlines()
    kept = [item for line in lines if (item := json.loads(line))["row"] is not None]
    stored = strokes_of(tmp_path / "out")
    assert len(stored) == len(kept)
    for item, points in zip(kept, stored, strict=True):
        file, _, number = item["source"].partition("#")
        line = (tmp_path / file).read_text().splitlines()[int(number) - 1]
        strokes = json.loads(line)["drawing"]
        assert [len(stroke[0]) for stroke in strokes] == np.bincount(
            points[:, 2].astype(int)
        ).tolist()
        assert points[:, 0].tolist() == [x for stroke in strokes for x in stroke[0]]
        assert points[:, 1].tolist() == [y for stroke in strokes for y in stroke[1]]
        times = [t for stroke in strokes for t in (stroke[2] if len(stroke) > 2 else [])]
        assert points[:, 3].tolist() == (times or [0] * len(points))


def test_strokes_are_hashed_and_are_those_of_the_pictures(
    sources: list[str], tmp_path: Path
) -> None:
    build(sources, tmp_path / "out", SIZE)
    manifest, _ = read_manifest(tmp_path / "out")
    stored = strokes_of(tmp_path / "out")
    assert manifest.strokes is not None and manifest.strokes.points == sum(map(len, stored))
    for name in ("strokes.npy", "stroke-ends.npy"):
        content = (tmp_path / "out" / name).read_bytes()
        assert manifest.sha256[name] == hashlib.sha256(content).hexdigest()
    drawn = rasterise_points([points[:, :3] for points in stored], 12, 16, 1)
    assert np.array_equal(drawn, np.load(tmp_path / "out" / "images-00000.npy"))


@pytest.mark.parametrize("items", [0, 1, 9, CATS + DOGS + 2])
def test_a_stopped_build_goes_on_with_its_strokes(
    items: int, sources: list[str], tmp_path: Path
) -> None:
    build(sources, tmp_path / "whole", SIZE)
    partial = _stopped_after(items, sources, tmp_path / "out")
    written = (partial / POINTS).stat().st_size
    assert build(sources, tmp_path / "out", SIZE).resumed == items
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    if not written:
        return
    for kept in (0, written // 2, written - 1):
        partial = _stopped_after(items, sources, tmp_path / f"cut-{kept}")
        os.truncate(partial / POINTS, kept)
        assert build(sources, tmp_path / f"cut-{kept}", SIZE).resumed < items
        assert contents(tmp_path / f"cut-{kept}") == contents(tmp_path / "whole")


def _stopped_after(items: int, sources: list[str], out: Path) -> Path:
    def stop(_stage: str, done: int, _total: int | None) -> None:
        if done == items:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(sources, out, SIZE, report=stop)
    return out.with_name(f".{out.name}.partial")


def test_processes_give_the_same_strokes(tmp_path: Path) -> None:
    many = [str(write_drawings(tmp_path / "many.ndjson", "cat", range(150)))]
    for workers in (1, 2):
        build(many, tmp_path / str(workers), SIZE, workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert len(strokes_of(tmp_path / "1")) == 150


def test_pictures_among_the_drawings_leave_it_without_strokes(
    sources: list[str], tmp_path: Path
) -> None:
    photos = str(write_pictures(tmp_path / "photos", 4))
    build([*sources, photos], tmp_path / "out", SIZE, Choices(labels="sources"))
    manifest, _ = read_manifest(tmp_path / "out")
    assert manifest.strokes is None and not (tmp_path / "out" / "strokes.npy").exists()
    assert not open_dataset(tmp_path / "out").stroke_channels


def test_stroke_channels_are_ink_order_and_progress(sources: list[str], tmp_path: Path) -> None:
    summary = build(sources, tmp_path / "out", SIZE, Choices(stroke_channels=True))
    manifest, _ = read_manifest(tmp_path / "out")
    assert summary.spec.channels == 3 and open_dataset(tmp_path / "out").stroke_channels
    assert (manifest.policy.stroke_channels, manifest.policy.colour) == (True, "strokes")
    ink, order, progress = np.moveaxis(np.load(tmp_path / "out" / "images-00000.npy"), -1, 0)
    assert (order <= ink).all() and (progress <= ink).all()
    assert (order < ink).any() and (progress < ink).any() and (order != progress).any()
    build(sources, tmp_path / "grey", SIZE)
    assert np.array_equal(np.load(tmp_path / "grey" / "images-00000.npy")[..., 0], ink)


def test_stroke_channels_of_what_has_no_strokes_are_refused_at_once(
    sources: list[str], tmp_path: Path
) -> None:
    photos = str(write_pictures(tmp_path / "photos", 4))
    with pytest.raises(DatasetError, match=r"photos/000\.png is a picture without strokes"):
        build([*sources, photos], tmp_path / "out", SIZE, Choices(stroke_channels=True))
    with pytest.raises(DatasetError, match="take the place of colours"):
        build(sources, tmp_path / "out", SIZE, Choices(stroke_channels=True, colour="grey"))
    assert not list(tmp_path.glob("*out*"))
