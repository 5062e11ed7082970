"""Batches are equal resident, streamed and prefetched; each epoch shows all; damage is told."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.core.images import Batch, ImageSpec
from maquette.core.randomness import picture_seeds
from maquette.data import dataset as dataset_module
from maquette.data.building import layout
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.data.moving import Moves
from maquette.data.prefetch import Prefetcher
from maquette.data.sizes import ImageSize
from picture_files import write_pictures


def numbered(count: int, **options: object) -> ImageDataset:
    """Row r is filled with the value r, its left half brighter by 100."""
    pixels = torch.arange(count, dtype=torch.uint8).view(count, 1, 1, 1).repeat(1, 3, 4, 6)
    pixels[..., :3] += 100
    return ImageDataset(pixels, ImageSpec(3, 4, 6), **options)


def rows_of(batch: Batch) -> list[int]:
    """Which rows of `numbered` a batch holds, mirrored or not."""
    pixels = ((batch.images + 1) * 127.5).round()
    return [int(row) for row in pixels.amin(dim=(1, 2, 3))]


def assert_equal(one: Batch, other: Batch) -> None:
    torch.testing.assert_close(one.images, other.images, rtol=0, atol=0)
    torch.testing.assert_close(one.seeds, other.seeds)
    torch.testing.assert_close(one.labels, other.labels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rectangular, labelled dataset in several shards."""
    root = tmp_path_factory.mktemp("dataset")
    write_pictures(root / "photos" / "a", 12)
    write_pictures(root / "photos" / "b", 12, first_seed=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "LARGEST_SHARD_BYTES", 5 * 3 * 8 * 10)
        build([str(root / "photos")], root / "built", ImageSize(8, 10), Choices(holdout=0.2))
    return root / "built"


