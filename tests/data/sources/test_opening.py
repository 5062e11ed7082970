"""From what a person types to a source, and folders with everything in them."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.sizes import ImageSize, parse_shape
from maquette.data.sources.opening import open_source
from maquette.data.sources.source import Item, Reading
from picture_files import encoded, noise, write_idx, write_pictures


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with pictures, arrays, an archive, drawings, and what is none of it."""
    folder = tmp_path / "mixed"
    write_pictures(folder / "cats", 2)
    np.save(folder / "dogs.npy", np.stack([noise(n) for n in range(3)]))
    write_idx(folder / "t-images-idx3-ubyte", noise(0, 9, 9, 2).transpose(2, 0, 1))
    write_idx(folder / "t-labels-idx1-ubyte", np.array([3, 4], np.uint8))
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("birds/a.png", encoded(noise(7)))
        archive.writestr("birds/b.png", encoded(noise(8)))
    drawing = {"word": "sun", "key_id": "1", "drawing": [[[0, 9], [0, 9]]]}
    (folder / "sun.ndjson").write_text(json.dumps(drawing) + "\n")
    (folder / "notes.txt").write_text("hello")
    (folder / "nothing.mp4").write_bytes(b"")
    (folder / "page.npy").write_text("<html>")
    (folder / ".hidden.png").write_bytes(encoded(noise(0)))
    return folder


EXPECTED = [
    "mixed/cats/000.png",
    "mixed/cats/001.png",
    "mixed/dogs.npy#0",
    "mixed/dogs.npy#1",
    "mixed/dogs.npy#2",
    "mixed/more.zip!birds/a.png",
    "mixed/more.zip!birds/b.png",
    "mixed/notes.txt",
    "mixed/nothing.mp4",
    "mixed/page.npy",
    "mixed/sun.ndjson#1",
    "mixed/t-images-idx3-ubyte#0",
    "mixed/t-images-idx3-ubyte#1",
]


def test_a_folder_holds_everything_that_is_in_its_files(mixed: Path) -> None:
    source = open_source(str(mixed))
    items = list(source.items())
    assert [item.source for item in items] == EXPECTED
    assert source.count() == len(EXPECTED)
    by_source = {item.source: item for item in items}
    assert by_source["mixed/more.zip!birds/a.png"].folders == ("birds",)
    assert by_source["mixed/t-images-idx3-ubyte#1"].label == "4"
    assert by_source["mixed/sun.ndjson#1"].label == "sun"
    assert by_source["mixed/nothing.mp4"].content == b""
    page = by_source["mixed/page.npy"].fault
    assert page is not None and page.reason.startswith("page.npy is a web page")


@pytest.mark.parametrize("start", range(len(EXPECTED) + 2))
def test_a_folder_goes_on_from_any_item(mixed: Path, start: int) -> None:
    rest = [item.source for item in open_source(str(mixed)).items(start)]
    assert rest == EXPECTED[start:]


def test_a_folder_is_another_when_a_file_is(mixed: Path) -> None:
    before = open_source(str(mixed)).identity
    assert open_source(str(mixed)).identity == before
    file = mixed / "cats" / "000.png"
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    changed = open_source(str(mixed)).identity
    assert changed != before
    file.rename(mixed / "cats" / "002.png")
    assert open_source(str(mixed)).identity not in (before, changed)


def test_a_dataset_built_inside_its_source_is_not_read_again(mixed: Path) -> None:
    before = list(map(repr, open_source(str(mixed)).items()))
    build([str(mixed)], mixed / "built", ImageSize(8, 8))
    assert list(map(repr, open_source(str(mixed)).items())) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_folders_that_may_not_be_read_are_told(mixed: Path) -> None:
    (mixed / "cats").chmod(0)
    item = next(iter(open_source(str(mixed)).items()))
    (mixed / "cats").chmod(0o700)
    assert item == Item("mixed/cats", fault=item.fault)
    assert item.fault is not None and "cannot be read" in item.fault.reason


def test_headerless_files_are_read_with_their_shape(tmp_path: Path) -> None:
    picture = noise(0, 6, 5)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.bin").write_bytes(picture.tobytes())
    with_shape = Reading(shape=parse_shape("6x5x3"))
    (item,) = open_source(str(tmp_path / "raw"), with_shape).items()
    assert np.array_equal(item.content, picture)
    (item,) = open_source(str(tmp_path / "raw")).items()
    assert item.fault is not None and "--shape" in item.fault.reason


@pytest.mark.parametrize("text", ["28", "28x28x2", "0x9", "a", "28x28x3x1"])
def test_shapes_that_are_none(text: str) -> None:
    with pytest.raises(DatasetError, match="is not understood"):
        parse_shape(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("builtin:digit", "did you mean 'builtin:digits'"),
        ("nowhere", "nowhere does not exist"),
        ("https://example.org/photos.zip", "download it first"),
        ("notes.txt", "is not a source of pictures"),
        ("one.png", "is not a source of pictures"),
    ],
)
def test_what_is_no_source(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "one.png").write_bytes(encoded(noise(0)))
    with pytest.raises(DatasetError, match=words):
        open_source(text)
