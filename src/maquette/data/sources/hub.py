"""Datasets of the Hugging Face Hub by name, streamed: nothing is downloaded as a whole or executed.

`datasets` brings every layout it knows (Parquet, folders of pictures, WebDataset) into Arrow
tables, which are read like local ones. The revision is looked up first, because that tells within
a second what is wrong, where `datasets` would try again for half a minute.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.pictures.faults import Fault
from maquette.data.sources.cells import ONLY_A_PATH
from maquette.data.sources.columns import choose_columns
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import LARGEST_FILE_BYTES, Item, Reading, Source, too_large
from maquette.data.sources.tables import items_of

HUB = "hf:"
PATIENCE_SECONDS = 10
_SITE = "https://huggingface.co/datasets"
_SAMPLE_ROWS = 8
_ARCHIVES = ("zip://", "tar://")
_NAME = re.compile(r"(?P<repo>\w[\w.-]*(/\w[\w.-]*)?)(/(?P<config>\w[\w.-]*))?", re.ASCII)


@dataclass(frozen=True)
class _Place:
    """Where a dataset is."""

    name: str  # as a person knows it: "owner/name", or that of a folder
    path: str  # for load_dataset
    config: str | None
    revision: str | None  # None for a local folder
    root: str  # what the paths of its files begin with


class HubSource(Source):
    """One split of "hf:owner/name", "hf:owner/name:split" or "hf:owner/name/config:split".

    Without a split it is "train", or the only one there is. The name may also be that of a local
    folder in a layout the Hub knows. Needs the extra `hub`.
    """

    def __init__(self, text: str, reading: Reading):
        """DatasetError for whatever keeps the first row from being read."""
        try:
            import datasets  # noqa: F401
        except ImportError:
            raise DatasetError(
                f"reading {text} needs the extra `hub`: pip install 'maquette[hub]'"
            ) from None
        name, _, split = _split_off(text.removeprefix(HUB))
        self._place = place = _place(name, text)
        self.name = place.name.rpartition("/")[2]
        with _explained(place.name):
            streams = _streams(place)
            self._split = _chosen_split(list(streams), split or None, place.name)
            try:
                sample = _sample(streams[self._split])
            except ValueError as problem:
                # datasets 5.2 takes wrong folders for classes when it streams zipped pictures; the
                # right ones are in the paths.
                if "class label" not in str(problem):
                    raise
                streams = _streams(place, drop_labels=True)
                sample = _sample(streams[self._split])
        self._stream: Any = streams[self._split]
        features = self._stream.features.to_dict() if self._stream.features else {}
        self._columns = choose_columns(sample, features, reading, place.name)

    @property
    def grey(self) -> bool:
        return self._columns.grey

    @property
    def identity(self) -> str:
        place = self._place
        if place.revision is None:
            files = sorted(file for file in Path(place.path).rglob("*") if file.is_file())
            return f"{HUB}{file_identity(*files)}:{self._split}"
        return f"{HUB}{place.name}@{place.revision}/{place.config}:{self._split}"

    def count(self) -> int | None:
        """As the dataset's card says, where it does."""
        known = (self._stream.info.splits or {}).get(self._split)
        return known.num_examples or None if known else None

    def items(self, start: int = 0) -> Iterator[Item]:
        rows = self._stream.skip(start).select_columns(self._columns.wanted)
        name = f"{self.name}/{self._split}"
        with _explained(self._place.name):
            # One by one: longer tables fail where rows list their columns in different orders.
            for row, table in enumerate(rows.with_format("arrow").iter(1), start):
                for batch in table.to_batches():
                    for item in items_of(batch, self._columns, name, row):
                        yield self._found(item, batch) if item.fault == ONLY_A_PATH else item

    def _found(self, item: Item, batch: Any) -> Item:
        """The picture at a path, as long as that leads to a file of this very dataset."""
        path: str = batch.column(self._columns.pictures)[0]["path"].as_py()
        *archives, file = path.split("::")
        inside = _below(self._place.root, file)
        if inside is None or not all(archive.startswith(_ARCHIVES) for archive in archives):
            return item
        names = [archive.partition("://")[2] for archive in archives]
        relative = PurePosixPath(names[0] if names else inside)
        item = replace(item, source=f"{self.name}/{relative}", folders=relative.parent.parts)
        try:
            content = _read(path)
        except (FileNotFoundError, KeyError, zipfile.BadZipFile, zlib.error):
            return replace(item, fault=Fault("unreadable", "not where the dataset says it is"))
        if len(content) > LARGEST_FILE_BYTES:
            return replace(item, fault=too_large())
        return replace(item, content=content, fault=None)


