"""idx and npy files: what they hold is read exactly, and damage of any kind is one sentence."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources.digits import digits_source
from maquette.data.sources.idx import idx_source, is_idx_images, is_idx_labels
from maquette.data.sources.npy import is_npy, npy_source
from maquette.data.sources.raw import is_raw, raw_source
from maquette.data.sources.source import Source
from picture_files import encoded, idx_bytes, noise, write_idx

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
pictures = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=6))
OPEN: dict[str, Callable[[Path], Source]] = {
    "x-images-idx3-ubyte": idx_source,
    "x.npy": npy_source,
    "x.bin": lambda file: raw_source(file, (2, 3)),
}


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def stacked(source: Source) -> np.ndarray:
    return np.stack([item.content for item in source.items()])


def refusal(opens: Callable[..., Source], file: Path, *options: object) -> str:
    with pytest.raises(DatasetError) as caught:
        opens(file, *options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_or_refused(opens: Callable[[Path], Source], file: Path) -> None:
    try:
        source = opens(file)
    except DatasetError as problem:
        assert "\n" not in str(problem)
    else:
        items = list(source.items())
        assert len(items) == source.count()
        assert [item.source for item in source.items(2)] == [item.source for item in items[2:]]


@one_folder
@given(values=pictures, compressed=st.booleans())
def test_idx_is_read_back(tmp_path: Path, values: np.ndarray, compressed: bool) -> None:
    file = write_idx(tmp_path / ("a.idx.gz" if compressed else "a.idx"), values)
    source = idx_source(file)
    assert source.count() == len(values)
    assert np.array_equal(stacked(source), values[..., None])


@one_folder
@given(values=pictures, compressed=st.booleans(), data=st.data())
def test_a_truncated_idx_is_refused(
    tmp_path: Path, values: np.ndarray, compressed: bool, data: st.DataObject
) -> None:
    whole = gzip.compress(idx_bytes(values)) if compressed else idx_bytes(values)
    cut = data.draw(st.integers(0, len(whole) - 1))
    (tmp_path / "cut-images-idx3-ubyte").write_bytes(whole[:cut])
    refusal(idx_source, tmp_path / "cut-images-idx3-ubyte")


@pytest.mark.parametrize("name", OPEN)
@one_folder
@given(
    start=st.sampled_from([b"", b"\0\0\x08\x03", b"\x1f\x8b\x08\0", b"\x93NUMPY\x01\0"]),
    rest=st.binary(max_size=200),
)
def test_random_bytes_are_read_or_refused(
    tmp_path: Path, name: str, start: bytes, rest: bytes
) -> None:
    (tmp_path / name).write_bytes(start + rest)
    read_or_refused(OPEN[name], tmp_path / name)


@one_folder
@given(data=st.data(), array=pictures, packed=st.booleans())
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, data: st.DataObject, array: np.ndarray, packed: bool
) -> None:
    npy, idx = npy_bytes(array), idx_bytes(array)
    for name, whole in (("x.npy", npy), ("x.idx", gzip.compress(idx) if packed else idx)):
        content = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        (tmp_path / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
        read_or_refused(npy_source if name == "x.npy" else idx_source, tmp_path / name)


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
    assert [item.source for item in source.items(3)] == ["cat.npy#3", "cat.npy#4"]
    assert {item.folders for item in source.items()} == {("cat",)}


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
    assert sentence in refusal(npy_source, tmp_path / "x.npy")


def test_an_empty_npy_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((0, 28, 28), np.uint8))
    assert "x.npy" in refusal(npy_source, tmp_path / "x.npy")


def test_a_web_page_named_npy_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_text("\n<!DOCTYPE html><html>404</html>")
    assert "is a web page and not a NumPy file" in refusal(npy_source, tmp_path / "x.npy")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "Python objects" in refusal(npy_source, tmp_path / "x.npy")


def test_an_idx_promising_more_than_it_can_hold_is_refused_at_once(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 3]) + np.array([2**31, 2**15, 2**15], ">u4").tobytes()
    (tmp_path / "x.idx").write_bytes(header + bytes(100))
    assert "promises" in refusal(idx_source, tmp_path / "x.idx")
    (tmp_path / "x.idx.gz").write_bytes(gzip.compress(header + bytes(100)))
    assert "promises" in refusal(idx_source, tmp_path / "x.idx.gz")


def test_labels_beside_are_read_whether_packed_or_not(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-images-idx3-ubyte.gz", np.zeros((3, 4, 5), np.uint8))
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.array([7, 0, 10], np.uint8))
    source = idx_source(tmp_path / "t-images-idx3-ubyte.gz")
    assert [item.label for item in source.items()] == ["7", "0", "10"]


def test_labels_that_do_not_match_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-images-idx3-ubyte", np.zeros((3, 4, 5), np.uint8))
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.zeros(2, np.uint8))
    assert "has 2 labels for the 3 pictures" in refusal(
        idx_source, tmp_path / "t-images-idx3-ubyte"
    )


def test_labels_are_not_pictures(tmp_path: Path) -> None:
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.zeros(2, np.uint8))
    assert "give the images-idx3-ubyte file" in refusal(
        idx_source, tmp_path / "t-labels-idx1-ubyte"
    )


def test_the_built_in_digits() -> None:
    source = digits_source()
    items = list(source.items())
    assert source.count() == len(items) == 1797
    assert items[0].content.shape == (8, 8, 1)
    assert max(item.content.max() for item in items) == 255
    assert {item.label for item in items} == set("0123456789")


def test_floats_far_behind_the_first_are_single_faults(tmp_path: Path) -> None:
    values = np.zeros((3, 700, 900), np.float32)
    values[2, 5, 5] = 7
    np.save(tmp_path / "f.npy", values)
    items = list(npy_source(tmp_path / "f.npy").items())
    fault = Fault("not-a-picture", "values that are not from 0 to 1")
    assert [item.fault for item in items] == [None, None, fault]
    assert items[2].content is None


def test_arrays_in_fortran_order_are_not_copied_and_right(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (4, 1, 25), dtype=np.uint8)
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    assert np.array_equal(stacked(npy_source(tmp_path / "f.npy")), values.reshape(4, 5, 5, 1))


def test_a_packed_idx_of_nothing_but_zeros_is_a_bomb(tmp_path: Path) -> None:
    write_idx(tmp_path / "x.idx.gz", np.zeros((3000, 28, 28), np.uint8))
    assert "promises" in refusal(idx_source, tmp_path / "x.idx.gz")


def test_bytes_without_a_header(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    (tmp_path / "c.bin").write_bytes(values.tobytes())
    assert np.array_equal(stacked(raw_source(tmp_path / "c.bin", (4, 6, 3))), values)
    grey = raw_source(tmp_path / "c.bin", (4, 6))
    assert grey.grey and grey.count() == 15
    assert "of its 360 bytes 10 remain" in refusal(raw_source, tmp_path / "c.bin", (5, 10))
    assert "--shape 28x28" in refusal(raw_source, tmp_path / "c.bin", None)
    assert "cannot have the shape" in refusal(raw_source, tmp_path / "c.bin", (0, 4))


def test_a_headerless_file_named_npy_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "c.npy").write_bytes(bytes([7]) * 784 * 3)
    assert "give --shape 28x28 if it is 3 pictures" in refusal(npy_source, tmp_path / "c.npy")
    assert npy_source(tmp_path / "c.npy", (28, 28)).count() == 3
    (tmp_path / "d.npy").write_bytes(bytes([7]) * 785)
    assert "--shape" not in refusal(npy_source, tmp_path / "d.npy")


def test_kinds_are_told_by_content_or_name() -> None:
    packed = gzip.compress(idx_bytes(np.zeros((3, 4, 5), np.uint8)))
    assert is_idx_images(packed, "a.gz") and is_idx_images(b"", "a-images-idx3-ubyte.gz")
    assert not is_idx_images(gzip.compress(b"something else"), "a.gz")
    assert not is_idx_images(idx_bytes(np.zeros(3, np.uint8)), "labels")
    assert is_idx_labels("t-labels-idx1-ubyte")
    assert is_npy(npy_bytes(np.zeros(3)), "a") and is_npy(b"<html>", "a.npy")
    assert is_raw(bytes(512), "a.bin") and not is_raw(encoded(noise(0)), "a.bin")


def test_identity_is_of_the_pictures_and_their_labels(tmp_path: Path) -> None:
    file = write_idx(tmp_path / "t-images-idx3-ubyte", np.zeros((3, 4, 5), np.uint8))
    alone = idx_source(file).identity
    assert idx_source(file).identity == alone
    write_idx(tmp_path / "t-labels-idx1-ubyte", np.array([7, 0, 10], np.uint8))
    assert idx_source(file).identity != alone


@pytest.mark.parametrize("folder", ["bitmaps", "headerless"])
def test_real_drawings(real_data: Path, folder: str) -> None:
    files = sorted((real_data / "quickdraw" / folder).iterdir())
    opens = npy_source if folder == "bitmaps" else raw_source
    sources = [opens(file, (28, 28)) for file in files]
    counts = [3000] * 6 + [5000] * 7 if folder == "bitmaps" else [1000] * 3
    assert sorted(source.count() for source in sources) == counts
    for source in sources:
        last = next(source.items(source.count() - 1))
        assert last.content.shape == (28, 28, 1) and last.content.max() > 200


def test_real_digits(real_data: Path) -> None:
    source = idx_source(real_data / "mnist" / "t10k-images-idx3-ubyte.gz")
    items = list(source.items(9990))
    assert source.count() == 10_000
    assert [item.label for item in items] == list("7890123456")
