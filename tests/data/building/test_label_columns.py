"""Several labels a picture: read from folders, file names and tables, and one chosen to learn."""

import json
from pathlib import Path

import numpy as np
import pytest

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.checking import check
from maquette.data.building.choices import Choices
from maquette.data.building.label_columns import parse_label_columns, prefix_of
from maquette.data.dataset import open_dataset
from maquette.data.manifest import read_manifest
from maquette.data.sizes import ImageSize
from maquette.recipe import read_recipe
from maquette.workflows.pictures import pictures_for
from maquette.workflows.showing import show_dataset
from picture_files import encoded, noise

SIZE = ImageSize(8, 8)
PAINTERS = ("monet", "renoir", "degas")


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """Two styles of six pictures, three painters; the last of each style has no painter."""
    folder = tmp_path / "paintings"
    for number, style in enumerate(("Baroque", "Ukiyo_e")):
        (folder / style).mkdir(parents=True)
        for index in range(6):
            name = f"{PAINTERS[index % 3]}_{index}" if index < 5 else "unknown"
            (folder / style / f"{name}.png").write_bytes(encoded(noise(10 * number + index)))
    return folder


def built(folder: Path, *columns: str, holdout: float = 0.0) -> Path:
    out = folder.with_name("built")
    choices = Choices(label_columns=parse_label_columns(columns), holdout=holdout)
    build([str(folder)], out, SIZE, choices)
    return out


def labels(folder: Path, label: str | None) -> dict[str, str | None]:
    """By file name, as a person would look them up."""
    dataset = open_dataset(folder, label=label)
    lines = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    names = dataset.spec.classes
    found = [None if n < 0 else names[n] for n in dataset.labels.tolist()]
    return {Path(line["source"]).name: found[line["row"]] for line in lines}


def test_a_recipe_chooses_one_of_several_columns(paintings: Path) -> None:
    out = built(paintings, "style=folders", "artist=prefix")
    assert open_dataset(out).spec.classes == ("Baroque", "Ukiyo_e")
    assert open_dataset(out, label="style").spec == open_dataset(out).spec
    assert open_dataset(out, label="artist").spec.classes == ("degas", "monet", "renoir")
    by_artist = labels(out, "artist")
    assert by_artist["monet_3.png"] == "monet" and by_artist["unknown.png"] is None
    recipe = read_recipe("artgan", ["data.label=artist"])
    assert pictures_for(recipe, out).spec.classes == ("degas", "monet", "renoir")
    with pytest.raises(DatasetError, match=r"'artst'.*artist"):
        open_dataset(out, label="artst")


def test_only_families_that_learn_from_them_see_unlabelled_pictures(paintings: Path) -> None:
    out = built(paintings, "style=folders", "artist=prefix")
    all_of_them = pictures_for(read_recipe("artgan", ["data.label=artist"]), out)
    assert len(all_of_them) == 12 and (all_of_them.labels == -1).sum() == 2
    labelled = pictures_for(read_recipe("gan", ["data.label=artist"]), out)
    assert len(labelled) == 10 and labelled.labels.min() == 0
    assert labelled.batch(0, 10, 0).labels.min() == 0
    for change in ("data.balance_classes=true", "model.reconstruction=0"):  # nothing to learn
        recipe = read_recipe("artgan", ["data.label=artist", change])
        assert pictures_for(recipe, out).left_out == 2


def test_tables_are_columns_too_and_say_what_did_not_fit(paintings: Path) -> None:
    table = paintings.with_name("genres.csv")
    table.write_text("file,genre,mood\nmonet_0.png,sea,calm\ndegas_2.png,dance,\ngone.png,sea,x\n")
    columns = parse_label_columns(["style=folders", f"genre={table}:genre"])
    summary = build(
        [str(paintings)], paintings.with_name("d"), SIZE, Choices(label_columns=columns)
    )
    genre = summary.columns[1]
    assert (genre.name, genre.classes, genre.unlabelled) == ("genre", 2, 8)
    assert genre.rows is not None and genre.rows.unmatched == ("gone.png",)
    assert genre.rows.contradicted == () and summary.rows is None
    assert genre.smallest == ("dance", 2)


def test_every_file_is_known_and_older_manifests_are_read(paintings: Path) -> None:
    out = built(paintings, "style=folders", "artist=prefix")
    manifest, _ = read_manifest(out)
    assert [column.name for column in manifest.columns] == ["style", "artist"]
    assert {"labels.npy", "labels-1.npy"} <= manifest.sha256.keys()
    raw = json.loads((out / "dataset.json").read_text())
    del raw["columns"]
    (out / "dataset.json").write_text(json.dumps(raw | {"format": 3}))
    assert open_dataset(out).spec.classes == ("Baroque", "Ukiyo_e")
    with pytest.raises(DatasetError, match=r"no label column 'artist'.*data\.label to null"):
        open_dataset(out, label="artist")


