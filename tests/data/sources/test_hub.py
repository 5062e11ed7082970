"""Datasets of the Hub, with local folders in its layouts in place of the network."""

import io
import json
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from maquette.core.errors import DatasetError
from maquette.data.sources.hub import HubSource
from maquette.data.sources.source import Item, Reading
from picture_files import encoded, noise

datasets = pytest.importorskip("datasets")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
huggingface_hub = pytest.importorskip("huggingface_hub")

PICTURES = [encoded(noise(seed)) for seed in range(4)]
FEATURES = {
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel", "names": ["cat", "dog"]},
}


def source(folder: Path | str, **reading: object) -> HubSource:
    return HubSource(f"hf:{folder}", Reading(**reading))


def table(images: list, **columns: list) -> "pyarrow.Table":
    info = json.dumps({"info": {"features": FEATURES}})
    values = {"image": images, "label": [0, 1, 0, 1][: len(images)], **columns}
    return pyarrow.table(values).replace_schema_metadata({"huggingface": info})


def structs(*pictures: bytes) -> list[dict]:
    return [{"bytes": picture, "path": None} for picture in pictures]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A dataset in Parquet, as most on the Hub are."""
    folder = tmp_path / "pets"
    folder.mkdir()
    parquet.write_table(table(structs(*PICTURES)), folder / "train.parquet")
    parquet.write_table(table(structs(PICTURES[3])), folder / "test.parquet")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A dataset of picture files in folders."""
    for n, kind in enumerate(("cat", "dog")):
        (tmp_path / "photos" / "train" / kind).mkdir(parents=True)
        (tmp_path / "photos" / "train" / kind / "1.png").write_bytes(PICTURES[n])
    return tmp_path / "photos"


def told(item: Item) -> tuple:
    return item.source, item.folders, item.label, item.content


def test_the_train_split_is_taken(pets: Path) -> None:
    train = source(pets)
    rows = [f"pets/train#{n}" for n in range(4)]
    kinds = ["cat", "dog", "cat", "dog"]
    assert [told(item) for item in train.items()] == [
        (row, (), kind, picture) for row, kind, picture in zip(rows, kinds, PICTURES, strict=True)
    ]
    assert (train.name, train.grey, train.count()) == ("pets", False, None)


def test_reading_starts_anywhere(pets: Path) -> None:
    train = source(pets)
    everything = list(train.items())
    for start in (0, 1, 3, 4, 9):
        assert list(train.items(start)) == everything[start:]


def test_a_split_can_be_named(pets: Path) -> None:
    assert [item.source for item in source(f"{pets}:test").items()] == ["pets/test#0"]
    with pytest.raises(DatasetError, match="pets: unknown split 'tets': did you mean 'test'"):
        source(f"{pets}:tets")


def test_without_train_the_only_split_is_taken(pets: Path) -> None:
    (pets / "train.parquet").unlink()
    assert [item.source for item in source(pets).items()] == ["pets/test#0"]
    shutil.copy(pets / "test.parquet", pets / "validation.parquet")
    with pytest.raises(DatasetError, match=r"several splits \(validation, test\): choose one with"):
        source(pets)


def test_the_card_tells_how_many_there_are(pets: Path) -> None:
    card = "dataset_info:\n  splits:\n  - name: train\n    num_examples: 4\n    num_bytes: 9\n"
    (pets / "README.md").write_text(f"---\n{card}---\n")
    assert source(pets).count() == 4


def test_several_configurations_need_a_choice(pets: Path, tmp_path: Path) -> None:
    for config in ("small", "large"):
        (pets / config).mkdir()
        shutil.copy(pets / "train.parquet", pets / config)
    lines = [f"- config_name: {c}\n  data_files: {c}/train.parquet\n" for c in ("small", "large")]
    (pets / "README.md").write_text(f"---\nconfigs:\n{''.join(lines)}---\n")
    with pytest.raises(DatasetError, match=r"several configurations \(small, large\): choose one"):
        source(pets)


def test_folders_of_pictures_keep_their_paths(photos: Path) -> None:
    assert [told(item) for item in source(photos).items()] == [
        ("photos/train/cat/1.png", ("train", "cat"), "cat", PICTURES[0]),
        ("photos/train/dog/1.png", ("train", "dog"), "dog", PICTURES[1]),
    ]


def test_zipped_folders_of_pictures_keep_their_paths(photos: Path, tmp_path: Path) -> None:
    """Streaming them, datasets 5.2 takes the folder of the zip for the class, and stops."""
    (tmp_path / "zipped" / "data").mkdir(parents=True)
    shutil.make_archive(str(tmp_path / "zipped" / "data" / "train"), "zip", photos, "train")
    items = list(source(tmp_path / "zipped").items())
    assert [item.folders for item in items] == [("train", "cat"), ("train", "dog")]
    assert [item.content for item in items] == PICTURES[:2]


def test_paths_that_lead_out_of_the_dataset_are_not_followed(pets: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PICTURES[0])
    (pets / "own.png").write_bytes(PICTURES[1])
    paths = [str(tmp_path / "secret.png"), f"{pets}/../secret.png", "secret.png"]
    paths += [f"file://::{tmp_path}/secret.png", str(pets / "own.png"), str(pets / "gone.png")]
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    rows = pyarrow.array([{"bytes": None, "path": path} for path in paths], kind)
    info = table(structs(*PICTURES)).schema.metadata
    parquet.write_table(
        pyarrow.table({"image": rows, "label": [0] * 6}).replace_schema_metadata(info),
        pets / "train.parquet",
    )
    items = list(source(pets).items())
    assert [item.content for item in items] == [None] * 4 + [PICTURES[1], None]
    reasons = [item.fault.reason if item.fault else None for item in items]
    assert reasons[:4] == ["only a path: the picture itself was not saved in the table"] * 4
    assert reasons[4:] == [None, "not where the dataset says it is"]


