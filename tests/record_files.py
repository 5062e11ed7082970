"""Small TFRecord files for tests, written without TensorFlow."""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from crc32c import crc32c

Value = bytes | int | float | list


def varint(number: int) -> bytes:
    number %= 2**64
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def delimited(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def example(features: Mapping[str, Value]) -> bytes:
    """A tf.train.Example; a list gives several values."""
    entries = b"".join(
        delimited(1, delimited(1, name.encode()) + delimited(2, _feature(value)))
        for name, value in features.items()
    )
    return delimited(1, entries)


def framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return length + _masked(length) + record + _masked(record)


def write_records(file: Path, records: Iterable[Mapping[str, Value]]) -> Path:
    file.write_bytes(b"".join(framed(example(record)) for record in records))
    return file


def _feature(value: Value) -> bytes:
    values = value if isinstance(value, list) else [value]
    if all(isinstance(v, bytes) for v in values):
        return delimited(1, b"".join(delimited(1, v) for v in values))
    if all(isinstance(v, int) for v in values):
        return delimited(3, delimited(1, b"".join(varint(v) for v in values)))
    return delimited(2, delimited(1, b"".join(struct.pack("<f", v) for v in values)))


def _masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
