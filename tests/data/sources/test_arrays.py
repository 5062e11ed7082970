"""idx and npy files: what they hold is read exactly, and damage of any kind is one sentence."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from picture_files import idx_bytes, write_idx

from maquette.core.errors import DatasetError
from maquette.data.sources.arrays import digits_source, idx_source, npy_source, read_idx
from maquette.data.sources.opening import open_source

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
pictures = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=6))


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def stacked(source: object) -> np.ndarray:
    return np.stack([item.content for item in source.items()])


def refusal(text: str | Path) -> str:
    with pytest.raises(DatasetError) as caught:
        open_source(str(text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@one_folder
@given(values=pictures, compressed=st.booleans())
def test_idx_is_read_back(tmp_path: Path, values: np.ndarray, compressed: bool) -> None:
    file = write_idx(tmp_path / ("a.idx.gz" if compressed else "a.idx"), values)
    assert np.array_equal(read_idx(file), values)


@one_folder
@given(values=pictures, compressed=st.booleans(), data=st.data())
def test_a_truncated_idx_is_refused(
    tmp_path: Path, values: np.ndarray, compressed: bool, data: st.DataObject
) -> None:
    whole = gzip.compress(idx_bytes(values)) if compressed else idx_bytes(values)
    cut = data.draw(st.integers(0, len(whole) - 1))
    (tmp_path / "cut-images-idx3-ubyte").write_bytes(whole[:cut])
    with pytest.raises(DatasetError):
        open_source(str(tmp_path / "cut-images-idx3-ubyte"))


@one_folder
@given(
    start=st.sampled_from([b"", b"\0\0\x08\x03", b"\x1f\x8b\x08\0", b"\x93NUMPY\x01\0"]),
    data=st.data(),
)
def test_random_bytes_are_read_or_refused(
    tmp_path: Path, start: bytes, data: st.DataObject
) -> None:
    content = start + data.draw(st.binary(max_size=200))
    for name in ("x-images-idx3-ubyte", "x.npy", "x.zip", "x"):
        (tmp_path / name).write_bytes(content)
        try:
            source = open_source(str(tmp_path / name))
        except DatasetError as problem:
            assert "\n" not in str(problem)
        else:
            assert len(list(source.items())) == len(source)


@one_folder
@given(data=st.data(), array=pictures)
def test_a_damaged_npy_is_read_or_refused(
    tmp_path: Path, data: st.DataObject, array: np.ndarray
) -> None:
    content = bytearray(npy_bytes(array))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.npy").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        source = npy_source(tmp_path / "x.npy")
    except DatasetError:
        return
    assert len(list(source.items())) == len(source)


@pytest.mark.parametrize(
    ("shape", "picture"),
    [
        ((5, 49), (7, 7, 1)),
        ((5, 1, 49), (7, 7, 1)),
        ((5, 6, 8), (6, 8, 1)),
        ((5, 6, 8, 1), (6, 8, 1)),
        ((5, 6, 8, 3), (6, 8, 3)),
    ],
)
def test_npy_shapes(tmp_path: Path, shape: tuple[int, ...], picture: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.save(tmp_path / "cat.npy", values)
    source = npy_source(tmp_path / "cat.npy")
    assert np.array_equal(stacked(source), values.reshape(5, *picture))
    assert source.grey == (picture[-1] == 1)
    assert [item.source for item in source.items()][:2] == ["cat.npy#0", "cat.npy#1"]


def test_bool_and_unit_floats_become_bytes(tmp_path: Path) -> None:
    np.save(tmp_path / "b.npy", np.eye(4, dtype=bool)[None].repeat(2, 0))
    assert stacked(npy_source(tmp_path / "b.npy")).max() == 255
    np.save(tmp_path / "f.npy", np.linspace(0, 1, 2 * 16, dtype=np.float32).reshape(2, 4, 4))
    floats = stacked(npy_source(tmp_path / "f.npy")).ravel()
    assert floats.tolist() == np.rint(np.linspace(0, 1, 32) * 255).tolist()


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 50), np.uint8), "not the square of a side"),
        (np.zeros((3, 4, 4, 2), np.uint8), "has the shape (3, 4, 4, 2)"),
        (np.zeros((3,), np.uint8), "has the shape (3,)"),
        (np.array(3, np.uint8), "has the shape ()"),
        (np.zeros((3, 4, 4), np.int64), "convert them to uint8"),
        (np.full((3, 4, 4), 1.5), "convert them to uint8"),
        (np.full((3, 4, 4), np.nan), "convert them to uint8"),
        (np.full((3, 4, 4), "a"), "convert them to uint8"),
        (np.zeros((1, 9500, 9500), np.uint8), "pixels"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(
    tmp_path: Path, array: np.ndarray, sentence: str
) -> None:
    np.save(tmp_path / "x.npy", array)
    assert sentence in refusal(tmp_path / "x.npy")


def test_an_empty_npy_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((0, 28, 28), np.uint8))
    assert "x.npy" in refusal(tmp_path / "x.npy")


def test_a_web_page_named_npy_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_text("\n<!DOCTYPE html><html>404</html>")
    assert "is a web page and not a NumPy file" in refusal(tmp_path / "x.npy")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "Python objects" in refusal(tmp_path / "x.npy")


def test_an_idx_promising_more_than_it_can_hold_is_refused_at_once(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 3]) + np.array([2**31, 2**15, 2**15], ">u4").tobytes()
    (tmp_path / "x.idx").write_bytes(header + bytes(100))
    assert "promises" in refusal(tmp_path / "x.idx")
    (tmp_path / "x.idx.gz").write_bytes(gzip.compress(header + bytes(100)))
    assert "promises" in refusal(tmp_path / "x.idx.gz")


def test_labels_beside_are_read_whether_packed_or_not(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-images-idx3-ubyte.gz", np.zeros((3, 4, 5), np.uint8))
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.array([7, 0, 10], np.uint8))
    source = idx_source(tmp_path / "t-images-idx3-ubyte.gz")
    assert [item.label for item in source.items()] == ["7", "0", "10"]


def test_labels_that_do_not_match_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-images-idx3-ubyte", np.zeros((3, 4, 5), np.uint8))
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.zeros(2, np.uint8))
    assert "has 2 labels for the 3 pictures" in refusal(tmp_path / "t-images-idx3-ubyte")


def test_labels_are_not_pictures(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.zeros(2, np.uint8))
    assert "give the images-idx3-ubyte file" in refusal(tmp_path / "t-labels-idx1-ubyte")


def test_the_built_in_digits() -> None:
    source = digits_source()
    items = list(source.items())
    assert len(source) == len(items) == 1797
    assert items[0].content.shape == (8, 8, 1)
    assert max(item.content.max() for item in items) == 255
    assert {item.label for item in items} == set("0123456789")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("builtin:digit", "did you mean 'builtin:digits'?"),
        ("no/such/place", "does not exist"),
    ],
)
def test_sources_nobody_knows(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not a source of pictures" in refusal(tmp_path / "notes.txt")
