"""TFRecord files of any schema, read without TensorFlow; gzip and zlib are told by content.

Every checksum is compared: a damaged record is one faulty item and not a wrong picture.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault, PictureError
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import Item, Reading, Source
from maquette.data.sources.streams import Stream, open_stream, refusal, unpacked_start
from maquette.data.sources.tfrecord_examples import Example, is_sequence, parse_example
from maquette.data.sources.tfrecord_features import Schema, choose_schema
from maquette.data.sources.tfrecord_frames import count_frames, frames, starts_as_frames

_ENDINGS = (".tfrec", ".tfrecord", ".tfrecords")
_SAMPLED_RECORDS, _SAMPLED_BYTES = 16, 2**26  # most that is looked at to find the features


def is_tfrecord(start: bytes, name: str) -> bool:
    """Whether a file, unpacked if it is packed, begins like a TFRecord, or is named like one."""
    if starts_as_frames(start) or name.lower().endswith(_ENDINGS):
        return True
    return starts_as_frames(unpacked_start(start, maybe_zlib=True))


class TFRecordSource(Source):
    """The records of a file in their order, by their number: "photos.tfrec#12"."""

    def __init__(self, file: Path, reading: Reading):
        """DatasetError when there is nothing to read, or no feature with pictures."""
        self._file = file
        self.name = Path(file.name.removesuffix(".gz")).stem
        self._identity = file_identity(file)
        try:
            with self._open() as stream:
                self._packed = stream.size is None
                self._schema = choose_schema(_sampled(stream, file), reading, file)
        except PictureError as problem:
            raise refusal(file, problem) from None

    @property
    def grey(self) -> bool:
        return False

    @property
    def identity(self) -> str:
        return self._identity

    def count(self) -> int | None:
        """By going from length to length; what is packed would have to be unpacked for that."""
        if self._packed:
            return None
        with self._open() as stream:
            return count_frames(stream)

    def items(self, start: int = 0) -> Iterator[Item]:
        try:
            with self._open() as stream:
                for row, found in enumerate(frames(stream, start), start):
                    yield _item(f"{self._file.name}#{row}", found, self._schema)
        except PictureError as problem:  # the file has gone
            yield Item(self._file.name, fault=problem.fault)

    def _open(self) -> Stream:
        with open_stream(self._file) as stream:
            plain = starts_as_frames(stream.read(12))
        return open_stream(self._file, maybe_zlib=not plain)


def _item(source: str, found: bytes | Fault, schema: Schema) -> Item:
    if isinstance(found, Fault):
        return Item(source, fault=found)
    try:
        example = parse_example(found)
        picture, label = schema.picture(example), schema.class_name(example)
        item = Item(source, label=label, classes=schema.class_names(example))
    except PictureError as problem:
        return Item(source, fault=problem.fault)
    if isinstance(picture, Fault):
        return replace(item, fault=picture)
    return replace(item, content=picture)


def _sampled(stream: Stream, file: Path) -> list[Example]:
    """The first readable records; DatasetError, saying why, when there are none."""
    examples: list[Example] = []
    fault: Fault | None = None
    for found in frames(stream):
        parsed = found if isinstance(found, Fault) else _parsed(found, file)
        if isinstance(parsed, Fault):
            fault = fault or parsed
        else:
            examples.append(parsed)
        if len(examples) == _SAMPLED_RECORDS or stream.position > _SAMPLED_BYTES:
            break
    if not examples:
        reason = fault.reason if fault else "it is empty"
        raise DatasetError(f"{file} holds no record that can be read: {reason}; download it again")
    return examples


def _parsed(record: bytes, file: Path) -> Example | Fault:
    try:
        if is_sequence(record):
            raise DatasetError(
                f"{file} holds sequences (tf.train.SequenceExample), which are not read; save each "
                "picture as a tf.train.Example"
            )
        return parse_example(record)
    except PictureError as problem:
        return problem.fault
