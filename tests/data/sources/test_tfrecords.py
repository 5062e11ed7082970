"""TFRecords: framing and records against reference implementations, any schema, any damage."""

import gzip
import io
import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources import tfrecord_frames
from maquette.data.sources.source import Reading, too_large
from maquette.data.sources.tfrecord_examples import parse_example
from maquette.data.sources.tfrecord_frames import starts_as_frames
from maquette.data.sources.tfrecords import TFRecordSource, is_tfrecord
from picture_files import encoded, noise
from record_files import delimited, example, framed, write_records

# Each example overwrites the same file, so one folder serves them all.
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
PNG, JPEG = encoded(noise(0)), encoded(noise(1, 40, 40), "JPEG")
CUT, DAMAGED = Fault("damaged", "cut short"), Fault("damaged", "a damaged record")


def opened(file: Path, **reading: object) -> TFRecordSource:
    return TFRecordSource(file, Reading.model_validate(reading))


def refusal(file: Path, **reading: object) -> str:
    with pytest.raises(DatasetError) as caught:
        opened(file, **reading)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def five(file: Path) -> bytes:
    write_records(file, [{"image": PNG, "label": n} for n in range(5)])
    return file.read_bytes()


def faults(source: TFRecordSource) -> list[Fault | None]:
    items = list(source.items())
    assert source.count() in (None, len(items))
    for start in range(len(items) + 2):
        assert list(source.items(start)) == items[start:]
    return [item.fault for item in items]


@pytest.mark.parametrize("packed", [bytes, gzip.compress, zlib.compress])
def test_records_in_their_order(tmp_path: Path, packed: object) -> None:
    file = tmp_path / "p.tfrec"
    file.write_bytes(packed(five(file)))
    source = opened(file)
    assert [item.source for item in source.items()] == [f"p.tfrec#{n}" for n in range(5)]
    assert [item.label for item in source.items()] == list("01234")
    assert {item.content for item in source.items()} == {PNG}
    assert faults(source) == [None] * 5
    assert source.count() == (5 if packed is bytes else None)
    assert is_tfrecord(file.read_bytes()[:512], "p")


def test_framing_is_that_of_tensorboard(tmp_path: Path) -> None:
    writing = pytest.importorskip("tensorboard.summary.writer.record_writer")
    file = io.BytesIO()
    writer = writing.RecordWriter(file)
    for n in range(3):
        writer.write(example({"image": PNG, "label": n}))
    (tmp_path / "p.tfrec").write_bytes(file.getvalue())
    assert faults(opened(tmp_path / "p.tfrec")) == [None] * 3


def message_class() -> type:
    """tf.train.Example as the protobuf library knows it."""
    descriptors = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass
    from google.protobuf.text_format import Parse

    def message(name: str, *fields: str) -> str:
        return f'message_type {{ name: "{name}" {" ".join(fields)} }}'

    def field(name: str, number: int, kind: str, rest: str = "label: LABEL_OPTIONAL") -> str:
        return f'field {{ name: "{name}" number: {number} {kind} {rest} }}'

    def list_of(name: str, kind: str) -> str:
        return message(name, field("value", 1, f"type: TYPE_{kind}", "label: LABEL_REPEATED"))

    kinds = {"BytesList": "BYTES", "FloatList": "FLOAT", "Int64List": "INT64"}
    named = [f'type: TYPE_MESSAGE type_name: ".t.{name}"' for name in kinds]
    entry = (
        'nested_type { name: "FeatureEntry" options { map_entry: true }'
        + field("key", 1, "type: TYPE_STRING")
        + field("value", 2, 'type: TYPE_MESSAGE type_name: ".t.Feature"')
        + "}"
    )
    repeated = 'type: TYPE_MESSAGE type_name: ".t.Features.FeatureEntry"'
    text = [
        'name: "example.proto" package: "t" syntax: "proto3"',
        *(list_of(name, kind) for name, kind in kinds.items()),
        message("Feature", *(field(f"f{n}", n, kind) for n, kind in enumerate(named, 1))),
        message("Features", field("feature", 1, repeated, "label: LABEL_REPEATED"), entry),
        message("Example", field("features", 1, 'type: TYPE_MESSAGE type_name: ".t.Features"')),
    ]
    pool = DescriptorPool()
    pool.Add(Parse(" ".join(text), descriptors.FileDescriptorProto()))
    return GetMessageClass(pool.FindMessageTypeByName("t.Example"))


