"""A build that is stopped anywhere goes on, and gives the bytes of one that was not."""

import os
import shutil
from pathlib import Path

import pytest

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.building.journal import LOOKS, PREPARED, THUMBNAILS
from maquette.data.sizes import ImageSize
from picture_files import contents, encoded, noise, write_pictures

SIZE = ImageSize(8, 8)
PICTURES, BROKEN = 12, 2


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "photos" / "cats", PICTURES // 2)
    write_pictures(tmp_path / "photos" / "dogs", PICTURES // 2, first_seed=50)
    (tmp_path / "photos" / "cats" / "001b.jpg").write_bytes(b"")
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    return tmp_path / "photos"


def stopped_after(items: int, photos: Path, out: Path) -> Path:
    """The folder that a build leaves behind when it is stopped by Ctrl-C."""

    def stop(_stage: str, done: int, _total: int | None) -> None:
        if done == items:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([str(photos)], out, SIZE, report=stop)
    assert not out.exists()
    return out.with_name(f".{out.name}.partial")


@pytest.mark.parametrize("items", [0, 1, 3, 7, PICTURES + BROKEN])
def test_it_goes_on_as_if_nothing_had_happened(items: int, photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "whole", SIZE)
    stopped_after(items, photos, tmp_path / "out")
    summary = build([str(photos)], tmp_path / "out", SIZE)
    assert summary.resumed == items
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "whole"]


@pytest.mark.parametrize("cut", [PREPARED, THUMBNAILS, LOOKS])
def test_files_cut_short_by_a_power_failure(cut: str, photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "whole", SIZE)
    partial = stopped_after(9, photos, tmp_path / "out")
    whole = shutil.copytree(partial, tmp_path / "copy")
    size = (whole / cut).stat().st_size
    for kept in (0, 1, size // 2, size - 1):
        shutil.copytree(whole, partial, dirs_exist_ok=True)
        os.truncate(partial / cut, kept)
        summary = build([str(photos)], tmp_path / "out", SIZE)
        assert summary.resumed < 9
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")
        shutil.rmtree(tmp_path / "out")


def test_a_garbled_journal_is_used_up_to_the_damage(photos: Path, tmp_path: Path) -> None:
    build([str(photos)], tmp_path / "whole", SIZE)
    partial = stopped_after(9, photos, tmp_path / "out")
    lines = (partial / LOOKS).read_bytes().splitlines(keepends=True)
    lines[4] = b'{"source": []}\n'
    (partial / LOOKS).write_bytes(b"".join(lines))
    assert build([str(photos)], tmp_path / "out", SIZE).resumed == 4
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_other_work_begins_anew(photos: Path, tmp_path: Path) -> None:
    stopped_after(9, photos, tmp_path / "out")
    assert build([str(photos)], tmp_path / "out", ImageSize(10, 8)).resumed == 0
    shutil.rmtree(tmp_path / "out")
    stopped_after(9, photos, tmp_path / "out")
    (photos / "cats" / "000.png").write_bytes(encoded(noise(99)))
    os.utime(photos / "cats" / "000.png", ns=(1, 1))
    assert build([str(photos)], tmp_path / "out", SIZE).resumed == 0


def test_choices_that_do_not_concern_looking_may_change(photos: Path, tmp_path: Path) -> None:
    stopped_after(9, photos, tmp_path / "out")
    assert build([str(photos)], tmp_path / "out", SIZE, Choices(holdout=0.3)).resumed == 9


def test_two_builds_of_one_folder_do_not_mix(photos: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def meanwhile(_stage: str, done: int, _total: int | None) -> None:
        if done == 5 and not refused:
            with pytest.raises(DatasetError, match="by another process") as caught:
                build([str(photos)], tmp_path / "out", SIZE)
            refused.append(str(caught.value))

    summary = build([str(photos)], tmp_path / "out", SIZE, report=meanwhile)
    assert refused
    assert summary.counts["skipped"] == BROKEN


def test_a_layout_stopped_with_other_choices_leaves_nothing_in_quarantine(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "cats" / "copy.png").write_bytes((photos / "cats" / "000.png").read_bytes())
    build([str(photos)], tmp_path / "whole", SIZE)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("maquette.data.building.layout.write_rows", stop)
        build([str(photos)], tmp_path / "out", SIZE, Choices(drop=("duplicates",)))
    assert (tmp_path / ".out.partial" / "quarantine" / "duplicates").is_dir()
    summary = build([str(photos)], tmp_path / "out", SIZE)
    assert summary.resumed == PICTURES + BROKEN + 1
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_mistake_found_after_much_looking_costs_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maquette.data.building.build.WORTH_KEEPING", 5)
    with pytest.raises(DatasetError, match="a corrected command goes on"):
        build([str(photos)], tmp_path / "out", SIZE, Choices(labels="sources"))
    assert build([str(photos)], tmp_path / "out", SIZE).resumed == PICTURES + BROKEN


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_filled_and_stays_a_link(there: bool, photos: Path, tmp_path: Path) -> None:
    if there:
        (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    build([str(photos)], tmp_path / "out", SIZE)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "elsewhere" / "dataset.json").is_file()


def test_a_source_that_vanishes_is_named_and_the_work_is_kept(photos: Path, tmp_path: Path) -> None:
    def vanish(_stage: str, done: int, _total: int | None) -> None:
        if done == 3:
            raise FileNotFoundError(2, "No such file or directory", "/elsewhere/photos.zip")

    with pytest.raises(DatasetError, match=r"photos\.zip cannot be read: no such file"):
        build([str(photos)], tmp_path / "out", SIZE, report=vanish)
    assert build([str(photos)], tmp_path / "out", SIZE).resumed == 3
