"""Several labels out of the table that holds the pictures themselves, as WikiArt's do."""

import json
from pathlib import Path

import pytest

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.checking import check
from maquette.data.building.choices import BuildSummary, Choices
from maquette.data.building.label_columns import parse_label_columns
from maquette.data.building.label_table import read_label_table
from maquette.data.dataset import open_dataset
from maquette.data.sizes import ImageSize
from picture_files import encoded, noise, write_pictures
from record_files import write_records

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

PICTURES = [encoded(noise(number)) for number in range(12)]
STYLES, ARTISTS = ("Baroque", "Ukiyo_e"), ("monet", "renoir", "degas")
NOTES = {
    "image": {"_type": "Image"},
    "style": {"_type": "ClassLabel", "names": STYLES},
}


@pytest.fixture
def wikiart(tmp_path: Path) -> Path:
    """Numbered styles with names, artists in words of which one is missing, and prices."""
    table = pyarrow.table(
        {
            "image": [{"bytes": picture, "path": None} for picture in PICTURES],
            "artist": [ARTISTS[n % 3] if n else None for n in range(12)],
            "style": [n % 2 for n in range(12)],
            "price": [n / 7 for n in range(12)],
        }
    )
    notes = json.dumps({"info": {"features": NOTES}})
    file = tmp_path / "wikiart.parquet"
    parquet.write_table(table.replace_schema_metadata({"huggingface": notes}), file)
    return file


def built(source: Path | str, out: Path, *columns: str) -> BuildSummary:
    choices = Choices(label_columns=parse_label_columns(columns), holdout=0)
    return build([str(source)], out, ImageSize(12, 16), choices, workers=1)


def labels(folder: Path, label: str) -> list[str | None]:
    dataset = open_dataset(folder, label=label)
    return [None if n < 0 else dataset.spec.classes[n] for n in dataset.labels.tolist()]


def test_columns_of_the_pictures_own_table_are_labels(wikiart: Path, tmp_path: Path) -> None:
    summary = built(wikiart, tmp_path / "d", "style=column:style", "painter=column:artist")
    assert labels(summary.folder, "style") == [STYLES[n % 2] for n in range(12)]
    assert labels(summary.folder, "painter") == [None, *(ARTISTS[n % 3] for n in range(1, 12))]
    assert [(c.name, c.classes, c.unlabelled) for c in summary.columns] == [
        ("style", 2, 0),
        ("painter", 3, 1),
    ]
    assert all(column.rows is None for column in summary.columns)


def test_the_same_table_in_a_folder_in_arrow_and_on_the_hub(wikiart: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    arrow = wikiart.with_name("wikiart.arrow")
    table = parquet.read_table(wikiart)
    with pyarrow.ipc.new_stream(arrow, table.schema) as stream:
        stream.write_table(table)
    folder = tmp_path / "folder"
    folder.mkdir()
    wikiart.rename(folder / "train.parquet")
    for number, source in enumerate((arrow, folder, f"hf:{folder}")):
        summary = built(source, tmp_path / f"d{number}", "style=column:style")
        assert labels(summary.folder, "style") == [STYLES[n % 2] for n in range(12)]


def test_features_of_tfrecords_are_columns_too(tmp_path: Path) -> None:
    records = [
        {"image": picture, "style": STYLES[n % 2].encode(), "year": 1900 + n % 3}
        for n, picture in enumerate(PICTURES)
    ]
    file = write_records(tmp_path / "art.tfrec", records)
    summary = built(file, tmp_path / "d", "style=column:style", "year=column:year")
    assert labels(summary.folder, "year") == [str(1900 + n % 3) for n in range(12)]
    with pytest.raises(DatasetError, match=r"unknown feature 'stile': did you mean 'style'"):
        built(file, tmp_path / "e", "style=column:stile")


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (
            "style=column:stile",
            "unknown column 'stile': did you mean 'style'.*artist, style, price",
        ),
        ("style=column:price", "the column 'price' holds double, not classes"),
        ("style=column:image", "the column 'image' holds .*, not classes"),
        ("style=column:", "there is no table of labels column:: did you mean 'column'"),
        ("style=colum:style", r"did you mean 'column'\? give .*prefix, column:COLUMN, FILE"),
    ],
)
def test_what_is_no_column_of_the_table_is_refused(
    wikiart: Path, tmp_path: Path, column: str, sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        built(wikiart, tmp_path / "d", column)


def test_a_check_reads_the_columns_as_a_build_does(wikiart: Path) -> None:
    choices = Choices(label_columns=parse_label_columns(["style=column:style"]))
    assert check([str(wikiart)], choices=choices, workers=1).readable == 12
    choices = Choices(label_columns=parse_label_columns(["style=column:stile"]))
    with pytest.raises(DatasetError, match="unknown column 'stile'"):
        check([str(wikiart)], choices=choices, workers=1)


def test_pictures_that_lie_in_no_table_have_no_such_column(tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 3)
    with pytest.raises(DatasetError, match=r"style gives .* see that they lie in a table"):
        built(tmp_path / "photos", tmp_path / "d", "style=column:style")


def test_the_table_beside_itself_leads_to_its_own_columns(wikiart: Path) -> None:
    """Rows have no file names that the same file, taken for a table of labels, could tell."""
    table = wikiart.with_name("labels.csv")
    table.write_text("file,style\na.jpg,x\nb.jpg,y\n")
    with pytest.raises(DatasetError, match=r"numbers .*parquet#0\).*--label style=column:style"):
        built(wikiart, wikiart.with_name("d"), f"style={table}")
    choices = Choices(label_table=read_label_table(str(table)))
    with pytest.raises(DatasetError, match="--label style=column:style"):
        build([str(wikiart)], wikiart.with_name("d"), ImageSize(8, 8), choices, workers=1)
