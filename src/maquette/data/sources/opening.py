"""From what a person typed to a source; the kind is told by content where that is possible."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.sources.digits import digits_source
from maquette.data.sources.drawings import DrawingsSource, is_drawings
from maquette.data.sources.folders import FolderSource, is_ours
from maquette.data.sources.hub import HubSource
from maquette.data.sources.idx import idx_source, is_idx_images
from maquette.data.sources.kaggle import kaggle_folder
from maquette.data.sources.npy import is_npy, npy_source
from maquette.data.sources.npz import is_npz, npz_source
from maquette.data.sources.raw import is_raw, raw_source
from maquette.data.sources.source import Reading, Source
from maquette.data.sources.tables import ArrowSource, ParquetSource, is_arrow, is_parquet
from maquette.data.sources.tars import TarSource, is_tar
from maquette.data.sources.tfrecords import TFRecordSource, is_tfrecord
from maquette.data.sources.videos import VideoSource, is_video
from maquette.data.sources.zips import ZipSource, is_zip

BUILT_IN, HUB, KAGGLE = "builtin:", "hf:", "kaggle:"
BUILT_IN_SOURCES = {"builtin:digits": digits_source}
# Content tells most kinds; names that promise one picture need not be opened to be told.
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_START_BYTES = 512

# The first that recognises a file's first bytes and name opens it.
_Kind = tuple[Callable[[bytes, str], bool], Callable[[Path, Reading], Source]]
KINDS: tuple[_Kind, ...] = (
    (is_npz, lambda file, _: npz_source(file)),
    (is_zip, lambda file, _: ZipSource(file)),
    (is_npy, lambda file, reading: npy_source(file, reading.shape)),
    (is_idx_images, lambda file, _: idx_source(file)),
    (is_tfrecord, TFRecordSource),
    (is_tar, lambda file, _: TarSource(file)),
    (is_parquet, ParquetSource),
    (is_arrow, ArrowSource),
    (is_drawings, lambda file, _: DrawingsSource(file)),
    (is_video, VideoSource),
    (is_raw, lambda file, reading: raw_source(file, reading.shape)),
)


def open_source(text: str, reading: Reading | None = None) -> Source:
    """A folder, a file of one of the KINDS, "builtin:digits", "hf:owner/name", "kaggle:owner/name".

    DatasetError in one sentence for anything else.
    """
    reading = reading or Reading()
    if text.startswith(BUILT_IN):
        if text not in BUILT_IN_SOURCES:
            raise DatasetError(unknown_name("built-in dataset", text, list(BUILT_IN_SOURCES)))
        return BUILT_IN_SOURCES[text]()
    if text.startswith(HUB):
        return HubSource(text, reading)
    if text.startswith(("http://", "https://")):
        raise DatasetError(f"{text} is an address: download it first, then give the file")
    path = kaggle_folder(text) if text.startswith(KAGGLE) else Path(text)
    if path.is_dir() and is_ours(path):
        raise DatasetError(
            f"{path} was made by Maquette: train on a dataset with --data, or give the pictures "
            "that it was made from"
        )
    if path.is_dir():
        return FolderSource(path, partial(file_source, reading=reading))
    source = _opened(path, reading)
    if source is None:
        raise DatasetError(
            f"{path} is not a source of pictures: give a folder, an archive (zip, tar), arrays "
            "(npy, npz, idx; bytes without a header with --shape), TFRecords, Parquet, drawings "
            "(ndjson), a video, hf:…, kaggle:… or builtin:digits"
        )
    return source


def file_source(file: Path, reading: Reading) -> Source | None:
    """A file in a folder that holds many pictures; None for what is at most one picture.

    DatasetError when it is of such a kind but cannot be used.
    """
    if file.suffix.lower() in PICTURE_ENDINGS:
        return None
    return _opened(file, reading)


def _opened(file: Path, reading: Reading) -> Source | None:
    try:
        with file.open("rb") as opened:
            start = opened.read(_START_BYTES)
    except FileNotFoundError:
        raise DatasetError(f"{file} does not exist; check the path") from None
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None
    for recognises, opens in KINDS:
        if recognises(start, file.name):
            return opens(file, reading)
    return None
