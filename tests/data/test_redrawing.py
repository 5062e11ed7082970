"""Batches of changed drawings: a function of (seed, step), and of each picture alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from drawing_files import write_drawings
from maquette.core.errors import DatasetError
from maquette.core.images import to_float
from maquette.core.randomness import picture_seeds
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.dataset import open_dataset
from maquette.data.pictures.drawing import rasterise_points
from maquette.data.prefetch import Prefetcher
from maquette.data.redrawing import FEWEST_POINTS, altered
from maquette.data.settings import StrokeSettings
from maquette.data.sizes import ImageSize
from picture_files import write_pictures

SIZE, COUNT = ImageSize(20, 16), 40
EVERYTHING = StrokeSettings(partial=0.7, drop_stroke=0.3, jitter=0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("drawings")
    files = [
        write_drawings(place / "cat.ndjson", "cat", range(COUNT // 2)),
        write_drawings(place / "dog.ndjson", "dog", range(50, 50 + COUNT // 2)),
    ]
    for name, choices in (
        ("grey", Choices(holdout=0.2)),
        ("rgb", Choices(holdout=0.2, colour="rgb")),
        ("channels", Choices(holdout=0.2, stroke_channels=True)),
    ):
        build([str(file) for file in files], place / name, SIZE, choices)
    return place


def drawings(folder: Path) -> list[np.ndarray]:
    points, ends = np.load(folder / "strokes.npy"), np.load(folder / "stroke-ends.npy")
    return [drawing[:, :3] for drawing in np.split(points, ends)[:-1]]


def test_nothing_changes_unless_it_is_asked_for(folder: Path) -> None:
    plain = open_dataset(folder / "grey").on("cpu")
    assert plain.resident
    batch = plain.batch(0, len(plain), seed=1)
    stored = to_float(plain.pictures(torch.arange(len(plain))))
    assert torch.equal(batch.images.sum((1, 2, 3)).sort()[0], stored.sum((1, 2, 3)).sort()[0])


@pytest.mark.parametrize("kind", ["grey", "rgb", "channels"])
def test_a_drawing_that_is_left_alone_is_drawn_as_it_was(kind: str, folder: Path) -> None:
    plain = open_dataset(folder / kind)
    redrawn = open_dataset(folder / kind, strokes=StrokeSettings(partial=1e-9))
    for step in range(3):
        ours, stored = (dataset.batch(step, 8, seed=3) for dataset in (redrawn, plain))
        assert torch.equal(ours.images, stored.images)
        assert torch.equal(ours.labels, stored.labels)


@pytest.mark.parametrize("kind", ["grey", "channels"])
def test_a_batch_follows_from_seed_and_step(kind: str, folder: Path) -> None:
    dataset = open_dataset(folder / kind, strokes=EVERYTHING)
    batch = dataset.batch(5, 16, seed=3)
    again = open_dataset(folder / kind, strokes=EVERYTHING).on("cpu")
    assert torch.equal(again.batch(5, 16, seed=3).images, batch.images)
    plain = open_dataset(folder / kind).batch(5, 16, seed=3)
    assert torch.equal(plain.labels, batch.labels)
    assert not torch.equal(plain.images, batch.images)
    for other in (dataset.batch(6, 16, seed=3), dataset.batch(5, 16, seed=4)):
        assert not torch.equal(other.images, batch.images)


def test_a_picture_does_not_depend_on_its_neighbours(folder: Path) -> None:
    dataset = open_dataset(folder / "grey", strokes=EVERYTHING)
    whole = dataset.batch(2, 16, seed=3).images
    halves = [dataset.batch(2, 16, seed=3, part=(rank, 2)).images for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), whole)
    points, seeds = drawings(folder / "grey"), picture_seeds(COUNT, 7)
    together = altered(points, EVERYTHING, seeds)
    for number in range(COUNT):
        (alone,) = altered(points[number : number + 1], EVERYTHING, seeds[number : number + 1])
        assert np.array_equal(alone, together[number])


def test_it_is_fetched_ahead_though_the_pictures_are_in_memory(folder: Path) -> None:
    dataset = open_dataset(folder / "grey", strokes=EVERYTHING).on("cpu")
    assert not dataset.resident
    with Prefetcher(dataset) as ahead:
        for step in range(3):
            assert torch.equal(ahead.batch(step, 8, 0).images, dataset.batch(step, 8, 0).images)


def test_partial_drawings_end_early(folder: Path) -> None:
    points = drawings(folder / "grey") * 20
    cut = altered(points, StrokeSettings(partial=1), picture_seeds(len(points), 0))
    for before, after in zip(points, cut, strict=True):
        assert min(FEWEST_POINTS, len(before)) <= len(after) <= len(before)
        assert np.array_equal(before[: len(after)], after)
    shares = [len(after) / len(before) for before, after in zip(points, cut, strict=True)]
    assert 0.5 < np.mean(shares) < 0.7  # a half, and what rounding up and the fewest add
    some = altered(points, StrokeSettings(partial=0.25), picture_seeds(len(points), 0))
    whole = [len(after) == len(before) for before, after in zip(points, some, strict=True)]
    assert 0.7 < np.mean(whole) < 0.85


def test_some_strokes_are_left_out_but_never_all(folder: Path) -> None:
    points = drawings(folder / "grey") * 20
    left = altered(points, StrokeSettings(drop_stroke=0.4), picture_seeds(len(points), 0))
    kept = total = 0
    for before, after in zip(points, left, strict=True):
        strokes = np.unique(after[:, 2])
        assert len(strokes) and np.array_equal(before[np.isin(before[:, 2], strokes)], after)
        if before[-1, 2] >= 2:
            kept, total = kept + len(strokes), total + int(before[-1, 2]) + 1
    assert 0.58 < kept / total < 0.68  # 0.6, and those that stay because none else did
    least = altered(points, StrokeSettings(drop_stroke=0.999), picture_seeds(len(points), 0))
    assert all(len(np.unique(after[:, 2])) == 1 for after in least)


def test_jitter_moves_points_by_so_much_at_most(folder: Path) -> None:
    points = drawings(folder / "grey")
    moved = altered(points, StrokeSettings(jitter=0.1), picture_seeds(len(points), 0))
    for before, after in zip(points, moved, strict=True):
        away = np.abs(after - before)
        size = np.ptp(before[:, :2], axis=0).max()
        assert away[:, :2].max() <= 0.1001 * size and not away[:, 2].any()
        assert len(before) < 9 or away[:, :2].max() > 0.05 * size


@pytest.mark.parametrize("split", ["train", "holdout"])
def test_pictures_of_unfinished_drawings(split: str, folder: Path) -> None:
    dataset = open_dataset(folder / "channels", split)
    rows = torch.tensor([3, 0, 2])
    assert torch.equal(dataset.partial_pictures(rows, 1.0), dataset.pictures(rows))
    first = 0 if split == "train" else len(open_dataset(folder / "channels"))
    points = [drawings(folder / "channels")[first + row] for row in rows]
    begun = [drawing[: -(-len(drawing) // 2)] for drawing in points]
    expected = torch.from_numpy(rasterise_points(begun, 20, 16, 3)).permute(0, 3, 1, 2)
    assert torch.equal(dataset.partial_pictures(rows, 0.5), expected)
    assert dataset.partial_pictures(rows, 0.0).max() == 0


def test_the_strokes_of_one_class_go_with_its_pictures(folder: Path) -> None:
    dataset = open_dataset(folder / "grey")
    dogs = dataset.domain(1, dataset.spec)
    rows = torch.arange(len(dogs))
    assert torch.equal(dogs.partial_pictures(rows, 1.0), dogs.pictures(rows))


def test_what_has_no_strokes_says_so(tmp_path: Path) -> None:
    build([str(write_pictures(tmp_path / "photos", 6))], tmp_path / "out", SIZE)
    with pytest.raises(DatasetError, match=r"data\.strokes .* photos, which keeps no pen strokes"):
        open_dataset(tmp_path / "out", strokes=EVERYTHING)
    with pytest.raises(DatasetError, match="keeps no pen strokes"):
        open_dataset(tmp_path / "out").partial_pictures(torch.arange(2), 0.5)


@pytest.mark.parametrize("name", ["strokes.npy", "stroke-ends.npy"])
def test_strokes_that_do_not_fit_are_refused(name: str, folder: Path, tmp_path: Path) -> None:
    source = folder / "grey"
    (tmp_path / "copy").mkdir()
    for file in source.iterdir():
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
    np.save(tmp_path / "copy" / name, np.load(source / name)[:-1])
    with pytest.raises(DatasetError, match="build the dataset again"):
        open_dataset(tmp_path / "copy")
    (tmp_path / "copy" / name).unlink()
    with pytest.raises(DatasetError, match="is missing"):
        open_dataset(tmp_path / "copy")
