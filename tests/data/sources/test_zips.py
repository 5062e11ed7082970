"""Zips: read like folders, never extracted, and bounded before they are read."""

import zipfile
from pathlib import Path

import pytest
from picture_files import encoded, noise

from maquette.core.errors import DatasetError
from maquette.data import archives, sources
from maquette.data.sources.opening import open_source
from maquette.data.sources.zips import ZipSource


def zipped(file: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def findings(file: Path) -> dict[str, str | None]:
    return {item.source: item.finding for item in ZipSource(file).items()}


def test_members_are_listed_by_name_without_hidden_ones(tmp_path: Path) -> None:
    picture = encoded(noise(0))
    names = ["b/2.png", "a/1.png", "__MACOSX/a/._1.png", ".DS_Store", "a/"]
    source = open_source(str(zipped(tmp_path / "p.zip", dict.fromkeys(names, picture))))
    items = list(source.items())
    assert [item.source for item in items] == ["p.zip!a/1.png", "p.zip!b/2.png"]
    assert [item.folders for item in items] == [("a",), ("b",)]
    assert all(item.content == picture for item in items)
    assert len(source) == 2


def test_names_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    names = ["../evil.png", "/etc/evil.png", "a/../../evil.png", "a\\..\\evil.png"]
    file = zipped(tmp_path / "p.zip", {name: encoded(noise(0)) for name in names})
    items = list(ZipSource(file).items())
    assert len(items) == 4
    for item in items:
        assert item.finding == "a name that leads out of the archive"
        assert item.content is None and item.folders == ()
    assert list(tmp_path.iterdir()) == [file]


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = bytes(3 * 2**20)
    file = zipped(tmp_path / "p.zip", {"bomb.bmp": flat})
    assert findings(file) == {"p.zip!bomb.bmp": "compressed more than 200 times"}
    monkeypatch.setattr(archives, "LARGEST_FILE_BYTES", 2**20)
    assert findings(file) == {"p.zip!bomb.bmp": sources.too_large()}


def test_small_flat_pictures_are_no_bombs(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"white.bmp": bytes(900_000)})
    assert findings(file) == {"p.zip!white.bmp": None}


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    file = zipped(tmp_path / "p.zip", {f"{n}.png": b"x" for n in range(3)})
    with pytest.raises(DatasetError, match="has 3 members, more than 2"):
        ZipSource(file)


def test_damaged_members_are_found_one_by_one(tmp_path: Path) -> None:
    members = {"a.png": encoded(noise(0)), "b.png": encoded(noise(1))}
    file = zipped(tmp_path / "p.zip", members, zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    content[100] ^= 255
    file.write_bytes(content)
    assert findings(file) == {"p.zip!a.png": "damaged in the archive", "p.zip!b.png": None}


def test_encrypted_members_are_found(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))})
    content = bytearray(file.read_bytes())
    content[6] |= 1  # in the local header and, below, in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)
    assert findings(file) == {"p.zip!a.png": "encrypted"}


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))})
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DatasetError, match="damaged or cut short"):
        open_source(str(file))


def test_a_compression_nobody_here_can_read_is_called_so(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))}, zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    content[8] = 9  # Deflate64 in the member's own header
    content[content.index(b"PK\1\2") + 10] = 9  # and in the directory
    file.write_bytes(content)
    assert findings(file) == {"p.zip!a.png": "compressed in a way that cannot be read"}