names = st.text(max_size=5)
listed = st.one_of(
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3),
    st.lists(st.floats(width=32), min_size=1, max_size=3),
)


@given(features=st.dictionaries(names, listed, max_size=4))
def test_records_are_parsed_as_protobuf_does(features: dict[str, list]) -> None:
    reference = message_class()()
    for name, values in features.items():
        part = {bytes: "f1", float: "f2", int: "f3"}[type(values[0])]
        getattr(reference.features.feature[name], part).value.extend(values)
    parsed = parse_example(reference.SerializeToString())
    assert parsed.keys() == features.keys()
    for name, values in features.items():
        kind = {bytes: "bytes", float: "floats", int: "integers"}[type(values[0])]
        assert parsed[name].kind == kind
        assert list(parsed[name].texts()) == (values if kind == "bytes" else [])
        assert list(parsed[name].integers()) == (values if kind == "integers" else [])


def test_integers_that_are_not_packed() -> None:
    loose = delimited(3, b"\x08\x05\x08\xac\x02")
    entry = delimited(1, b"n") + delimited(2, loose)
    assert list(parse_example(delimited(1, delimited(1, entry)))["n"].integers()) == [5, 300]


@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_an_example_or_damaged(content: bytes, wrapped: bool) -> None:
    record = delimited(1, delimited(1, content)) if wrapped else content
    try:
        for feature in parse_example(record).values():
            list(feature.texts()), list(feature.integers())
    except PictureError as problem:
        assert problem.fault.kind == "damaged"


@one_folder
@given(data=st.data(), packed=st.sampled_from([bytes, gzip.compress, zlib.compress]))
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, data: st.DataObject, packed: object
) -> None:
    content = bytearray(packed(five(tmp_path / "p.tfrec")))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "p.tfrec").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        source = opened(tmp_path / "p.tfrec")
    except DatasetError as problem:
        assert "\n" not in str(problem)
    else:
        assert len(faults(source)) <= 6


@one_folder
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.tfrec").write_bytes(content)
    refusal(tmp_path / "p.tfrec")
    assert not is_tfrecord(content, "p")


def test_damage_costs_one_record(tmp_path: Path) -> None:
    content = bytearray(five(tmp_path / "p.tfrec"))
    size = len(content) // 5
    content[2 * size + 50] ^= 1
    (tmp_path / "p.tfrec").write_bytes(content)
    assert faults(opened(tmp_path / "p.tfrec")) == [None, None, DAMAGED, None, None]
    content[3 * size] ^= 1  # a length
    (tmp_path / "p.tfrec").write_bytes(content)
    reason = f"damaged length at byte {3 * size}; nothing behind it can be read"
    expected = [None, None, DAMAGED, Fault("damaged", reason)]
    assert faults(opened(tmp_path / "p.tfrec")) == expected


def test_a_cut_file_gives_what_is_whole(tmp_path: Path) -> None:
    content = five(tmp_path / "p.tfrec")
    size = len(content) // 5
    for cut in (3 * size + 5, 3 * size + 13, 4 * size - 1):
        (tmp_path / "p.tfrec").write_bytes(content[:cut])
        assert faults(opened(tmp_path / "p.tfrec")) == [None, None, None, CUT]
    (tmp_path / "p.tfrec").write_bytes(gzip.compress(content)[:-40])
    assert faults(opened(tmp_path / "p.tfrec"))[-1] == CUT


def test_a_length_beyond_the_file_is_not_believed(tmp_path: Path) -> None:
    promise = bytearray(framed(b""))
    promise[:8] = struct.pack("<Q", 2**62)
    promise[8:12] = framed(bytes(promise[:8]))[-4:]
    assert starts_as_frames(bytes(promise))
    for packed in (bytes, gzip.compress):
        (tmp_path / "p.tfrec").write_bytes(packed(five(tmp_path / "q.tfrec") + bytes(promise)))
        assert faults(opened(tmp_path / "p.tfrec")) == [None] * 5 + [CUT]


