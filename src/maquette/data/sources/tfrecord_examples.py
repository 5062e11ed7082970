"""TensorFlow's `tf.train.Example`, parsed without TensorFlow and without protobuf.

A record is split into features at once; what a feature holds is only read when asked for. Whatever
the bytes claim, nothing outside them is read: lengths are checked against what is there.
Format: protobuf.dev/programming-guides/encoding, and tensorflow/core/example/feature.proto.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from maquette.data.pictures.faults import PictureError

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10  # bytes
_MOST_FEATURES = 10_000  # of a record
_FEATURE_LISTS = 2  # field of a tf.train.SequenceExample, which is otherwise alike

Kind = Literal["bytes", "floats", "integers", "nothing"]
_KINDS: dict[int, Kind] = {1: "bytes", 2: "floats", 3: "integers"}


class Feature(NamedTuple):
    """A list of values of one kind, where it lies in its record."""

    record: bytes
    start: int
    stop: int

    @property
    def kind(self) -> Kind:
        """ "nothing" for a feature that was left empty."""
        return self._list()[0]

    def texts(self) -> Iterator[bytes]:
        """The values of a feature of bytes; none of another kind."""
        kind, start, stop = self._list()
        for field, wire, a, b in _fields(self.record, start, stop):
            if kind == "bytes" and field == 1 and wire == _DELIMITED:
                yield self.record[a:b]

    def integers(self) -> Iterator[int]:
        """The values of a feature of integers, packed or one by one; none of another kind."""
        kind, start, stop = self._list()
        for field, wire, a, b in _fields(self.record, start, stop):
            while kind == "integers" and field == 1 and wire in (_VARINT, _DELIMITED) and a < b:
                value, a = _varint(self.record, a, b)
                yield value - 2**64 if value >= 2**63 else value  # two's complement

    def _list(self) -> tuple[Kind, int, int]:
        """What the feature holds, and where; the last list counts, as in every protobuf."""
        found: tuple[Kind, int, int] = ("nothing", self.start, self.start)
        for field, wire, a, b in _fields(self.record, self.start, self.stop):
            if wire == _DELIMITED and field in _KINDS:
                found = _KINDS[field], a, b
        return found


Example = dict[str, Feature]


def parse_example(record: bytes) -> Example:
    """The features of a record by name; PictureError when it is not a tf.train.Example."""
    features: Example = {}
    for field, wire, start, stop in _fields(record, 0, len(record)):
        if field != 1 or wire != _DELIMITED:
            continue
        for _, _, entry, end in _fields(record, start, stop):
            name, feature = "", Feature(record, entry, entry)
            for part, inner, a, b in _fields(record, entry, end):
                if inner == _DELIMITED and part == 1:
                    name = record[a:b].decode(errors="replace")
                elif inner == _DELIMITED and part == 2:
                    feature = Feature(record, a, b)
            features[name] = feature
            if len(features) > _MOST_FEATURES:
                raise PictureError("damaged", f"more than {_MOST_FEATURES} features")
    return features


def is_sequence(record: bytes) -> bool:
    """Whether a record is a tf.train.SequenceExample."""
    return any(field == _FEATURE_LISTS for field, *_ in _fields(record, 0, len(record)))


def _fields(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type and place of each field between two places of a message.

    The place of a varint is that of its bytes.
    """
    while start < stop:
        tag, start = data[start], start + 1
        if tag >= 0x80:  # seldom; asked here, because a call for each field is felt
            tag, start = _varint(data, start - 1, stop)
        wire = tag & 7
        if wire == _DELIMITED:
            length, start = _varint(data, start, stop)
            end = start + length
        elif wire == _VARINT:
            _, end = _varint(data, start, stop)
        elif wire in _FIXED_BYTES:
            end = start + _FIXED_BYTES[wire]
        else:
            raise PictureError("damaged", "not a tf.train.Example")
        if end > stop:
            raise PictureError("damaged", "not a tf.train.Example")
        yield tag >> 3, wire, start, end
        start = end


def _varint(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    if start < stop and (byte := data[start]) < 0x80:  # most are this short
        return byte, start + 1
    value = 0
    for count, byte in enumerate(data[start : min(stop, start + _LONGEST_VARINT)]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, start + count + 1
    raise PictureError("damaged", "not a tf.train.Example")
