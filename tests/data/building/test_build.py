"""Building: the same bytes every time, rows where items.jsonl says, and nothing half-written."""

import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.dataset import open_dataset
from maquette.data.sizes import ImageSize
from picture_files import contents, encoded, noise, write_idx, write_pictures

SIZE = ImageSize(12, 16)  # that of the pictures that write_pictures makes


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "photos" / "cats", 8)
    write_pictures(tmp_path / "photos" / "dogs", 8, first_seed=50)
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    (tmp_path / "photos" / ".hidden.png").write_bytes(encoded(noise(0)))
    return tmp_path / "photos"


def items(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]


def test_every_row_is_the_picture_that_its_item_names(photos: Path, tmp_path: Path) -> None:
    summary = build([str(photos)], tmp_path / "out", SIZE)
    assert summary.spec.classes == ("cats", "dogs")
    assert list(summary.left_out) == ["photos/notes.txt"]
    for split in ("train", "holdout"):
        dataset = open_dataset(tmp_path / "out", split)
        listed = [item for item in items(summary.folder) if item["split"] == split]
        assert len(dataset) == len(listed) == summary.counts[split] > 0
        for row, item in enumerate(listed):
            file = tmp_path / str(item["source"])
            number = int(file.stem) + (50 if item["label"] == "dogs" else 0)
            assert np.array_equal(
                dataset.pictures(torch.tensor([row]))[0].permute(1, 2, 0), noise(number)
            )
            assert dataset.labels[row] == summary.spec.classes.index(str(item["label"]))
            assert item["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
            assert (item["height"], item["width"]) == (12, 16)


def test_items_are_numbered_by_row_and_skipped_ones_come_last(photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "out", SIZE)
    assert [item["row"] for item in items(tmp_path / "out")] == [*range(16), None]
    assert items(tmp_path / "out")[-1]["source"] == "photos/notes.txt"


def test_the_same_input_gives_the_same_bytes(photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "one", ImageSize(8, 8))
    build([str(photos)], tmp_path / "other" / "place", ImageSize(8, 8))
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "other" / "place")
    assert set(one) == {
        "dataset.json",
        "findings.json",
        "images-00000.npy",
        "items.jsonl",
        "labels.npy",
        "quarantine/not-a-picture/000016-notes.txt",
        "quarantine/reasons.csv",
    }
    assert str(tmp_path).encode() not in b"".join(one.values())


def test_the_manifest_knows_every_file(photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "out", SIZE)
    files = contents(tmp_path / "out")
    manifest = json.loads(files.pop("dataset.json"))
    hashed = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if "/" not in name
    }
    assert manifest["sha256"] == hashed
    assert manifest["format"] == 4


def test_duplicates_lie_on_the_same_side(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos" / "a", 30)
    write_pictures(tmp_path / "photos" / "b", 30)
    build([str(tmp_path / "photos")], tmp_path / "out", SIZE, Choices(holdout=0.3))
    sides: dict[object, set[object]] = {}
    for item in items(tmp_path / "out"):
        sides.setdefault(item["sha256"], set()).add(item["split"])
    assert len(sides) == 30
    assert all(len(side) == 1 for side in sides.values())
    assert set.union(*sides.values()) == {"train", "holdout"}


def test_colours(tmp_path: Path) -> None:
    photos = write_pictures(tmp_path / "photos", 3)
    grey = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    np.save(tmp_path / "grey.npy", grey)

    def channels(out: str, *sources: Path, **options: str) -> int:
        return build([*map(str, sources)], tmp_path / out, SIZE, Choices(**options)).spec.channels

    assert channels("1", photos) == 3
    assert channels("2", tmp_path / "grey.npy") == 1
    assert channels("3", tmp_path / "grey.npy", photos) == 3
    assert channels("4", photos, colour="grey") == 1
    assert channels("5", tmp_path / "grey.npy", colour="rgb") == 3


def test_several_array_files_are_classes_alone_and_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "drawings").mkdir()
    for index, name in enumerate(["cat", "apple"]):
        np.save(tmp_path / "drawings" / f"{name}.npy", np.full((6, 64), index, np.uint8))
    files = sorted(map(str, (tmp_path / "drawings").iterdir()))
    for out, sources in (("1", files), ("2", [str(tmp_path / "drawings")])):
        summary = build(sources, tmp_path / out, ImageSize(8, 8))
        assert summary.spec.classes == ("apple", "cat")
        dataset = open_dataset(tmp_path / out)
        pixels = dataset.pictures(torch.arange(len(dataset)))
        assert torch.equal(pixels[:, 0, 0, 0].long(), 1 - dataset.labels)


