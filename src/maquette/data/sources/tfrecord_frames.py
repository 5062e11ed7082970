"""The frames of a TFRecord file: lengths and contents, both with a checksum that is checked.

Format: uint64 length, masked CRC-32C of the length, content, masked CRC-32C of the content, all
little-endian (TensorFlow, "TFRecord and tf.train.Example", section "TFRecords format details").
"""

import struct
from collections.abc import Iterator

from crc32c import crc32c

from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources.archives import CUT_SHORT
from maquette.data.sources.source import LARGEST_FILE_BYTES, too_large
from maquette.data.sources.streams import Stream

_HEADER, _CHECKSUM = struct.Struct("<QI"), struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8


def starts_as_frames(start: bytes) -> bool:
    """Whether a file begins with a length and its checksum, which chance hardly gives."""
    return len(start) >= _HEADER.size and _length(start[: _HEADER.size]) is not None


def frames(stream: Stream, start: int = 0) -> Iterator[bytes | Fault]:
    """Contents without the first `start`, or what is wrong with one.

    A damaged length or a cut ends the file; behind damaged content the next frame is read.
    """
    passed = 0
    try:
        for length in _lengths(stream):
            if passed < start:
                if not isinstance(length, Fault):
                    _leave_out(stream, length)
            elif isinstance(length, Fault):
                yield length
            elif length > LARGEST_FILE_BYTES:
                _leave_out(stream, length)
                yield too_large()
            else:
                yield _content(stream, length)
            passed += 1
    except PictureError as problem:
        if passed >= start:
            yield problem.fault


def count_frames(stream: Stream) -> int:
    """How many results `frames` would give; only lengths are read."""
    count = 0
    try:
        for length in _lengths(stream):
            if not isinstance(length, Fault):
                _leave_out(stream, length)
            count += 1
    except PictureError:
        count += 1
    return count


def _lengths(stream: Stream) -> Iterator[int | Fault]:
    """Of each content, which is to be read or left out before the next; a fault is the last."""
    while header := stream.read(_HEADER.size):
        place = stream.position - len(header)
        if len(header) < _HEADER.size:
            yield CUT_SHORT
            return
        length = _length(header)
        if length is None:
            yield Fault("damaged", f"damaged length at byte {place}; nothing behind it can be read")
            return
        if stream.size is not None and length + _CHECKSUM.size > stream.size - stream.position:
            yield CUT_SHORT
            return
        yield length


def _length(header: bytes) -> int | None:
    length, checksum = _HEADER.unpack(header)
    return length if _masked_crc(header[:8]) == checksum else None


def _leave_out(stream: Stream, length: int) -> None:
    if not stream.skip(length + _CHECKSUM.size):
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)


def _content(stream: Stream, length: int) -> bytes | Fault:
    framed = stream.read(length + _CHECKSUM.size)
    if len(framed) < length + _CHECKSUM.size:
        raise PictureError(CUT_SHORT.kind, CUT_SHORT.reason)
    content = framed[:length]
    if _masked_crc(content) != _CHECKSUM.unpack_from(framed, length)[0]:
        return Fault("damaged", "a damaged record")
    return content


def _masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits, plus a constant (the same source)."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