def test_columns_can_be_chosen(pets: Path) -> None:
    images = structs(*PICTURES)
    artists = table(images, content=PICTURES[::-1], artist=["x", "y", "x", "y"])
    # Without the notes of Hugging Face, so that content and names decide.
    parquet.write_table(artists.replace_schema_metadata(None), pets / "train.parquet")
    shutil.copy(pets / "train.parquet", pets / "test.parquet")
    chosen = source(pets, image_feature="content", label_feature="artist")
    assert [(item.content, item.label) for item in chosen.items()] == [
        (picture, "xyxy"[n]) for n, picture in enumerate(PICTURES[::-1])
    ]
    with pytest.raises(DatasetError, match="pets: unknown column 'contents'"):
        source(pets, image_feature="contents")


def test_identity_follows_the_files(pets: Path) -> None:
    before = source(pets).identity
    assert before == source(pets).identity != source(f"{pets}:test").identity
    parquet.write_table(table(structs(PICTURES[0])), pets / "train.parquet")
    assert source(pets).identity != before


def test_programs_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    mark = tmp_path / "it ran"
    (tmp_path / "pets" / "pets.py").write_text(
        f"import pathlib; pathlib.Path({str(mark)!r}).touch()"
    )
    with pytest.raises(DatasetError, match="made by a program of its own, which is not run here"):
        source(tmp_path / "pets")
    assert not mark.exists()


def test_a_folder_of_nothing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds nothing that can be read as pictures"):
        source(tmp_path)


@pytest.mark.parametrize("name", ["", "a/b/c/d", "../up", "a--b/c", "a/b:c d", "a b"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="does not name a dataset of the Hugging Face Hub"):
        source(name)


def refuse(error: Exception) -> Callable[..., None]:
    def raised(*arguments: object, **options: object) -> None:
        raise error

    return raised


def test_offline_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", refuse(socket.gaierror(-2, "Name not known")))
    started = time.monotonic()
    with pytest.raises(DatasetError, match=r"owner/pets cannot be reached \(.*\): see that this"):
        source("owner/pets")
    assert time.monotonic() - started < 10


def test_going_online_can_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DatasetError, match="HF_HUB_OFFLINE forbids to go there: unset it"):
        source("owner/pets")


def hub_error(name: str) -> Exception:
    kind: type[Exception] = getattr(huggingface_hub.errors, name)
    return kind.__new__(kind, "refused")  # their constructors want a response


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            "RepositoryNotFoundError",
            "there is no dataset owner/pets on the Hugging Face Hub, or it",
        ),
        ("GatedRepoError", "only to those who ask: do so at https://huggingface.co/datasets/owner"),
    ],
)
def test_refusals_of_the_hub_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: str, sentence: str
) -> None:
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse(hub_error(error)))
    with pytest.raises(DatasetError, match=sentence):
        source("owner/pets")


@pytest.fixture
def hub(pets: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The Hub with one dataset, which is the folder `pets`; what is asked of it is noted."""
    local, asked = datasets.load_dataset, []

    def loaded(path: str, config: str | None, **options: object) -> object:
        asked.append((path, config, options["revision"], options["streaming"]))
        return local(str(pets), streaming=True)

    info = SimpleNamespace(id="Owner/pets", sha="5f")
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *a, **o: info)
    monkeypatch.setattr(datasets, "load_dataset", loaded)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda path, revision: ["small"])
    return asked


def test_the_revision_is_looked_up_and_kept(hub: list[tuple]) -> None:
    """So that rows cannot change under a build."""
    found = source("owner/pets/small:test")
    assert hub == [("Owner/pets", "small", "5f", True)]
    assert found.identity == "hf:Owner/pets@5f/small:test"
    assert [item.source for item in found.items()] == ["pets/test#0"]
    with pytest.raises(DatasetError, match="Owner/pets: unknown configuration 'smal': did you"):
        source("owner/pets/smal")


def test_files_are_read_from_the_same_dataset_only(
    pets: Path, hub: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = "hf://datasets/Owner/pets@5f"
    paths = [f"{root}/a/1.png", f"zip://b/2.png::{root}/all.zip", f"{root}/../x@1/1.png"]
    paths += ["hf://datasets/Owner/other@5f/1.png", str(pets / "own.png")]
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    rows = pyarrow.array([{"bytes": None, "path": path} for path in paths], kind)
    parquet.write_table(pyarrow.table({"image": rows}), pets / "train.parquet")
    (pets / "test.parquet").unlink()
    (pets / "own.png").write_bytes(PICTURES[0])
    opened = []

    def xopen(path: str, mode: str) -> io.BytesIO:
        opened.append(path)
        return io.BytesIO(PICTURES[0])

    monkeypatch.setattr("datasets.utils.file_utils.xopen", xopen)
    items = list(source("owner/pets").items())
    assert opened == paths[:2]
    assert [item.content for item in items] == [PICTURES[0]] * 2 + [None] * 3
    assert [item.source for item in items[:2]] == ["pets/a/1.png", "pets/b/2.png"]


def test_without_datasets_one_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DatasetError, match=r"needs the extra `hub`: pip install 'maquette\[hub\]'"):
        source("owner/pets")
