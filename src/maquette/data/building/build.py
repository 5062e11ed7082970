"""Builds a dataset folder out of sources: each item is read once, prepared and appended.

When all items are known, `layout` decides classes and split and writes the files in final order.
The same sources and policy give the same bytes, and one picture at a time is in memory.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from maquette.core.errors import DatasetError, unknown_name
from maquette.core.images import ImageSpec
from maquette.data.building import layout
from maquette.data.building.labelling import Labels
from maquette.data.building.records import Record
from maquette.data.building.writing import whole_or_nothing
from maquette.data.manifest import Policy
from maquette.data.pictures.preparation import Fit, PictureError, Raster, prepare
from maquette.data.sizes import ImageSize
from maquette.data.sources.opening import open_source
from maquette.data.sources.source import Item, Source

Colour = Literal["auto", "rgb", "grey"]
Report = Callable[[int, int | None], None]  # items done, items in all when that is known

FEWEST_PICTURES = 2
_PREPARED = "prepared.raw"


@dataclass(frozen=True)
class BuildSummary:
    """What came of a build."""

    folder: Path
    spec: ImageSpec
    counts: dict[str, int]  # pictures in "train" and "holdout", items "skipped"
    findings: dict[str, str]  # skipped item -> why


def build(
    sources: Sequence[str],
    out: Path,
    size: ImageSize,
    *,
    fit: Fit = "cover",
    colour: Colour = "auto",
    labels: Labels = "auto",
    holdout: float = 0.1,
    seed: int = 0,
    report: Report | None = None,
) -> BuildSummary:
    """Write the dataset folder `out`; DatasetError in one sentence when it cannot be done.

    `colour` auto is grey when every source is an array with one channel. `labels`: see `labelling`.
    `holdout` is the share of pictures kept from training, 0 to 0.5. `report` hears of every item.
    Nothing is left under `out` unless the build succeeds.
    """
    _check(sources, fit, colour, labels, holdout)
    opened = [open_source(source) for source in sources]
    grey = colour == "grey" or (colour == "auto" and all(source.grey for source in opened))
    workshop = _Workshop(size, 1 if grey else 3, fit)
    tone = "grey" if grey else "rgb"
    policy = Policy(fit=fit, colour=tone, labels=labels, holdout=holdout, seed=seed)
    with whole_or_nothing(out) as folder:
        prepared = folder / _PREPARED
        records = workshop.prepare_all(opened, prepared, report or _silent)
        readable = [record for record in records if record.finding is None]
        _refuse_too_few(readable, records, sources)
        plan = layout.plan(readable, policy, labels, len(opened))
        spec = ImageSpec(workshop.channels, size.height, size.width, plan.classes)
        manifest = layout.write(folder, prepared, records, plan, spec, policy, _name(opened))
        prepared.unlink()
    findings = {r.source: r.finding for r in records if r.finding is not None}
    return BuildSummary(out, spec, dict(manifest.counts), findings)


@dataclass(frozen=True)
class _Workshop:
    """How items become rows."""

    size: ImageSize
    channels: int
    fit: Fit

    def prepare_all(self, sources: Sequence[Source], file: Path, report: Report) -> list[Record]:
        """Write the pixels of readable items one after the other; records of all items."""
        records: list[Record] = []
        total = sum(map(len, sources))
        with file.open("wb") as rows, warnings.catch_warnings():
            # Pillow comments on odd but readable files; what cannot be read becomes a finding.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            for source in sources:
                for item in source.items():
                    record, pixels = self.prepare(item, source.name)
                    if pixels is not None:
                        rows.write(pixels.tobytes())
                    records.append(record)
                    report(len(records), total)
        return records

    def prepare(self, item: Item, origin: str) -> tuple[Record, Raster | None]:
        """What is remembered of the item, and its pixels if it can be read."""
        if item.content is None:
            return _record(item, origin, None, item.finding), None
        content = item.content
        encoded = content if isinstance(content, bytes) else content.tobytes()
        sha256 = hashlib.sha256(encoded).hexdigest()
        try:
            made = prepare(content, self.size, self.channels, self.fit)
        except PictureError as problem:
            return _record(item, origin, sha256, str(problem)), None
        seen = (made.original_height, made.original_width)
        return _record(item, origin, sha256, None, seen), made.pixels


def _record(
    item: Item,
    origin: str,
    sha256: str | None,
    finding: str | None,
    seen: tuple[int | None, int | None] = (None, None),
) -> Record:
    return Record(item.source, origin, item.folders, item.label, sha256, finding, *seen)


def _check(sources: Sequence[str], fit: str, colour: str, labels: str, holdout: float) -> None:
    if not sources:
        raise DatasetError("no source was given; name a folder, a file or builtin:digits")
    choices = [("fit", fit, Fit), ("colour", colour, Colour), ("way to label", labels, Labels)]
    for kind, value, known in choices:
        if value not in get_args(known):
            raise DatasetError(unknown_name(kind, value, list(get_args(known))))
    if not 0 <= holdout <= 0.5:
        raise DatasetError(f"a holdout share of {holdout} is out of range: it must be 0 to 0.5")


def _refuse_too_few(
    readable: Sequence[Record], records: Sequence[Record], sources: Sequence[str]
) -> None:
    if len(readable) >= FEWEST_PICTURES:
        return
    where, needed = " and ".join(sources), f"at least {FEWEST_PICTURES} are needed"
    if not records:
        raise DatasetError(f"{where} is empty: put pictures there; {needed}")
    held = "only one picture" if readable else "no picture"
    skipped = next((r for r in records if r.finding is not None), None)
    example = f", first {skipped.source}: {skipped.finding}" if skipped else ""
    files = "1 item" if len(records) == 1 else f"{len(records)} items"
    raise DatasetError(f"{where} holds {held} that can be read ({files}{example}); {needed}")


def _name(sources: Sequence[Source]) -> str:
    """The same wherever the dataset is written, so that its bytes are."""
    names = [source.name for source in sources]
    return " + ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more"


def _silent(_done: int, _total: int | None) -> None:
    """Report to nobody."""
