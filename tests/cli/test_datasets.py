"""`maquette data check | build | show`, as a person uses them."""

import csv
import json
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import listing, maquette, start_maquette
from drawing_files import write_drawings
from picture_files import encoded, noise, write_pictures


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos with an unreadable file, a copy, bars, and a picture of nothing."""
    monkeypatch.chdir(tmp_path)
    for name, first in (("cats", 0), ("dogs", 50)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for number in range(8):
            picture = Image.fromarray(noise(first + number, 12, 12)).resize((96, 96))
            picture.save(folder / f"{number}.jpg", quality=92)
    photos = tmp_path / "photos"
    (photos / "cats" / "copy.jpg").write_bytes((photos / "cats" / "3.jpg").read_bytes())
    (photos / "cats" / "cut.jpg").write_bytes((photos / "cats" / "4.jpg").read_bytes()[:900])
    Image.new("RGB", (96, 96), (90, 90, 90)).save(photos / "dogs" / "nothing.png")
    barred = np.zeros((128, 96, 3), np.uint8)
    barred[16:112] = np.asarray(Image.fromarray(noise(80, 12, 12)).resize((96, 96)))
    (photos / "dogs" / "barred.png").write_bytes(encoded(barred))
    return tmp_path


def found(findings: Path) -> dict[str, list[str]]:
    listed = json.loads(findings.read_text())["findings"]
    return {f["kind"]: [p["source"] for p in f["pictures"]] for f in listed}


EXPECTED = {
    "damaged": ["photos/cats/cut.jpg"],
    "duplicates": ["photos/cats/3.jpg", "photos/cats/copy.jpg"],
    "blank": ["photos/dogs/nothing.png"],
    "bars": ["photos/dogs/barred.png"],
}


def test_a_check_finds_shows_and_changes_nothing(here):
    before = listing(here)
    ended = maquette("data", "check", "photos")
    assert ended.code == 0, ended.err
    assert "19 of 20 items are pictures that can be read" in ended.out
    for kind in EXPECTED:
        assert kind in ended.out
    assert listing(here) == before


def test_a_check_writes_what_it_found(here):
    ended = maquette("data", "check", "photos", "--out", "findings")
    assert ended.code == 0, ended.err
    assert found(here / "findings" / "findings.json").items() >= EXPECTED.items()
    page = (here / "findings" / "findings.html").read_text()
    assert page.count("<img") >= 19
    for sources in EXPECTED.values():
        assert all(source in page for source in sources)
    assert not re.search(r"<script|https?://", page)


def test_a_build_does_what_the_check_said(here):
    ended = maquette("data", "build", "photos", "--out", "d", "--size", "32")
    assert ended.code == 0, ended.err
    assert found(here / "d" / "findings.json").items() >= EXPECTED.items()
    rows = {item["source"]: item for item in items(here / "d")}
    assert rows["photos/dogs/barred.png"]["box"] == [0, 16, 96, 112]
    assert rows["photos/cats/cut.jpg"]["row"] is None
    assert rows["photos/cats/copy.jpg"]["split"] == rows["photos/cats/3.jpg"]["split"]
    assert [file.name for file in (here / "d" / "quarantine" / "damaged").iterdir()] == [
        "000009-cut.jpg"
    ]


def test_what_is_dropped_is_in_quarantine(here):
    command = "data build photos --out d --size 32 --drop duplicates,blank"
    ended = maquette(*command.split())
    assert ended.code == 0, ended.err
    left_out = [item["source"] for item in items(here / "d") if item["row"] is None]
    assert left_out == ["photos/cats/copy.jpg", "photos/cats/cut.jpg", "photos/dogs/nothing.png"]
    with (here / "d" / "quarantine" / "reasons.csv").open() as file:
        reasons = {row["source"]: row["finding"] for row in csv.DictReader(file)}
    assert reasons == {
        "photos/cats/copy.jpg": "duplicates",
        "photos/cats/cut.jpg": "damaged",
        "photos/dogs/nothing.png": "blank",
    }
    copy = here / "d" / "quarantine" / "duplicates" / "000008-copy.jpg.png"
    assert Image.open(copy).size == (32, 32)
    assert json.loads((here / "d" / "dataset.json").read_text())["policy"]["dropped"] == [
        "duplicates",
        "blank",
    ]


def items(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]


def test_show_tells_what_a_dataset_holds(here):
    maquette("data", "build", "photos", "--out", "d", "--size", "32")
    ended = maquette("data", "show", "d")
    assert ended.code == 0, ended.err
    for words in ("cats", "dogs", "duplicates", "1 left out", "contact-sheet.png"):
        assert words in ended.out
    assert Image.open(here / "d" / "contact-sheet.png").width > 400
    assert maquette("data", "show", "d", "--out", "sheets/mine.png").code == 0
    assert (here / "sheets" / "mine.png").exists()


def test_bars_can_be_kept(here):
    assert (
        maquette(*["data", "build", "photos", "--out", "d", "--size", "32", "--keep-bars"]).code
        == 0
    )
    assert json.loads((here / "d" / "dataset.json").read_text())["policy"]["bars"] == "kept"


def test_drawings_keep_their_strokes_and_may_have_them_as_channels(here):
    write_drawings(here / "cat.ndjson", "cat", range(12))
    command = "data build cat.ndjson --size 28 --out"
    assert maquette(*command.split(), "d").code == 0
    ended = maquette(*command.split(), "channels", "--stroke-channels")
    assert ended.code == 0, ended.err
    for name, channels in (("d", 1), ("channels", 3)):
        manifest = json.loads((here / name / "dataset.json").read_text())
        assert manifest["strokes"]["points"] == len(np.load(here / name / "strokes.npy"))
        assert manifest["spec"]["channels"] == channels
    refused = maquette("data", "build", "photos", "--out", "p", "--size", "28", "--stroke-channels")
    assert refused.code == 1 and "is a picture without strokes" in refused.err
    assert not (here / "p").exists()


def test_changing_strokes_of_what_has_none_is_refused(here):
    assert maquette("data", "build", "photos", "--out", "d", "--size", "32").code == 0
    command = "train gan --data d --out run --set data.strokes.partial=0.5"
    ended = maquette(*command.split())
    assert ended.code == 1 and "data.strokes cannot be had from photos" in ended.err
    assert not (here / "run").exists()


def test_a_table_names_the_classes(here):
    files = sorted((here / "photos").rglob("*.jpg"))
    lines = [f"{file.relative_to(here / 'photos')},{file.stem}" for file in files[:4]]
    (here / "labels.csv").write_text("file,label\n" + "\n".join(lines))
    command = "data build photos --out d --size 32 --label-table labels.csv --holdout 0"
    ended = maquette(*command.split())
    assert ended.code == 0, ended.err
    kept = {item["source"]: item["label"] for item in items(here / "d") if item["row"] is not None}
    assert kept == {f"photos/{line.split(',')[0]}": line.split(",")[1] for line in lines}


@pytest.mark.parametrize(
    ("option", "where"),
    [("--label-table labels.csv", "table of labels"), ("--label kind=labels.csv", "label kind")],
)
def test_rows_of_no_use_are_told(here, option, where):
    """A row without a picture, and two that contradict each other."""
    rows = [f"{kind}/{n}.jpg,{kind}" for kind in ("cats", "dogs") for n in range(8)]
    lines = ["file,label", "ghost.jpg,cats", "dogs/2.jpg,cats", *rows]
    (here / "labels.csv").write_text("\n".join(lines))
    ended = maquette(*f"data build photos --out d --size 32 {option}".split())
    assert ended.code == 0, ended.err
    (line,) = [line for line in ended.out.splitlines() if where in line]
    assert "rows that name no picture here: 1 (first: ghost.jpg)" in line
    assert "rows contradict each other: 1 (first: photos/dogs/2.jpg)" in line
    (item,) = [item for item in items(here / "d") if item["source"] == "photos/dogs/2.jpg"]
    assert item["label"] is None
    if "--label-table" in option:
        assert "contradict each other" in item["left_out"]


def test_a_table_of_which_every_row_is_of_use_needs_no_words(here):
    rows = [f"{kind}/{n}.jpg,{kind}" for kind in ("cats", "dogs") for n in range(8) if n != 4]
    (here / "labels.csv").write_text("\n".join(["file,label", *rows]))
    command = "data build photos --out d --size 32 --label-table labels.csv"
    ended = maquette(*command.split())
    assert ended.code == 0, ended.err
    assert "table of labels" not in ended.out


REFUSED = {
    "nothing there": ("data check nowhere", "nowhere does not exist"),
    "empty folder": ("data check empty", "empty is empty"),
    "unknown finding": (
        "data build photos --out d --size 32 --drop blury",
        "did you mean 'blurry'",
    ),
    "all dropped": (
        "data build photos --out d --size 32 --drop outlier",
        "did you mean 'outliers'",
    ),
    "undroppable": ("data build photos --out d --size 32 --drop damaged", "'damaged'"),
    "shape": ("data build photos --out d --size 32 --shape 28", "28x28"),
    "address": ("data check https://example.org/a.zip", "download it first"),
    "examples": ("data check photos --unlike empty", "no picture that could be an example"),
    "weights": ("data check photos --unlike photos --features no.safetensors", "no.safetensors"),
    "features alone": ("data check photos --features weights.safetensors", "unlike"),
    "show": ("data show photos", "photos is not a dataset"),
    "family": ("data check photos --family gna", "did you mean 'gan'"),
    "table": ("data build photos --out d --size 32 --label-table no.csv", "no.csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_sentence(here, case):
    (here / "empty").mkdir()
    command, words = REFUSED[case]
    before = listing(here)
    ended = maquette(*command.split())
    assert (ended.code, ended.out) == (1, ""), ended
    assert ended.err.count("\n") == 1, ended.err
    assert words in ended.err
    assert listing(here) == before


def test_what_maquette_made_is_no_source_and_is_not_overwritten(here):
    maquette("data", "build", "photos", "--out", "photos/d", "--size", "32")
    maquette("data", "show", "photos/d")
    maquette("data", "check", "photos", "--out", "photos/findings")
    ended = maquette("data", "check", "photos")
    assert "19 of 20 items" in ended.out
    for command, words in (
        ("data check photos --out photos/d", "is a dataset: choose another folder"),
        ("data build photos/d --out e --size 32", "was made by Maquette"),
        ("data check photos/findings", "was made by Maquette"),
    ):
        ended = maquette(*command.split())
        assert ended.code == 1 and words in ended.err


def test_links_that_are_not_followed_are_told(here):
    (here / "photos" / "more").symlink_to(here / "photos" / "cats")
    (here / "photos" / "gone.jpg").symlink_to(here / "nowhere.jpg")
    maquette("data", "check", "photos", "--out", "findings")
    assert found(here / "findings" / "findings.json")["unreadable"] == [
        "photos/gone.jpg",
        "photos/more",
    ]


NASTY = (
    "\x1b[31mred\x1b]0;title\x07",
    "[bold]x[/]",
    "<script>alert(1)<",
    "new\nline",
    "a\udcff",
)


@pytest.mark.parametrize("name", NASTY)
def test_names_command_neither_terminal_nor_page(here, name):
    try:
        (here / "photos" / "cats").rename(here / "photos" / name)
    except OSError:
        pytest.skip("this file system has no such names")
    for command in (
        "data check photos --out findings",
        "data build photos --out d --size 32",
        "data show d",
    ):
        ended = maquette(*command.split())
        assert ended.code == 0, ended.err
        assert "\x1b" not in ended.out + ended.err
        assert "\udcff" not in ended.out + ended.err
    page = (here / "findings" / "findings.html").read_text()
    assert "<script>" not in page


def test_a_build_stopped_by_ctrl_c_goes_on(tmp_path):
    write_pictures(tmp_path / "many", 3000)
    command = ("data", "build", "many", "--out", "d", "--size", "64")
    running = start_maquette(*command, folder=tmp_path)
    journal = tmp_path / ".d.partial" / "prepared.raw"
    for _ in range(600):
        if journal.exists() and journal.stat().st_size:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the same command goes on" in err and "Traceback" not in err
    again = start_maquette(*command, folder=tmp_path)
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert re.search(r"went on after \d[\d,]* items", out)
    assert len(items(tmp_path / "d")) == 3000
    assert not (tmp_path / ".d.partial").exists()