@given(
    count=st.integers(1, 23),
    size=st.integers(1, 40),
    seed=st.integers(0, 2**40),
)
def test_every_epoch_shows_every_picture_exactly_once(count: int, size: int, seed: int) -> None:
    dataset = numbered(count)
    epochs, steps = 3, -(-3 * count // size)
    seen = [row for step in range(steps) for row in rows_of(dataset.batch(step, size, seed))]
    for epoch in range(epochs):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_have_different_orders() -> None:
    dataset = numbered(50)
    assert rows_of(dataset.batch(0, 50, seed=1)) != rows_of(dataset.batch(1, 50, seed=1))
    assert rows_of(dataset.batch(0, 50, seed=1)) != rows_of(dataset.batch(0, 50, seed=2))


def test_resident_streamed_and_prefetched_batches_are_equal(folder: Path) -> None:
    streamed = open_dataset(folder, moves=Moves(mirror=True, shift=0.25))
    resident = streamed.on("cpu")
    assert resident.resident and not streamed.resident
    with Prefetcher(streamed) as prefetched:
        for step in [0, 1, 2, 3, 1, 30, 31]:
            wanted = streamed.batch(step, 7, seed=5)
            assert_equal(resident.batch(step, 7, seed=5), wanted)
            assert_equal(prefetched.batch(step, 7, seed=5), wanted)


def test_a_dataset_larger_than_the_memory_stays_on_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_dataset(folder)
    bytes_needed = len(opened) * 8 * 10 * 3
    monkeypatch.setattr(dataset_module, "free_bytes", lambda _: 4 * bytes_needed - 1)
    assert not opened.on("cpu").resident
    monkeypatch.setattr(dataset_module, "free_bytes", lambda _: 4 * bytes_needed)
    assert opened.on("cpu").resident


def test_batch_contents(folder: Path) -> None:
    dataset = open_dataset(folder)
    batch = dataset.batch(3, 16, seed=9)
    assert batch.images.shape == (16, 3, 8, 10)
    assert batch.images.dtype == torch.float32
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert -1 <= batch.images.min() < -0.5 and 0.5 < batch.images.max() <= 1
    assert batch.labels is not None and set(batch.labels.tolist()) == {0, 1}
    assert torch.equal(batch.seeds, picture_seeds(16, 9, "batch", 3))


def test_parts_make_up_the_batch(folder: Path) -> None:
    dataset = open_dataset(folder, moves=Moves(mirror=True, shift=0.25))
    whole = dataset.batch(2, 12, seed=4)
    for rank in range(3):
        assert_equal(dataset.batch(2, 12, seed=4, part=(rank, 3)), whole.part(rank, 3))


def test_pictures_keep_the_order_they_are_asked_in(folder: Path) -> None:
    dataset = open_dataset(folder)
    rows = torch.tensor([7, 0, 7, 19, 3])
    one_by_one = torch.cat([dataset.pictures(rows[i : i + 1]) for i in range(5)])
    assert torch.equal(dataset.pictures(rows), one_by_one)
    assert torch.equal(dataset.on("cpu").pictures(rows), one_by_one)
    assert not torch.equal(one_by_one[0], one_by_one[1])


def test_splits_share_no_picture(folder: Path) -> None:
    train, holdout = open_dataset(folder), open_dataset(folder, split="holdout")
    assert len(train) + len(holdout) == 24
    assert len(holdout) > 0
    every = [
        bytes(picture.contiguous().numpy())
        for part in (train, holdout)
        for picture in part.pictures(torch.arange(len(part)))
    ]
    assert len(set(every)) == 24


def test_mirror_flips_about_half_and_each_picture_on_its_own() -> None:
    plain, mirrored = numbered(100), numbered(100, moves=Moves(mirror=True))
    wanted, images = plain.batch(0, 100, seed=1).images, mirrored.batch(0, 100, seed=1).images
    kept = (images == wanted).flatten(1).all(1)
    flipped = (images == wanted.flip(-1)).flatten(1).all(1)
    assert (kept ^ flipped).all()
    assert 30 < int(flipped.sum()) < 70


def test_partners_come_in_an_order_of_their_own() -> None:
    dataset = numbered(30, partners=numbered(20))
    batch = dataset.batch(0, 20, seed=1)
    assert batch.partners is not None
    partners = Batch(batch.partners, batch.seeds)
    assert sorted(rows_of(partners)) == list(range(20))
    assert rows_of(batch) != rows_of(partners)
    assert dataset.epoch_pictures == 20  # what is rare counts
    assert rows_of(Batch(numbered(30).batch(0, 20, seed=1).images, batch.seeds)) == rows_of(batch)
    moved = dataset.on("cpu").batch(0, 20, seed=1)
    assert torch.equal(moved.partners, batch.partners)


def test_extra_turns_do_not_throw_away_what_was_fetched_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset, fetched = numbered(10), []
    batch = dataset.batch

    def counted(step: int, size: int, seed: int, *, part: tuple[int, int]) -> Batch:
        fetched.append((step, seed))
        return batch(step, size, seed, part=part)

    monkeypatch.setattr(dataset, "batch", counted)
    with Prefetcher(dataset) as prefetched:
        for step in range(6):
            for seed in (1, 2):  # a turn and an extra turn
                prefetched.batch(step, 2, seed)
    assert len(fetched) == len(set(fetched))


def test_what_goes_wrong_on_the_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = numbered(10)

    def broken(*_: object, **__: object) -> Batch:
        raise OSError("the disk went away")

    with Prefetcher(dataset) as prefetched:
        prefetched.batch(0, 2, 1)
        monkeypatch.setattr(dataset, "batch", broken)
        with pytest.raises(OSError, match="the disk went away"):
            for step in range(1, 5):
                prefetched.batch(step, 2, 1)


def damaged(folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def refusal(folder: Path, split: str = "train") -> str:
    with pytest.raises(DatasetError) as caught:
        open_dataset(folder, split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_folders_that_are_no_dataset_are_refused(folder: Path, tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nowhere")
    assert "holds no dataset.json" in refusal(tmp_path)
    assert "has no split 'test': it has train, holdout" in refusal(folder, "test")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b'{"format": 1}', b"\xff\xfe"])
def test_a_damaged_manifest_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    copy = damaged(folder, tmp_path)
    (copy / "dataset.json").write_bytes(content)
    assert "damaged" in refusal(copy)


def test_a_newer_format_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    manifest = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps({**manifest, "format": 99, "new": "thing"}))
    assert "newer" in refusal(copy)


def test_a_split_out_of_range_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    manifest = json.loads((copy / "dataset.json").read_text())
    manifest["splits"]["train"] = [0, 25]
    (copy / "dataset.json").write_text(json.dumps(manifest))
    assert "split 'train' is out of range" in refusal(copy)


def test_missing_truncated_and_swapped_files_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = damaged(folder, tmp_path)
    shard = copy / "images-00001.npy"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    assert "cut short" in refusal(copy)
    shard.write_bytes(b"")
    assert "cut short" in refusal(copy)
    np.save(shard, np.zeros((5, 8, 10, 1), np.uint8))
    assert "does not match" in refusal(copy)
    shard.unlink()
    assert "missing" in refusal(copy)
    shard.write_bytes(whole)
    np.save(copy / "labels.npy", np.full(24, 2, np.int32))
    assert "classes that do not exist" in refusal(copy)


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    photos = write_pictures(tmp_path / "photos", 4)
    build([str(photos)], tmp_path / "built", ImageSize(8, 8), Choices(holdout=0))
    assert "holdout split" in refusal(tmp_path / "built", "holdout")
    assert len(open_dataset(tmp_path / "built")) == 4
