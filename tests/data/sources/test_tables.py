"""Parquet and Arrow: the right columns, a few rows at a time, and rows that are no pictures."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from maquette.core.errors import DatasetError
from maquette.data.sources import tables
from maquette.data.sources.source import Item, Reading, Source
from maquette.data.sources.tables import ArrowSource, ParquetSource, is_arrow, is_parquet
from picture_files import encoded, noise

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

PICTURES = [encoded(noise(seed)) for seed in range(3)]
STRUCTS = [{"bytes": picture, "path": f"{n}.png"} for n, picture in enumerate(PICTURES)]


def columns(**values: object) -> "pyarrow.Table":
    return pyarrow.table(values)


def written(folder: Path, table: "pyarrow.Table", **options: object) -> Path:
    parquet.write_table(table, folder / "pets.parquet", **options)
    return folder / "pets.parquet"


def source(folder: Path, table: "pyarrow.Table", **reading: object) -> Source:
    return ParquetSource(written(folder, table), Reading(**reading))


def labels(source: Source) -> list[str | None]:
    return [item.label for item in source.items()]


def reasons(source: Source) -> list[str | None]:
    return [item.fault.reason if item.fault else None for item in source.items()]


def raster(item: Item) -> np.ndarray:
    assert isinstance(item.content, np.ndarray) and item.content.dtype == np.uint8
    return item.content


def noted(table: "pyarrow.Table", **features: dict) -> "pyarrow.Table":
    """As `datasets` notes the features of its columns."""
    info = json.dumps({"info": {"features": features}})
    return table.replace_schema_metadata({"huggingface": info})


def test_structs_of_bytes_are_pictures(tmp_path: Path) -> None:
    pets = source(tmp_path, columns(image=STRUCTS, label=["cat", "dog", "cat"]))
    assert [item.content for item in pets.items()] == PICTURES
    assert [item.source for item in pets.items()] == [f"pets.parquet#{n}" for n in range(3)]
    assert labels(pets) == ["cat", "dog", "cat"]
    assert (pets.name, pets.count(), pets.grey) == ("pets", 3, False)


def test_numbered_classes_get_the_names_that_the_file_gives(tmp_path: Path) -> None:
    numbers = pyarrow.array([1, 0, -1], pyarrow.int64())
    named = {"_type": "ClassLabel", "names": ["cat", "dog"]}
    table = columns(image=STRUCTS, animal=numbers)
    assert labels(source(tmp_path, noted(table, animal=named))) == ["dog", "cat", None]
    assert labels(source(tmp_path, table)) == [None] * 3


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"info": 3}', b'{"info":{"features":[1]}}'])
def test_notes_that_make_no_sense_are_ignored(tmp_path: Path, metadata: bytes) -> None:
    table = columns(image=STRUCTS, label=[1, 0, 1]).replace_schema_metadata(
        {"huggingface": metadata}
    )
    assert labels(source(tmp_path, table)) == ["1", "0", "1"]


def test_the_column_of_pictures_is_found_by_content(tmp_path: Path) -> None:
    table = columns(thumb_hash=[b"aa", b"bb", b"cc"], content=PICTURES, Style=["x", None, "y"])
    pets = source(tmp_path, table)
    assert [item.content for item in pets.items()] == PICTURES
    assert labels(pets) == ["x", None, "y"]


def test_other_columns_can_be_asked_for(tmp_path: Path) -> None:
    table = columns(image=PICTURES, mask=PICTURES[::-1], label=["a"] * 3, artist=["x", "y", "z"])
    chosen = source(tmp_path, table, image_feature="mask", label_feature="artist")
    assert [item.content for item in chosen.items()] == PICTURES[::-1]
    assert labels(chosen) == ["x", "y", "z"]
    assert labels(source(tmp_path, table)) == ["a"] * 3


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        ({"image_feature": "imgae"}, "unknown column 'imgae': did you mean 'image'"),
        ({"image_feature": "size"}, "the column 'size' holds double, not pictures"),
        ({"label_feature": "style"}, "unknown column 'style': did you mean 'stile'"),
        ({"label_feature": "size"}, "the column 'size' holds double, not classes"),
    ],
)
def test_columns_that_cannot_be_are_refused(tmp_path: Path, reading: dict, sentence: str) -> None:
    table = columns(image=PICTURES, stile=["a"] * 3, size=[1.5, 2.5, 3.5])
    with pytest.raises(DatasetError, match=rf"pets\.parquet: {sentence}"):
        source(tmp_path, table, **reading)


def test_a_table_without_pictures_tells_its_columns(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no column of pictures \(its columns are a, b\)"):
        source(tmp_path, columns(a=[1, 2], b=[b"no", b"picture"]))
    with pytest.raises(DatasetError, match="holds no rows"):
        source(tmp_path, columns(image=pyarrow.array([], pyarrow.binary())))
    with pytest.raises(DatasetError, match=r"several columns of pictures \(left, right\): choose"):
        source(tmp_path, columns(left=PICTURES, right=PICTURES))


def test_rows_without_a_picture_are_faults(tmp_path: Path) -> None:
    path_only = {"bytes": None, "path": "/pictures/1.png"}
    rows = [STRUCTS[0], None, {"bytes": None, "path": None}, path_only]
    pets = source(tmp_path, columns(image=rows, label=["a", "b", "c", "d"]))
    why = "only a path: the picture itself was not saved in the table"
    assert reasons(pets) == [None, "no picture in this row", "no picture in this row", why]
    assert labels(pets) == ["a", "b", "c", "d"]


def test_a_table_of_paths_alone_says_so_in_each_row(tmp_path: Path) -> None:
    """`Dataset.to_parquet` writes such files."""
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    rows = pyarrow.array([{"bytes": None, "path": "1.png"}] * 2, kind)
    why = "only a path: the picture itself was not saved in the table"
    assert reasons(source(tmp_path, columns(photo=rows))) == [why, why]


def test_a_picture_too_large_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maquette.data.sources.cells.LARGEST_FILE_BYTES", 1000)
    table = columns(image=[PICTURES[0], PICTURES[0] + bytes(1000)])
    assert reasons(source(tmp_path, table))[0] is None
    assert str(reasons(source(tmp_path, table))[1]).startswith("larger than")


@pytest.mark.parametrize("kind", ["flat", "fixed", "rows", "channels last", "channels first"])
def test_lists_of_pixels_are_pictures(tmp_path: Path, kind: str) -> None:
    grey, colour = noise(0, 9, 9, 1), noise(1, 9, 12)
    byte = pyarrow.uint8()
    deep = pyarrow.list_(pyarrow.list_(pyarrow.list_(byte)))
    values, type_, expected = {
        "flat": (grey.ravel().tolist(), pyarrow.list_(byte), grey),
        "fixed": (grey.ravel().tolist(), pyarrow.list_(byte, 81), grey),
        "rows": (grey[..., 0].tolist(), pyarrow.list_(pyarrow.list_(byte, 9)), grey),
        "channels last": (colour.tolist(), deep, colour),
        "channels first": (colour.transpose(2, 0, 1).tolist(), deep, colour),
    }[kind]
    array = pyarrow.array([None, values, values], type_)
    pets = source(tmp_path, columns(box=[[1, 2, 3, 4]] * 3, pixels=array))
    nothing, *items = pets.items()
    assert nothing.fault is not None
    assert all(np.array_equal(raster(item), expected) for item in items)
    assert pets.grey == (expected.shape[-1] == 1)


def test_flat_lists_that_are_no_squares_need_their_shape(tmp_path: Path) -> None:
    picture = noise(0, 8, 9)
    table = columns(px=pyarrow.array([picture.ravel().tolist()], pyarrow.list_(pyarrow.uint8())))
    with pytest.raises(DatasetError, match="'px' holds 216 values, which are not 14x14; give the"):
        source(tmp_path, table)
    with pytest.raises(DatasetError, match="'px' holds 216 values, which are not 8x8x3; give the"):
        source(tmp_path, table, shape=(8, 8, 3))
    pets = source(tmp_path, table, shape=(8, 9, 3))
    assert [raster(item).tolist() for item in pets.items()] == [picture.tolist()]
    assert not pets.grey


def test_pixels_of_other_numbers_are_taken_when_asked_for(tmp_path: Path) -> None:
    rows = [[[0, 255], [7, 8]], [[0, 256], [7, 8]], [[1, 2], [3]], [[1, None], [2, 3]], [[], []]]
    with pytest.raises(DatasetError, match="no column of pictures"):
        source(tmp_path, columns(px=rows))
    pets = source(tmp_path, columns(px=rows), image_feature="px")
    assert raster(next(iter(pets.items()))).tolist() == [[[0], [255]], [[7], [8]]]
    assert reasons(pets) == [
        *(None, "values that are not 0 to 255", "rows of pixels of unequal length"),
        *("pixels are missing", "a picture of no pixels"),
    ]


def test_labels_of_any_plain_type_are_text(tmp_path: Path) -> None:
    many = {"text": ["a", None, ""], "flag": [True, False, None], "number": [3, None, 0]}
    worded = pyarrow.array(["a", "b", "a"]).dictionary_encode()
    table = columns(image=PICTURES, word=worded, **many)
    expected = {"text": ["a", None, None], "flag": ["True", "False", None]}
    expected |= {"number": ["3", None, "0"], "word": ["a", "b", "a"]}
    for name, classes in expected.items():
        assert labels(source(tmp_path, table, label_feature=name)) == classes


def test_text_that_is_no_utf8_does_not_stop_reading(tmp_path: Path) -> None:
    bad = pyarrow.array([b"a\xff", b"b", b"c"]).view(pyarrow.string())
    assert labels(source(tmp_path, columns(image=PICTURES, label=bad))) == ["a\ufffd", "b", "c"]


def test_reading_starts_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH_BYTES", 2000)
    table = columns(image=[encoded(noise(seed)) for seed in range(20)], label=list(range(20)))
    file = written(tmp_path, table, row_group_size=7)
    pets = ParquetSource(file, Reading())
    everything = list(pets.items())
    assert [item.label for item in everything] == [str(n) for n in range(20)]
    for start in (0, 3, 7, 13, 19, 20, 25):
        assert list(pets.items(start)) == everything[start:]


def test_a_damaged_row_group_costs_only_its_own_rows(tmp_path: Path) -> None:
    table = columns(image=[encoded(noise(seed)) for seed in range(9)])
    options = {"row_group_size": 3, "compression": "zstd", "use_dictionary": False}
    file = written(tmp_path, table, **options)
    chunk = parquet.ParquetFile(file).metadata.row_group(1).column(0)
    content = bytearray(file.read_bytes())
    content[chunk.data_page_offset : chunk.data_page_offset + 300] = bytes(300)
    file.write_bytes(content)
    pets = ParquetSource(file, Reading())
    assert reasons(pets) == [None] * 3 + ["the table is damaged here"] * 3 + [None] * 3
    assert [item.source for item in pets.items(4)] == [f"pets.parquet#{n}" for n in range(4, 9)]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(50) + b"PAR1", b"<html>" * 9])
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    for kind in (ParquetSource, ArrowSource):
        with pytest.raises(DatasetError, match=r"x\.parquet (cannot be read as a table|holds no)"):
            kind(tmp_path / "x.parquet", Reading())


def test_more_rows_than_bytes_are_refused(tmp_path: Path) -> None:
    nothing = pyarrow.array([None] * 100_000, pyarrow.binary())
    file = written(tmp_path, columns(image=nothing))
    assert file.stat().st_size < 100_000
    with pytest.raises(DatasetError, match="claims 100000 rows, more than it has bytes"):
        ParquetSource(file, Reading())


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pyarrow.Table.from_arrays([pyarrow.array(PICTURES)] * 2, names=["image", "image"])
    with pytest.raises(DatasetError, match="two columns of one name"):
        source(tmp_path, table)


@pytest.mark.parametrize("stream", [True, False])
def test_arrow_files_are_read_like_parquet(tmp_path: Path, stream: bool) -> None:
    table = noted(
        columns(image=STRUCTS, label=[0, 1, 0], note=["x"] * 3),
        label={"_type": "ClassLabel", "names": ["cat", "dog"]},
    )
    file = tmp_path / "data.arrow"
    opening = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with opening(str(file), table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    pets = ArrowSource(file, Reading())
    assert (pets.count(), labels(pets)) == (3, ["cat", "dog", "cat"])
    assert [item.content for item in pets.items(1)] == PICTURES[1:]


def test_arrow_offsets_that_lead_out_of_the_file_are_faults(tmp_path: Path) -> None:
    file = tmp_path / "data.arrow"
    batch = pyarrow.record_batch({"image": PICTURES})
    with pyarrow.ipc.new_stream(str(file), batch.schema) as writer:
        writer.write_batch(batch)
        writer.write_batch(batch)
    content = file.read_bytes()
    offsets = np.cumsum([0, *map(len, PICTURES)]).astype(np.int32).tobytes()
    place = content.rindex(offsets)
    bad = np.array([0, 10**6, 2 * 10**6, 3 * 10**6], np.int32).tobytes()
    file.write_bytes(content[:place] + bad + content[place + len(bad) :])
    assert reasons(ArrowSource(file, Reading())) == [None] * 3 + ["the table is damaged here"] * 3


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    before = source(tmp_path, columns(image=PICTURES)).identity
    assert source(tmp_path, columns(image=PICTURES[:2])).identity != before


def test_tables_are_told_by_content_or_name() -> None:
    assert is_parquet(b"PAR1....", "x") and is_parquet(b"", "x.PARQUET")
    assert is_arrow(b"ARROW1\0\0", "x") and is_arrow(b"\xff\xff\xff\xff", "x.arrow")
    assert not is_parquet(b"ARROW1", "x.csv") and not is_arrow(b"PAR1", "x.csv")


def test_without_pyarrow_one_sentence_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, columns(image=PICTURES))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DatasetError, match=r"needs the extra `hub`: pip install 'maquette\[hub\]'"):
        ParquetSource(file, Reading())


def small_table() -> bytes:
    file = io.BytesIO()
    table = columns(image=[encoded(noise(n, 4, 4)) for n in range(4)], label=["a", "b", "a", "b"])
    parquet.write_table(table, file, row_group_size=2)
    return file.getvalue()


@settings(max_examples=60)
@given(
    changes=some.lists(some.tuples(some.floats(0, 0.999), some.integers(0, 255)), max_size=4),
    cut=some.floats(0.5, 1),
)
def test_damaged_tables_never_crash(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]], cut: float
) -> None:
    content = bytearray(small_table())
    for place, value in changes:
        content[int(place * len(content))] = value
    file = tmp_path_factory.mktemp("t") / "x.parquet"
    file.write_bytes(content[: int(cut * len(content))] if cut < 0.9 else content)
    try:
        pets = ParquetSource(file, Reading())
        assert len(list(pets.items())) == pets.count()
    except DatasetError as problem:
        assert str(problem).startswith(str(file))
