"""Quick, Draw! files: strokes kept, bad lines found one by one, nothing that crashes or hangs."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from maquette.core.errors import DatasetError
from maquette.data.pictures.content import Drawing
from maquette.data.sources import drawings
from maquette.data.sources.drawings import (
    DrawingRecord,
    DrawingsSource,
    is_drawings,
    read_drawings,
)
from maquette.data.sources.source import Item

SIMPLE = [[[0, 255, 10], [5, 0, 7]], [[1], [2]]]
TIMED = [[[0.5, 900.25], [-3, 4], [0, 120]]]


def line(drawing: object = SIMPLE, **told: object) -> bytes:
    return json.dumps({"word": "cat", "key_id": "51", "drawing": drawing, **told}).encode()


def written(folder: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    file = folder / "cat.ndjson"
    file.write_bytes(b"\n".join(lines) + end)
    return file


def strokes(item: Item) -> list:
    assert isinstance(item.content, Drawing)
    assert all(stroke.dtype == np.float32 for stroke in item.content.strokes)
    return [stroke.tolist() for stroke in item.content.strokes]


def fault(folder: Path, content: bytes) -> tuple[str, str]:
    (item,) = DrawingsSource(written(folder, content)).items()
    assert item.content is None and item.fault is not None
    return item.fault.kind, item.fault.reason


def test_strokes_come_as_they_were_drawn(tmp_path: Path) -> None:
    source = DrawingsSource(written(tmp_path, line(), line(TIMED, word="dog", key_id="52")))
    simple, timed = source.items()
    assert strokes(simple) == SIMPLE and strokes(timed) == TIMED
    assert [simple.label, timed.label] == ["cat", "dog"]
    assert [simple.source, timed.source] == ["cat.ndjson#1", "cat.ndjson#2"]
    assert source.name == "cat" and source.grey


def test_the_same_drawing_in_two_files_is_one_group(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (simple,) = DrawingsSource(written(tmp_path, line())).items()
    (timed,) = DrawingsSource(written(tmp_path / "raw", line(TIMED))).items()
    assert simple.group == timed.group == "key 51"
    (keyless,) = DrawingsSource(written(tmp_path, line(key_id=None))).items()
    assert keyless.group is None


def test_records_tell_what_the_game_told(tmp_path: Path) -> None:
    told = {"recognized": False, "countrycode": "SE", "timestamp": "2017-03-10 22:17:57 UTC"}
    bare = b'{"drawing":[[[1,2],[3,4]]],"key_id":52,"recognized":"yes"}'
    (_, full), (_, empty) = read_drawings(written(tmp_path, line(**told), bare))
    assert isinstance(full, DrawingRecord) and isinstance(empty, DrawingRecord)
    assert (full.recognized, full.countrycode, full.timestamp) == tuple(told.values())
    assert (empty.word, empty.key_id, empty.recognized) == (None, "52", None)


def test_drawings_that_were_not_recognised_are_kept(tmp_path: Path) -> None:
    (item,) = DrawingsSource(written(tmp_path, line(recognized=False))).items()
    assert item.fault is None and item.label == "cat"


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b'{"word":"cat","drawing":[[[1,2],[3', "damaged", "not JSON, or cut short"),
        (b"\xff\xfe\x00garbage", "damaged", "not JSON, or cut short"),
        (b"[" * 100_000, "damaged", "JSON that is nested too deeply"),
        (b"12" * 5000, "damaged", "not JSON, or cut short"),
        (b'{"word":"cat"}', "not-a-picture", "JSON without a drawing"),
        (b"[1, 2]", "not-a-picture", "JSON without a drawing"),
        (line([]), "empty", "no strokes"),
        (line([[[], []]]), "empty", "a stroke without points"),
        (line({"x": 1}), "damaged", "the drawing is not a list of strokes"),
        (line([[1, 2]]), "damaged", "a stroke that is not [x, y] or [x, y, t]"),
        (line([[[1], [2], [3], [4]]]), "damaged", "a stroke that is not [x, y] or [x, y, t]"),
        (line([[[[1]], [[2]]]]), "damaged", "a stroke that is not [x, y] or [x, y, t]"),
        (line([[[1, 2], [3]]]), "damaged", "x, y and t of unequal length, or not numbers"),
        (line([[["a"], ["b"]]]), "damaged", "x, y and t of unequal length, or not numbers"),
        (line([[[10**400], [1]]]), "damaged", "x, y and t of unequal length, or not numbers"),
        (line([[[1], [{"a": []}]]]), "damaged", "x, y and t of unequal length, or not numbers"),
        (line([[[1], [2], [3]], [[1], [2]]]), "damaged", "times for some strokes only"),
        (line([[[None], [1]]]), "damaged", "a coordinate that is no number up to 10000000"),
        (line([[[float("nan")], [1]]]), "damaged", "a coordinate that is no number up to 10000000"),
        (
            line([[[1], [float("-inf")]]]),
            "damaged",
            "a coordinate that is no number up to 10000000",
        ),
        (line([[[1e8], [1]]]), "damaged", "a coordinate that is no number up to 10000000"),
    ],
)
def test_a_bad_line_says_why(tmp_path: Path, content: bytes, kind: str, reason: str) -> None:
    assert fault(tmp_path, content) == (kind, reason)


def test_text_among_numbers_takes_no_memory(tmp_path: Path) -> None:
    """Left to itself, NumPy would make room for 100,000 texts of 300,000 characters."""
    values = [*[1] * 100_000, "x" * 300_000]
    reason = "x, y and t of unequal length, or not numbers"
    assert fault(tmp_path, line([[values, [0] * len(values)]])) == ("damaged", reason)


def test_reading_goes_on_after_a_bad_line(tmp_path: Path) -> None:
    huge = b'{"drawing":"' + b"x" * 10_000_000 + b'"}'
    file = written(tmp_path, line(), b"", b"{", huge, b" \t\r", line(TIMED), end=b"")
    items = list(DrawingsSource(file).items())
    assert [item.source for item in items] == [f"cat.ndjson#{n}" for n in (1, 3, 4, 6)]
    assert [None if i.fault is None else i.fault.reason for i in items] == [
        *(None, "not JSON, or cut short", "a line longer than 1 MB", None)
    ]


def test_a_line_too_long_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "_CHUNK_BYTES", 16)
    monkeypatch.setattr(drawings, "LONGEST_LINE_BYTES", 200)
    items = list(DrawingsSource(written(tmp_path, b"x" * 10_000, line())).items())
    assert [item.fault is None for item in items] == [False, True]


def test_counting_agrees_with_reading_from_anywhere(tmp_path: Path) -> None:
    lines = [line(key_id=str(n)) if n % 3 else b"{" for n in range(9)]
    source = DrawingsSource(written(tmp_path, *lines, b"", b"", end=b"\n\n"))
    everything = [(item.source, item.group) for item in source.items()]
    assert source.count() == len(everything) == 9
    for start in (0, 1, 4, 9, 12):
        assert [(i.source, i.group) for i in source.items(start)] == everything[start:]


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    source = DrawingsSource(written(tmp_path, line()))
    before = source.identity
    assert before == source.identity
    written(tmp_path, line(), line())
    assert source.identity != before


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cat\.ndjson cannot be read: No such file"):
        list(DrawingsSource(tmp_path / "cat.ndjson").items())


def test_drawings_are_told_by_content_or_name() -> None:
    assert is_drawings(line()[:512], "cat.json")
    assert is_drawings(b'\xef\xbb\xbf {"word": "cat", "key_id": "1", "x', "cat")
    assert is_drawings(b"", "cat.NDJSON")
    assert not is_drawings(b'{"word": "cat"}', "words.jsonl")
    assert not is_drawings(b'file_name,"drawing"', "labels.csv")


@given(content=some.binary(max_size=300))
def test_random_bytes_become_faults(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("d") / "x.ndjson"
    file.write_bytes(content)
    items = list(DrawingsSource(file).items())
    assert len(items) == DrawingsSource(file).count()
    assert all(item.fault is not None for item in items)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=2), inner),
)


@given(
    drawing=JSON, told=some.dictionaries(some.sampled_from(["word", "key_id", "recognized"]), JSON)
)
def test_any_json_is_a_drawing_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, drawing: object, told: dict[str, object]
) -> None:
    file = written(tmp_path_factory.mktemp("d"), line(drawing, **told))
    ((_, found),) = read_drawings(file)
    if isinstance(found, DrawingRecord):
        for stroke in found.drawing.strokes:
            assert stroke.shape[0] in (2, 3) and stroke.shape[1] > 0
            assert np.isfinite(stroke).all()


@given(cut=some.integers(0, 200))
def test_a_cut_file_loses_one_drawing(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    whole = line() + b"\n" + line(TIMED)
    file = tmp_path_factory.mktemp("d") / "x.ndjson"
    file.write_bytes(whole[:cut])
    faults = [item.fault for item in DrawingsSource(file).items()]
    assert len([fault for fault in faults if fault is not None]) <= 1
    assert len(faults) == (cut > 0) + (cut > len(line()) + 1)


@pytest.mark.parametrize(
    ("kind", "files", "drawn"), [("raw", 345, 9570), ("simplified", 344, 8600)]
)
def test_every_real_drawing_is_read(real_data: Path, kind: str, files: int, drawn: int) -> None:
    sources = [DrawingsSource(f) for f in sorted((real_data / "quickdraw" / kind).iterdir())]
    items = [item for source in sources for item in source.items()]
    assert len(sources) == files
    assert sum(source.count() for source in sources) == len(items) == drawn
    assert not [item.source for item in items if item.fault]
    assert all(item.label and item.group for item in items)
