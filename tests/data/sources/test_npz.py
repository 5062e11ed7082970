"""npz files: which arrays are pictures, which their classes, and that nothing else is believed."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources.npz import is_npz, npz_source

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def refusal(file: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        npz_source(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_train_and_test_go_with_their_own_labels(tmp_path: Path, save: object) -> None:
    train, test = values(4, 5, 6), values(3, 5, 6)
    file = tmp_path / "mnist.npz"
    save(file, x_train=train, y_train=np.arange(4), x_test=test, y_test=np.arange(3)[:, None])
    source = npz_source(file)
    items = list(source.items())
    assert source.grey and source.count() == 7
    found = {item.source: item for item in items}
    for row in range(4):
        assert np.array_equal(found[f"mnist.npz!x_train#{row}"].content, train[row][..., None])
        assert found[f"mnist.npz!x_train#{row}"].label == str(row)
    assert found["mnist.npz!x_test#2"].label == "2"
    for start in range(8):
        again = [item.source for item in source.items(start)]
        assert again == [item.source for item in items[start:]]


def test_texts_are_class_names_and_other_arrays_are_left_alone(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "p.npz",
        images=np.linspace(0, 1, 2 * 48).reshape(2, 4, 4, 3),
        labels=np.array(["cat", "dog"]),
        ids=np.array([7, 8]),
        weights=np.zeros((2, 9)),
        mean=np.float32(3),
    )
    source = npz_source(tmp_path / "p.npz")
    assert [item.label for item in source.items()] == ["cat", "dog"]
    assert {item.folders for item in source.items()} == {("p",)}
    assert not source.grey


def test_arrays_named_after_what_they_show_are_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", cat=values(2, 784), dog=values(3, 1, 784))
    items = list(npz_source(tmp_path / "p.npz").items())
    assert [item.folders for item in items] == [("p", "cat")] * 2 + [("p", "dog")] * 3
    assert items[0].content.shape == (28, 28, 1)


@pytest.mark.parametrize(
    "labels", [np.arange(3), np.zeros((2, 3), int), np.zeros(2), np.array(["a" * 999, "b"])]
)
def test_labels_that_do_not_fit_are_none(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "p.npz", x=values(2, 5, 6), y=labels)
    assert [item.label for item in npz_source(tmp_path / "p.npz").items()] == [None, None]


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", x=values(2, 5, 6), y=np.array([{}, []], dtype=object))
    assert npz_source(tmp_path / "p.npz").count() == 2
    np.savez(tmp_path / "q.npz", y=np.array([{}, []], dtype=object))
    assert "holds no pictures" in refusal(tmp_path / "q.npz")


def test_bombs_and_lies_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "p.npz", x=np.zeros((3000, 28, 28), np.uint8))
    assert "compressed more than 200 times" in refusal(tmp_path / "p.npz")
    header = io.BytesIO()
    np.save(header, values(2, 5, 6))
    with zipfile.ZipFile(tmp_path / "q.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue().replace(b"(2,", b"(9,"))
    assert "cut short" in refusal(tmp_path / "q.npz")


def test_the_order_of_columns_first_is_explained(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", x=np.asfortranarray(values(2, 5, 6)))
    assert "ascontiguousarray" in refusal(tmp_path / "p.npz")


def test_damage_costs_the_pictures_behind_it(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "p.npz", x=values(400, 28, 28))
    content = bytearray((tmp_path / "p.npz").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    (tmp_path / "p.npz").write_bytes(content)
    source = npz_source(tmp_path / "p.npz")
    items = list(source.items())
    assert len(items) == source.count() == 400
    assert items[0].fault is None
    assert items[399].fault == Fault("damaged", "damaged where it is packed")


def test_a_zip_of_pictures_is_none() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", b"")
    assert not is_npz(file.getvalue(), "a.zip")
    file = io.BytesIO()
    np.savez(file, x=values(2, 5, 6))
    assert is_npz(file.getvalue()[:512], "a.zip")


@one_folder
@given(data=st.data(), packed=st.booleans())
def test_a_damaged_npz_is_read_or_refused(
    tmp_path: Path, data: st.DataObject, packed: bool
) -> None:
    opened = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(opened, x=values(2, 4, 5), y=np.arange(2))
    content = bytearray(opened.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.npz").write_bytes(content[data.draw(st.sampled_from([0, 0, 0, 60])) :])
    try:
        source = npz_source(tmp_path / "x.npz")
    except DatasetError as problem:
        assert "\n" not in str(problem)
    else:
        assert len(list(source.items())) == source.count()
