"""Tars: read from front to back however they are packed, bounded, and as far as they reach."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources import tar_members
from maquette.data.sources.source import too_large
from maquette.data.sources.tars import TarSource, is_tar
from picture_files import encoded, noise

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
PACKINGS = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
LEADS_OUT = Fault("unreadable", "a name that leads out of the archive")


def tarred(
    file: Path, members: Mapping[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT
) -> Path:
    with tarfile.open(file, mode, format=form) as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return file


def found(file: Path) -> dict[str, bytes | Fault | None]:
    return {item.source: item.fault or item.content for item in TarSource(file).items()}


@pytest.mark.parametrize("packing", PACKINGS)
def test_members_in_their_order_without_hidden_ones(tmp_path: Path, packing: str) -> None:
    names = ["b/2.png", "./a/1.png", "a/.hidden/3.png", "._x.png", "c.txt"]
    contents = {name: encoded(noise(seed)) for seed, name in enumerate(names)}
    file = tarred(tmp_path / f"p.{packing}", contents, PACKINGS[packing])
    source = TarSource(file)
    items = list(source.items())
    assert [item.source for item in items] == [
        f"p.{packing}!{name}" for name in ("b/2.png", "a/1.png", "c.txt")
    ]
    assert [item.folders for item in items] == [("b",), ("a",), ()]
    assert items[1].content == contents["./a/1.png"]
    assert source.name == "p"
    assert source.count() == (3 if packing == "tar" else None)
    for start in range(5):
        assert list(source.items(start)) == items[start:]
    assert is_tar(file.read_bytes()[:512], file.name)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names(tmp_path: Path, form: int) -> None:
    names = ["ä" * 60 + "/" + "b" * 120 + ".png", "c" * 90 + "/d.png"]
    file = tarred(tmp_path / "p.tar", dict.fromkeys(names, b"1"), form=form)
    assert list(found(file)) == [f"p.tar!{name}" for name in names]


def test_classes_that_lie_beside(tmp_path: Path) -> None:
    members = {
        "000.cls": b"3\n",
        "000.jpg": b"a",
        "001.jpg": b"b",
        "001.json": b'{"caption": "x", "label": "dog"}',
        "002.jpg": b"c",
        "002.json": b"[" * 100_000,
        "003.left.jpg": b"d",
        "003.right.jpg": b"e",
        "003.txt": b"words",
        "003.cls": b"7",
        "notes.txt": b"f",
    }
    source = TarSource(tarred(tmp_path / "p.tar", members))
    items = list(source.items())
    assert [(item.content, item.label) for item in items] == [
        (b"a", "3"),
        (b"b", "dog"),
        (b"c", None),
        (b"d", "7"),
        (b"e", "7"),
        (b"f", None),
    ]
    assert source.count() == 6
    for start in range(7):
        assert list(source.items(start)) == items[start:]


def test_names_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    names = ["../evil.png", "/etc/evil.png", "a/../../evil.png", "a\\..\\evil.png"]
    file = tarred(tmp_path / "p.tar", dict.fromkeys(names, b"1"))
    items = list(TarSource(file).items())
    assert [item.fault for item in items] == [LEADS_OUT] * 4
    assert all(item.content is None and item.folders == () for item in items)
    assert list(tmp_path.iterdir()) == [file]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "p.tar"
    with tarfile.open(file, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            header = tarfile.TarInfo("a.png")
            header.type, header.linkname = kind, "/etc/passwd"
            archive.addfile(header)
        archive.addfile(tarfile.TarInfo("b.png"))
    assert found(file) == {"p.tar!b.png": b""}


def test_what_is_too_large_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_members, "LARGEST_FILE_BYTES", 10)
    for packing, mode in PACKINGS.items():
        file = tarred(tmp_path / f"p.{packing}", {"a.png": bytes(11), "b.png": b"1"}, mode)
        assert list(found(file).values()) == [too_large(), b"1"]


def test_bombs_end_the_archive(tmp_path: Path) -> None:
    members = {"a.png": b"1"} | {f"{n}.bmp": bytes(2**20) for n in range(4)}
    file = tarred(tmp_path / "p.tar.gz", members, "w:gz")
    bomb = Fault("bomb", "compressed more than 200 times")
    assert found(file) == {"p.tar.gz!a.png": b"1", "p.tar.gz": bomb}
    huge_dictionary = lzma.compress(
        tarred(tmp_path / "p.tar", {"a.png": b"1"}).read_bytes(),
        filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**29}],
    )
    (tmp_path / "q.tar.xz").write_bytes(huge_dictionary)
    with pytest.raises(DatasetError, match="is damaged where it is packed"):
        TarSource(tmp_path / "q.tar.xz")


def test_a_long_name_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**32
    good = tarred(tmp_path / "p.tar", {"a.png": b"1"}).read_bytes()[:1024]
    (tmp_path / "p.tar").write_bytes(good + header.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))
    damaged = Fault("damaged", "damaged from byte 1024 on")
    assert found(tmp_path / "p.tar") == {"p.tar!a.png": b"1", "p.tar": damaged}
    assert TarSource(tmp_path / "p.tar").count() == 2


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_before_a_cut_is_read(tmp_path: Path, packing: str) -> None:
    members = {f"{n}.png": noise(n, 40, 40).tobytes() for n in range(300)}
    file = tarred(tmp_path / f"p.{packing}", members, PACKINGS[packing])
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 3 // 4])
    items = list(TarSource(file).items())
    assert items[-1].fault == Fault("damaged", "cut short")
    assert all(item.fault is None for item in items[:-1])
    # bzip2 unpacks blocks of 900 kB, of which the last one is lost.
    assert len(items) > 20 and (packing == "tar.bz2" or len(items) > 200)
    if packing == "tar":
        assert TarSource(file).count() == len(items)


def test_a_checksum_at_the_very_end_is_compared(tmp_path: Path) -> None:
    members = {f"{n}.png": noise(n, 200, 300).tobytes() for n in range(3)}
    file = tarred(tmp_path / "p.tar.gz", members, "w:gz")
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(content)
    assert found(file)["p.tar.gz!1.png"] == members["1.png"]
    assert list(found(file).values())[-1] == Fault("damaged", "damaged where it is packed")


def test_packed_files_that_follow_each_other_are_one(tmp_path: Path) -> None:
    whole = tarred(tmp_path / "p.tar", {"a.png": b"1", "b.png": b"2"}).read_bytes()
    for name, pack in (("p.tar.gz", gzip.compress), ("p.tar.xz", lzma.compress)):
        (tmp_path / name).write_bytes(pack(whole[:700]) + bytes(8) + pack(whole[700:]) + bytes(512))
        assert list(found(tmp_path / name).values()) == [b"1", b"2"]


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.tar").write_bytes(b"<html>" + b"x" * 1000)
    with pytest.raises(DatasetError, match="is damaged from byte 0 on; download it again"):
        TarSource(tmp_path / "p.tar")
    assert not is_tar(b"<html>" + b"x" * 506, "p")
    assert not is_tar(gzip.compress(b"x" * 9999), "p.gz")


def test_many_pictures_of_one_name_are_not_all_held(tmp_path: Path) -> None:
    """A class behind more pictures than are held is no longer theirs, but nothing is lost."""
    members = {f"a.{n}.png": str(n).encode() for n in range(100)} | {"a.cls": b"3", "b.cls": b"4"}
    source = TarSource(tarred(tmp_path / "p.tar", members))
    items = list(source.items())
    assert [item.content for item in items] == [b"%d" % n for n in range(100)] + [b"4"]
    assert [item.label for item in items] == [None] * 64 + ["3"] * 36 + [None]
    assert source.count() == 101
    for start in (0, 63, 64, 65, 99, 100, 101):
        assert list(source.items(start)) == items[start:]


@one_folder
@given(data=st.data(), packing=st.sampled_from(list(PACKINGS)))
def test_damaged_archives_are_read_or_refused(
    tmp_path: Path, data: st.DataObject, packing: str
) -> None:
    members = {"000.cls": b"3", "000.png": bytes(600), "é" * 80: b"1", "a/b.png": b"2"}
    file = tarred(tmp_path / f"p.{packing}", members, PACKINGS[packing])
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        source = TarSource(file)
    except DatasetError as problem:
        assert "\n" not in str(problem)
        return
    items = list(source.items())
    assert source.count() in (None, len(items))
    start = data.draw(st.integers(0, 4))
    assert list(source.items(start)) == items[start:]


@one_folder
@given(content=st.binary(max_size=2000), start=st.sampled_from([b"", b"\x1f\x8b\x08\0", b"BZh9"]))
def test_random_bytes_are_read_or_refused(tmp_path: Path, content: bytes, start: bytes) -> None:
    (tmp_path / "p.tar").write_bytes(start + content)
    is_tar((start + content)[:512], "p")
    try:
        source = TarSource(tmp_path / "p.tar")
    except DatasetError as problem:
        assert "\n" not in str(problem)
    else:
        assert source.count() in (None, len(list(source.items())))