def test_a_folder_of_idx_files_has_their_labels(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    labels = np.arange(12, dtype=np.uint8)
    pixels = labels[:, None, None].repeat(8, 1).repeat(8, 2)
    write_idx(tmp_path / "mnist" / "t-images-idx3-ubyte.gz", pixels)
    write_idx(tmp_path / "mnist" / "t-labels-idx1-ubyte.gz", labels)
    summary = build(
        [str(tmp_path / "mnist")], tmp_path / "out", ImageSize(8, 8), Choices(holdout=0)
    )
    assert summary.spec.classes == tuple(map(str, range(12)))
    dataset = open_dataset(tmp_path / "out")
    assert torch.equal(dataset.pictures(torch.arange(12))[:, 0, 0, 0].long(), dataset.labels)
    assert items(tmp_path / "out")[3]["source"] == "mnist/t-images-idx3-ubyte.gz#3"


def test_a_zip_gives_the_same_rows_as_its_folder(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for file in sorted(photos.rglob("*.*")):
            archive.write(file, file.relative_to(tmp_path))
    from_zip = build([str(tmp_path / "photos.zip")], tmp_path / "1", SIZE)
    from_folder = build([str(photos)], tmp_path / "2", SIZE)
    assert from_zip.spec == from_folder.spec
    assert from_zip.counts == from_folder.counts
    one, other = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one["images-00000.npy"] == other["images-00000.npy"]
    assert one["labels.npy"] == other["labels.npy"]
    assert items(tmp_path / "1")[0]["source"].startswith("photos.zip!photos/cats/")


def test_damaged_arrays_in_a_folder_are_findings(photos: Path, tmp_path: Path) -> None:
    (photos / "page.npy").write_text("<html>")
    (photos / "x-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8b")
    summary = build([str(photos)], tmp_path / "out", SIZE)
    assert summary.left_out["photos/page.npy"].startswith("page.npy is a web page")
    assert (
        "x-images-idx3-ubyte.gz is cut short" in summary.left_out["photos/x-images-idx3-ubyte.gz"]
    )
    assert str(tmp_path) not in (tmp_path / "out" / "items.jsonl").read_text()


def test_files_too_large_to_be_pictures_are_not_read(photos: Path, tmp_path: Path) -> None:
    with (photos / "huge.psd").open("wb") as film:
        film.truncate(200 * 10**6)  # sparse
    summary = build([str(photos)], tmp_path / "out", SIZE)
    assert summary.left_out["photos/huge.psd"] == "larger than 100 MB"


def test_progress_is_reported_to_the_end(photos: Path, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int | None]] = []
    build([str(photos)], tmp_path / "out", SIZE, report=lambda *now: heard.append(now))
    assert [now for now in heard if now[0] == "looking"] == [
        ("looking", done, 17) for done in range(18)
    ]
    stage, done, total = heard[-1]
    assert (stage, done) == ("checking", total)


def test_built_in_digits_need_nothing(tmp_path: Path) -> None:
    summary = build(["builtin:digits"], tmp_path / "out", ImageSize(32, 32))
    assert summary.spec.channels == 1
    assert summary.spec.classes == tuple("0123456789")
    assert summary.counts["train"] + summary.counts["holdout"] == 1797


# What cannot be built: one sentence, and nothing left behind.


def refusal(sources: list[str], out: Path, **options: object) -> str:
    beside = sorted(out.parent.iterdir())
    with pytest.raises(DatasetError) as caught:
        build(sources, out, SIZE, Choices(**options))
    assert "\n" not in str(caught.value)
    assert sorted(out.parent.iterdir()) == beside
    return str(caught.value)


def no_folder(place: Path) -> None:
    """The source does not exist."""


def empty_folder(place: Path) -> None:
    place.mkdir()


def one_picture(place: Path) -> None:
    write_pictures(place, 1)


def text_files(place: Path) -> None:
    place.mkdir()
    for name in ("a.txt", "b.txt"):
        (place / name).write_text("hello")


def truncated_pictures(place: Path) -> None:
    place.mkdir()
    for number in range(3):
        (place / f"{number}.jpg").write_bytes(encoded(noise(number, 64, 64), "JPEG")[:-500])


def single_picture_file(place: Path) -> None:
    place.write_bytes(encoded(noise(0)))


def empty_zip(place: Path) -> None:
    with zipfile.ZipFile(place.with_suffix(".zip"), "w"):
        pass
    place.with_suffix(".zip").rename(place)


@pytest.mark.parametrize(
    ("prepare_source", "sentence"),
    [
        (no_folder, "does not exist"),
        (empty_folder, "is empty: put pictures there"),
        (one_picture, "holds only one picture that can be read (1 item); at least 2 are needed"),
        (
            text_files,
            "holds no picture that can be read (2 items, first place/a.txt: text, not a picture",
        ),
        (
            truncated_pictures,
            "holds no picture that can be read (3 items, first place/0.jpg: cut short",
        ),
        (single_picture_file, "is not a source of pictures"),
        (empty_zip, "is empty: put pictures there"),
    ],
)
def test_sources_without_pictures(
    tmp_path: Path, prepare_source: Callable[[Path], None], sentence: str
) -> None:
    prepare_source(tmp_path / "place")
    assert sentence in refusal([str(tmp_path / "place")], tmp_path / "out")


def test_no_source_at_all(tmp_path: Path) -> None:
    assert "no source was given" in refusal([], tmp_path / "out")


def test_options_out_of_range(photos: Path, tmp_path: Path) -> None:
    assert "0 to 0.5" in refusal([str(photos)], tmp_path / "out", holdout=0.6)
    assert "0 to 0.5" in refusal([str(photos)], tmp_path / "out", holdout=float("nan"))


def test_classes_that_are_not_there(tmp_path: Path) -> None:
    flat = write_pictures(tmp_path / "flat", 3)
    assert "put all pictures into sub-folders" in refusal(
        [str(flat)], tmp_path / "out", labels="folders"
    )


def test_what_is_there_is_not_overwritten(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    assert "exists already" in refusal([str(photos)], tmp_path / "out")
    assert "exists already" in refusal([str(photos)], tmp_path / "file")
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


def test_an_empty_folder_may_be_filled(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    build([str(photos)], tmp_path / "out", SIZE)
    assert len(open_dataset(tmp_path / "out")) > 0


def test_a_place_that_cannot_be_written(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="cannot be written: Not a directory"):
        build([str(photos)], tmp_path / "file" / "out", SIZE)


@pytest.mark.parametrize("failing", ["first file", "last folder"])
def test_a_full_disk(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    calls = []

    def full(_: int) -> None:
        calls.append(1)
        if failing == "first file" or len(calls) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full while writing" in refusal([str(photos)], tmp_path / "out")
    assert len(calls) == (1 if failing == "first file" else 5)
