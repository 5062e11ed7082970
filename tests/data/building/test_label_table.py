"""Tables of labels: found columns, and rows that belong to pictures by path, name or id."""

import codecs
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from maquette.core.errors import DatasetError
from maquette.data.building.label_table import LabelTable, UselessRows, read_label_table


def written(folder: Path, text: str | bytes, name: str = "labels.csv") -> str:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(file)


def label(rows: dict[str, str], source: str) -> str | None:
    return LabelTable(rows.items()).label_of(source)


@pytest.mark.parametrize(
    "name",
    [
        *("a/b.jpg", "photos/a/b.jpg", "./a/b.jpg", "a\\b.jpg", "/data/photos/a/b.jpg"),
        *(
            "C:\\data\\photos\\a\\b.jpg",
            "https://example.org/a/b.jpg",
            "b.jpg",
            "b",
            "a/b",
            " b.jpg ",
        ),
        "b.png",
    ],
)
def test_a_picture_is_known_by_path_name_or_id(name: str) -> None:
    assert label({name: "cat", "c.jpg": "dog"}, "photos/a/b.jpg") == "cat"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a/b.jpg", "photos.zip!a/b.jpg"),
        ("a/b.jpg", "sets/photos.zip!a/b.jpg"),
        ("b", "photos.zip!b.jpg"),
        ("x.tfrec#3", "shards/x.tfrec#3"),
        ("v1.2", "photos/v1.2.jpg"),
        ("mr.smith", "photos/mr.smith.jpg"),
        ("wow!.jpg", "photos/wow!.jpg"),
        ("fran\u00e7ois.jpg", "photos/franc\u0327ois.jpg"),  # as macOS spells it
        (".jpg", "photos/.jpg"),
    ],
)
def test_sources_of_all_kinds_are_known(name: str, source: str) -> None:
    assert label({name: "cat"}, source) == "cat"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        *(("b.jpg", "photos/bb.jpg"), ("b", "photos/b/c.jpg"), ("x.tfrec", "x.tfrec#3")),
        *(("x.tfrec#1", "x.tfrec#11"), ("v1.2", "photos/v1.jpg"), ("", "photos/a.jpg")),
        *(("B.jpg", "photos/b.jpg"), ("b.jpg", "")),
    ],
)
def test_others_are_not_taken_for_it(name: str, source: str) -> None:
    assert label({name: "cat"}, source) is None


def test_equal_names_are_told_apart_by_their_paths() -> None:
    rows = {"a/1.jpg": "cat", "b/1.jpg": "dog", "2.jpg": "cat", "c/2.jpg": "dog"}
    assert label(rows, "photos/a/1.jpg") == "cat"
    assert label(rows, "photos/b/1.jpg") == "dog"
    assert label(rows, "photos/b/1.png") == "dog"
    assert label(rows, "photos/c/1.jpg") is None
    assert label(rows, "photos/2.jpg") == "cat"
    assert label(rows, "photos/c/2.jpg") == "dog"


def test_equal_stems_are_told_apart_by_their_endings() -> None:
    rows = {"1.jpg": "cat", "1.png": "dog"}
    assert label(rows, "photos/1.jpg") == "cat"
    assert label(rows, "photos/1.gif") is None


def test_rows_that_contradict_each_other_say_nothing() -> None:
    table = LabelTable([("1.jpg", "cat"), ("1.jpg", "dog"), ("2.jpg", "cat"), ("2.jpg", "cat")])
    assert table.label_of("photos/1.jpg") is None
    assert table.label_of("photos/2.jpg") == "cat"
    assert table.unmatched() == []
    assert table.contradicts_itself("photos/1.jpg")
    assert not table.contradicts_itself("photos/2.jpg")
    assert table.useless() == UselessRows((), ("photos/1.jpg",))


def test_rows_without_a_picture_are_named() -> None:
    table = LabelTable([("1.jpg", "cat"), ("a/2.jpg", "dog"), ("b/2.jpg", "cat"), ("3", "cat")])
    assert len(table) == 4
    assert table.unmatched() == ["1.jpg", "a/2.jpg", "b/2.jpg", "3"]
    for source in ("photos/a/2.jpg", "photos/a/2.jpg", "photos/4.jpg"):
        table.label_of(source)
    assert table.unmatched() == ["1.jpg", "b/2.jpg", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "file_name,label\n1.jpg,cat\n",
        "label\tImage ID\ncat\t1\n",
        "id;breed\n1;cat\n",
        "path|width|genre\nphotos/1.jpg|3|cat\n",
        "id,name\n1,cat\n",  # what is left is the class
        "label,the file\ncat,1.jpg\n",  # or the name
        "\nfile_name,label,\n\n1.jpg,cat,\n ,,\n",
        'file_name,text,label\r\n"1.jpg","a, ""b""\r\nc",cat\r\n',
        codecs.BOM_UTF8 + b"file_name,label\n1.jpg,cat",
        "file_name\tlabel\n1.jpg\tcat\n".encode("utf-16"),
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, text: str | bytes) -> None:
    table = read_label_table(written(tmp_path, text))
    assert table.label_of("photos/1.jpg") == "cat"
    assert len(table) == 1