def _split_off(text: str) -> tuple[str, str, str]:
    """Before and after the last colon, unless that belongs to a path."""
    name, colon, split = text.rpartition(":")
    return (name, colon, split) if re.fullmatch(r"[\w.-]+", split) and name else (text, "", "")


def _place(name: str, text: str) -> _Place:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError

    if name and (folder := Path(name)).is_dir():
        folder = folder.resolve()
        return _Place(folder.name, str(folder), None, None, str(folder))
    match = _NAME.fullmatch(name)
    try:
        if match is None:
            raise HFValidationError
        with _explained(match["repo"], "cannot be reached"):
            info = HfApi().dataset_info(match["repo"], timeout=PATIENCE_SECONDS)
    except HFValidationError:
        raise DatasetError(
            f"{text!r} does not name a dataset of the Hugging Face Hub: give hf:owner/name, "
            "hf:owner/name:split or hf:owner/name/configuration:split"
        ) from None
    root = f"hf://datasets/{info.id}@{info.sha}"
    return _Place(info.id, info.id, match["config"], info.sha, root)


def _streams(place: _Place, **options: bool) -> dict[str, Any]:
    """An unread stream for each split."""
    import datasets

    configs = datasets.get_dataset_config_names(place.path, revision=place.revision)
    if place.config is not None and place.config not in configs:
        raise DatasetError(f"{place.name}: {unknown_name('configuration', place.config, configs)}")
    if place.config is None and len(configs) > 1:
        known = datasets.get_dataset_default_config_name(place.path, revision=place.revision)
        if known is None:
            raise DatasetError(
                f"{place.name} has several configurations ({', '.join(configs)}): choose one with "
                f"hf:{place.name}/CONFIGURATION"
            )
    return dict(
        datasets.load_dataset(
            place.path, place.config, revision=place.revision, streaming=True, **options
        )
    )


def _chosen_split(known: list[str], wanted: str | None, name: str) -> str:
    if wanted is not None and wanted not in known:
        raise DatasetError(f"{name}: {unknown_name('split', wanted, known)}")
    if wanted is None and "train" not in known and len(known) > 1:
        raise DatasetError(
            f"{name} has several splits ({', '.join(known)}): choose one with hf:{name}:SPLIT"
        )
    return wanted or ("train" if "train" in known else known[0])


def _sample(stream: Any) -> Any:
    """The first rows, as a record batch."""
    import pyarrow

    tables = list(islice(stream.with_format("arrow").iter(1), _SAMPLE_ROWS))
    if not tables:
        raise DatasetError("this split holds no rows: choose another one")
    table = pyarrow.concat_tables(tables, promote_options="default")
    return table.combine_chunks().to_batches()[0]


def _below(root: str, file: str) -> str | None:
    """The path within a dataset; None for one that leads elsewhere."""
    if root.startswith("hf://"):
        inside = file.removeprefix(f"{root}/")
        leads_out = inside == file or ".." in PurePosixPath(inside).parts
        return None if leads_out else inside
    path = Path(file).resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def _read(path: str) -> bytes:
    from datasets.utils.file_utils import xopen

    with xopen(path, "rb") as opened:
        return bytes(opened.read(LARGEST_FILE_BYTES + 1))


@contextmanager
def _explained(name: str, otherwise: str = "cannot be streamed") -> Iterator[None]:
    """Turns whatever happens between here and the Hub into a DatasetError."""
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except (DatasetError, HFValidationError):
        raise
    # Those of datasets and huggingface_hub, of the HTTP library under them, of pyarrow and zipfile.
    except Exception as problem:
        raise DatasetError(_sentence(problem, name, otherwise)) from None


def _sentence(problem: Exception, name: str, otherwise: str) -> str:
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub import errors

    missing = isinstance(problem, errors.RepositoryNotFoundError | DatasetNotFoundError)
    if isinstance(problem, errors.GatedRepoError) or (missing and "gated" in str(problem)):
        return (
            f"{name} is given only to those who ask: do so at {_SITE}/{name}, then log in with "
            "`hf auth login`"
        )
    if missing:
        return (
            f"there is no dataset {name} on the Hugging Face Hub, or it is private: check the name "
            "or log in with `hf auth login`"
        )
    if isinstance(problem, errors.OfflineModeIsEnabled):
        return f"{name} is on the Hub, and HF_HUB_OFFLINE forbids to go there: unset it"
    if "Dataset scripts" in str(problem):
        return (
            f"{name} is made by a program of its own, which is not run here: look for a copy of it "
            "in Parquet"
        )
    reason = (str(problem).splitlines() or [""])[0] or type(problem).__name__
    if isinstance(problem, FileNotFoundError):
        return f"{name} holds nothing that can be read as pictures: {reason}"
    return (
        f"{name} {otherwise} ({reason}): see that this machine is connected and try again, or give "
        "a folder with its files"
    )