def test_labels_that_do_not_fit_are_refused_on_opening(paintings: Path) -> None:
    out = built(paintings, "style=folders", "artist=prefix")
    np.save(out / "labels-1.npy", np.full(12, 7, np.int32))
    open_dataset(out)
    with pytest.raises(DatasetError, match=r"labels-1\.npy names classes"):
        open_dataset(out, label="artist")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["style"], "write NAME=folders"),
        (["../x=folders"], "write NAME=folders"),
        (["style=folders", "style=prefix"], "two columns called style"),
        (["style=nowhere.csv"], r"no table of labels nowhere\.csv: give folders, sources, prefix,"),
        (
            ["style=folder"],
            r"did you mean 'folders'\? give folders, sources, prefix, column:COLUMN, FILE",
        ),
        (["artist=prefixes"], r"did you mean 'prefix'\?"),
    ],
)
def test_what_is_no_column_is_refused(columns: list[str], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        parse_label_columns(columns)


def test_a_column_of_one_class_is_refused(paintings: Path) -> None:
    for picture in paintings.glob("Ukiyo_e/*"):
        picture.unlink()
    with pytest.raises(DatasetError, match="fewer than two classes"):
        built(paintings, "artist=prefix", "style=folders")
    for picture in paintings.glob("*/[!m]*"):
        picture.unlink()
    with pytest.raises(DatasetError, match=r"column artist gives .* fewer than two classes: name"):
        built(paintings, "artist=prefix")
    assert not paintings.with_name("built").exists()


def test_what_is_dropped_may_not_take_all_but_one_class(paintings: Path) -> None:
    """Pictures of two painters are copies of two others, which have none and stay."""
    for number, name in enumerate(("a1", "a2")):
        (paintings / f"Baroque/{name}.png").write_bytes(encoded(noise(90 + number)))
        (paintings / f"Ukiyo_e/{name}_copy.png").write_bytes(encoded(noise(90 + number)))
    table = paintings.with_name("t.csv")
    rows = "Ukiyo_e/a1_copy.png,x\nUkiyo_e/a2_copy.png,y\n"
    table.write_text(f"file,artist\n{rows}")
    columns = parse_label_columns(["style=folders", f"artist={table}"])
    choices = Choices(label_columns=columns, drop=("duplicates",))
    with pytest.raises(DatasetError, match=r"dropping duplicates leaves .* artist .* fewer than"):
        build([str(paintings)], paintings.with_name("built"), SIZE, choices)
    assert not list(paintings.parent.glob("*built*"))
    table.write_text(f"file,artist\n{rows}Baroque/unknown.png,z\n")  # one class is left
    columns = parse_label_columns(["style=folders", f"artist={table}"])
    choices = Choices(label_columns=columns, drop=("duplicates",))
    with pytest.raises(DatasetError, match="drop less"):
        build([str(paintings)], paintings.with_name("built"), SIZE, choices)


def test_a_check_refuses_any_column_that_a_build_would_refuse(paintings: Path) -> None:
    table = paintings.with_name("t.csv")
    table.write_text("file,genre\nmonet_0.png,sea\n")
    columns = parse_label_columns(["style=folders", f"genre={table}"])
    with pytest.raises(DatasetError, match=r"column genre gives .* fewer than two classes"):
        check([str(paintings)], choices=Choices(label_columns=columns), workers=1)


def test_a_stray_picture_beside_the_folders_is_refused(paintings: Path) -> None:
    (paintings / "stray.png").write_bytes(encoded(noise(99)))
    with pytest.raises(DatasetError, match="into sub-folders named after their classes"):
        built(paintings, "style=folders")


def test_names_of_columns_are_plain_in_a_manifest_too(paintings: Path) -> None:
    out = built(paintings, "style=folders", "artist=prefix")
    text = (out / "dataset.json").read_text()
    (out / "dataset.json").write_text(text.replace('"artist"', '"[red]"'))
    with pytest.raises(DatasetError, match=r"damaged.*columns\.1\.name"):
        read_manifest(out)


def test_a_contact_sheet_needs_no_label_in_the_first_column(paintings: Path) -> None:
    out = built(paintings, "artist=prefix", "style=folders", holdout=0.2)
    manifest = json.loads((out / "dataset.json").read_text())
    np.save(out / "labels.npy", np.full(12, -1, np.int32))
    assert sum(manifest["splits"]["train"]) < 12
    assert show_dataset(out).sheet.exists()


def test_columns_and_other_labels_exclude_each_other(paintings: Path) -> None:
    choices = Choices(labels="folders", label_columns=parse_label_columns(["style=folders"]))
    with pytest.raises(DatasetError, match="--label alone"):
        build([str(paintings)], paintings.with_name("d"), SIZE, choices)


def test_prefixes() -> None:
    assert prefix_of("a/monet_sea_2.jpg") == "monet"
    assert prefix_of("art.zip!b_c/monet_1.jpg") == "monet"
    assert prefix_of("a_b/monet.jpg") is None
    assert prefix_of("_x.jpg") is None