def test_columns_can_be_given(tmp_path: Path) -> None:
    file = written(tmp_path, "file_name,other,label,style\n1.jpg,2.jpg,cat,cubism\n")
    assert read_label_table(f"{file}:style").label_of("1.jpg") == "cubism"
    assert read_label_table(f"{file}:other:style").label_of("2.jpg") == "cubism"
    assert read_label_table(f"{file}:other:style").label_of("1.jpg") is None


def test_colons_belong_to_paths_too(tmp_path: Path) -> None:
    (tmp_path / "C:").mkdir()
    file = written(tmp_path / "C:", "file_name,label,style\n1.jpg,cat,cubism\n", "a:b.csv")
    assert read_label_table(file).label_of("1.jpg") == "cat"
    assert read_label_table(f"{file}:style").label_of("1.jpg") == "cubism"


def test_rows_without_a_class_do_not_count(tmp_path: Path) -> None:
    table = read_label_table(written(tmp_path, "id,label\n1,cat\n2,\n,dog\n3, \n"))
    assert len(table) == 1
    assert table.label_of("2.jpg") is None


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        (
            "id,label\n1,cat\n",
            ":lable",
            r"labels\.csv: unknown column 'lable': did you mean 'label'",
        ),
        ("id,label\n1,cat\n", ":idd:label", "unknown column 'idd': did you mean 'id'"),
        (
            "id,a,b\n1,x,y\n",
            "",
            r"which column holds classes \(they are id, a, b\): name both, as in",
        ),
        ("a,b,label\n1,x,y\n", "", "which column holds names of pictures"),
        ("1.jpg\n2.jpg\n", "", "does not tell which column holds"),
        ("", "", "does not tell which column holds"),
        ("id,label\n", "", "names no pictures with classes"),
        ("id,label\n1,cat\n2\n", "", "has 1 columns instead of 2 in a row that begins with '2'"),
        (
            "id,label\n1,a,cat\n",
            "",
            "has 3 columns instead of 2 in .* put text with a ',' in quotes",
        ),
        (b"id,label\n1,\xff\xfe\n", "", "is not UTF-8 text: save it as CSV in UTF-8"),
        ("id,label\n1," + "x" * 200_000 + "\n", "", "cannot be read as a table: field larger than"),
        ("id,label\n1," + "x" * 2_000_000 + "\n", "", "has lines too long for a table"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, text: str | bytes, columns: str, sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read_label_table(written(tmp_path, text) + columns)


@pytest.mark.parametrize("name", ["gone.csv", "gone.csv:label", "", ":", "a:b:c"])
def test_a_table_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        DatasetError, match=r"there is no table of labels .*: give FILE, FILE:LABEL"
    ):
        read_label_table(f"{tmp_path}/{name}" if name.startswith("gone") else name)


@pytest.mark.parametrize("name", ["labels.cvs", "lables.csv", "labels:style", "labels.cvs:a:b"])
def test_a_misspelt_table_is_answered_with_the_nearest_file(tmp_path: Path, name: str) -> None:
    for file in ("labels.csv", "label.jpg", "other.csv"):
        (tmp_path / file).write_text("id,style\n1,cubism\n")
    with pytest.raises(DatasetError, match=r"did you mean 'labels\.csv'\? give FILE"):
        read_label_table(f"{tmp_path}/{name}")


def test_parquet_tables_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"image_id": [7, None, 9, 10], "target": [1.0, 2.0, None, 0.0]})
    parquet.write_table(table, tmp_path / "labels.parquet")
    labels = read_label_table(str(tmp_path / "labels.parquet"))
    assert [labels.label_of(f"photos/{n}.jpg") for n in (7, 9, 10)] == ["1", None, "0"]
    notes = b'{"info":{"features":{"target":{"_type":"ClassLabel","names":["cat","dog"]}}}}'
    table = pyarrow.table({"id": ["7", "8"], "target": [1, 0]})
    parquet.write_table(
        table.replace_schema_metadata({"huggingface": notes}), tmp_path / "labels.parquet"
    )
    assert read_label_table(str(tmp_path / "labels.parquet")).label_of("7.jpg") == "dog"
    with pytest.raises(DatasetError, match="unknown column 'targets': did you mean 'target'"):
        read_label_table(str(tmp_path / "labels.parquet:targets"))
    (tmp_path / "labels.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    with pytest.raises(DatasetError, match=r"labels\.parquet cannot be read as a table"):
        read_label_table(str(tmp_path / "labels.parquet"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DatasetError, match="needs the extra `hub`"):
        read_label_table(str(tmp_path / "labels.parquet"))


@given(content=some.binary(max_size=200) | some.text(',;\n"\0ab', max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    text = written(tmp_path_factory.mktemp("t"), b"id,label\n" + content)
    try:
        table = read_label_table(text)
    except DatasetError as problem:
        assert str(problem).startswith(text)
    else:
        assert len(table) == len(table.unmatched()) > 0


@given(
    some.lists(some.tuples(some.text("ab./\\!#", max_size=6), some.sampled_from("xy")), max_size=6),
    some.text("ab./\\!#", max_size=9),
)
def test_any_names_can_be_compared(rows: list[tuple[str, str]], source: str) -> None:
    table = LabelTable(rows)
    assert table.label_of(source) in (None, "x", "y")
    for name in table.unmatched():
        assert set(table.unmatched()) <= {row for row, _ in rows}
        labels = {label for row, label in rows if row == name}
        if len(rows) == 1:
            assert table.label_of(f"photos/{name}") in labels
