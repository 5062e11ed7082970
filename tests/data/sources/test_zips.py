"""Zips: read like folders, never extracted, and bounded before they are read."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources import zips
from maquette.data.sources.source import too_large
from maquette.data.sources.zips import ZipSource
from picture_files import encoded, noise

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def zipped(file: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def faults(file: Path) -> dict[str, Fault | None]:
    return {item.source: item.fault for item in ZipSource(file).items()}


def test_members_are_listed_by_name_without_hidden_ones(tmp_path: Path) -> None:
    picture = encoded(noise(0))
    names = ["b/2.png", "a/1.png", "__MACOSX/a/._1.png", ".DS_Store", "a/"]
    source = ZipSource(zipped(tmp_path / "p.zip", dict.fromkeys(names, picture)))
    items = list(source.items())
    assert [item.source for item in items] == ["p.zip!a/1.png", "p.zip!b/2.png"]
    assert [item.folders for item in items] == [("a",), ("b",)]
    assert all(item.content == picture for item in items)
    assert source.count() == 2
    assert list(source.items(1)) == items[1:]


def test_names_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    names = ["../evil.png", "/etc/evil.png", "a/../../evil.png", "a\\..\\evil.png"]
    file = zipped(tmp_path / "p.zip", {name: encoded(noise(0)) for name in names})
    items = list(ZipSource(file).items())
    assert len(items) == 4
    for item in items:
        assert item.fault == Fault("unreadable", "a name that leads out of the archive")
        assert item.content is None and item.folders == ()
    assert list(tmp_path.iterdir()) == [file]


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = bytes(3 * 2**20)
    file = zipped(tmp_path / "p.zip", {"bomb.bmp": flat})
    assert faults(file) == {"p.zip!bomb.bmp": Fault("bomb", "compressed more than 200 times")}
    monkeypatch.setattr(zips, "LARGEST_FILE_BYTES", 2**20)
    assert faults(file) == {"p.zip!bomb.bmp": too_large()}


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0)), "b.png": encoded(noise(1))})
    content = bytearray(file.read_bytes())
    first = content.index(b"PK\1\2")
    content[first + 20 : first + 24] = len(content).to_bytes(4, "little")  # a's packed size
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="overlap"):
        ZipSource(file)


def test_a_member_that_lies_about_its_size_is_not_unpacked_further(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.bmp": bytes(900_000)})
    content = bytearray(file.read_bytes())
    directory = content.index(b"PK\1\2")
    content[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    file.write_bytes(content)
    assert faults(file) == {"p.zip!a.bmp": Fault("damaged", "damaged in the archive")}


def test_small_flat_pictures_are_no_bombs(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"white.bmp": bytes(900_000)})
    assert faults(file) == {"p.zip!white.bmp": None}


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST_MEMBERS", 2)
    file = zipped(tmp_path / "p.zip", {f"{n}.png": b"x" for n in range(3)})
    with pytest.raises(DatasetError, match="has 3 members, more than 2"):
        ZipSource(file)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members_are_found_one_by_one(tmp_path: Path, method: int) -> None:
    members = {"a.png": encoded(noise(0)), "b.png": encoded(noise(1))}
    file = zipped(tmp_path / "p.zip", members, method)
    content = bytearray(file.read_bytes())
    content[100] ^= 255
    file.write_bytes(content)
    damaged = Fault("damaged", "damaged in the archive")
    assert faults(file) == {"p.zip!a.png": damaged, "p.zip!b.png": None}


def test_encrypted_members_are_found(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))})
    content = bytearray(file.read_bytes())
    content[6] |= 1  # in the local header and, below, in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)
    assert faults(file) == {"p.zip!a.png": Fault("unreadable", "encrypted")}


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))})
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DatasetError, match="damaged or cut short"):
        ZipSource(file)


def test_a_compression_nobody_here_can_read_is_called_so(tmp_path: Path) -> None:
    file = zipped(tmp_path / "p.zip", {"a.png": encoded(noise(0))}, zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    content[8] = 9  # Deflate64 in the member's own header
    content[content.index(b"PK\1\2") + 10] = 9  # and in the directory
    file.write_bytes(content)
    reason = "compressed in a way that cannot be read"
    assert faults(file) == {"p.zip!a.png": Fault("unreadable", reason)}


def test_an_empty_zip_has_no_pictures(tmp_path: Path) -> None:
    source = ZipSource(zipped(tmp_path / "p", {}))
    assert source.count() == 0 and list(source.items()) == []


def test_identity_changes_with_the_content(tmp_path: Path) -> None:
    first = ZipSource(zipped(tmp_path / "p.zip", {"a.png": b"1"})).identity
    assert first == ZipSource(tmp_path / "p.zip").identity
    assert first != ZipSource(zipped(tmp_path / "p.zip", {"a.png": b"1", "b.png": b"2"})).identity


@one_folder
@given(data=st.data())
def test_a_damaged_zip_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    opened = io.BytesIO()
    with zipfile.ZipFile(opened, "w", data.draw(st.sampled_from([0, 8, 12, 14]))) as archive:
        archive.writestr("a/1.png", bytes(100))
        archive.writestr("b/2.png", b"0123456789" * 5)
    content = bytearray(opened.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.zip").write_bytes(content[data.draw(st.sampled_from([0, 0, 0, 40])) :])
    try:
        source = ZipSource(tmp_path / "x.zip")
    except DatasetError as problem:
        assert "\n" not in str(problem)
    else:
        assert len(list(source.items())) == source.count()