def test_large_records_and_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{"image": PNG, "label": 1}, {"image": PNG + bytes(2**21)}, {"image": PNG}]
    write_records(tmp_path / "p.tfrec", records)
    packed = gzip.compress((tmp_path / "p.tfrec").read_bytes())
    monkeypatch.setattr(tfrecord_frames, "LARGEST_FILE_BYTES", 2**20)
    assert faults(opened(tmp_path / "p.tfrec")) == [None, too_large(), None]
    (tmp_path / "p.tfrec").write_bytes(packed)
    bomb = Fault("bomb", "compressed more than 200 times")
    assert faults(opened(tmp_path / "p.tfrec")) == [None, bomb]


@pytest.mark.parametrize(
    ("record", "content", "label"),
    [
        ({"a": PNG, "b": b"text"}, PNG, None),
        ({"thumb": PNG, "full": JPEG}, JPEG, None),
        ({"image": PNG, "mask": JPEG}, PNG, None),
        ({"image/encoded": PNG, "image/class/label": 3, "image/class/text": b"cat"}, PNG, "cat"),
        ({"image": PNG, "label": 3, "label_name": b"cat"}, PNG, "cat"),
        ({"image": PNG, "target": -1}, PNG, "-1"),
        ({"image": PNG, "class": 2.5, "labels": [1, 2]}, PNG, None),
        ({"image": PNG, "image/object/class/text": b"cat"}, PNG, None),
        ({"image": PNG, "label": b"BMW"}, PNG, "BMW"),
        ({"image": PNG, "className": b"Hund \xc3\xa4"}, PNG, "Hund ä"),
    ],
)
def test_features_are_found(
    tmp_path: Path, record: dict[str, object], content: bytes, label: str | None
) -> None:
    item = next(opened(write_records(tmp_path / "p.tfrec", [record])).items())
    assert (item.content, item.label) == (content, label)


@pytest.mark.parametrize("channels", [1, 3])
def test_bare_pixels(tmp_path: Path, channels: int) -> None:
    pixels = noise(3, 5, 7, channels)
    record = {"image_raw": pixels.tobytes(), "height": 5, "width": 7, "label": 4}
    for told in ({}, {"depth": channels}):
        item = next(opened(write_records(tmp_path / "p.tfrec", [record | told])).items())
        assert np.array_equal(item.content, pixels) and item.label == "4"
    file = write_records(tmp_path / "p.tfrec", [{"x": pixels.tobytes()}])
    assert "holds no pictures" in refusal(file)
    item = next(opened(file, shape=(5, 7, channels)).items())
    assert np.array_equal(item.content, pixels)


def test_features_that_are_named_are_taken(tmp_path: Path) -> None:
    record = {"thumb": PNG, "full": JPEG, "label": 3, "artist": b"Monet", "size": 1.5}
    file = write_records(tmp_path / "p.tfrec", [record, {"label": 4}])
    items = list(opened(file, image_feature="thumb", label_feature="artist").items())
    assert (items[0].content, items[0].label) == (PNG, "Monet")
    assert items[1].fault == Fault("not-a-picture", "nothing in the feature 'thumb'")
    assert "unknown feature 'artists': did you mean 'artist'?" in refusal(
        file, label_feature="artists"
    )
    assert "does not hold bytes" in refusal(file, image_feature="size")


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    file = write_records(tmp_path / "p.tfrec", [{"a": b"x", "b": 3}])
    assert "known are a, b" in refusal(file)
    file.write_bytes(framed(delimited(1, b"") + delimited(2, b"")))
    assert "SequenceExample" in refusal(file)
    file.write_bytes(b"")
    assert "it is empty" in refusal(file)
    file.write_bytes(framed(b"\xff\xff"))
    assert "not a tf.train.Example" in refusal(file)
    file.write_bytes(b"<html>" * 20)
    assert "damaged length at byte 0" in refusal(file)


@pytest.mark.parametrize(
    ("name", "count", "labels"),
    [("monet00-60.tfrec", 60, {"monet"}), ("blood_cells.record", 64, {None})],
)
def test_real_shards(real_data: Path, name: str, count: int, labels: set[str | None]) -> None:
    source = opened(real_data / "tfrecords" / name)
    items = list(source.items())
    assert source.count() == len(items) == count
    assert {item.label for item in items} == labels
    starts = Counter(item.content[:3] for item in items if isinstance(item.content, bytes))
    assert starts == {b"\xff\xd8\xff": count}
