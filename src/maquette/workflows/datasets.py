"""Check pictures, and turn them into a dataset folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.checking import CheckSummary, check, examples
from maquette.data.building.choices import BuildSummary, Choices, Colour, Labels
from maquette.data.building.label_columns import parse_label_columns
from maquette.data.building.label_table import read_label_table
from maquette.data.building.workers import default_workers
from maquette.data.findings.surveying import Checking
from maquette.data.pictures.preparation import Fit
from maquette.data.sizes import parse_shape, parse_size
from maquette.data.sources.source import Reading

Report = Callable[[str, int, int | None], None]


def _silent(_stage: str, _done: int, _total: int | None) -> None:
    """Report to nobody."""


def check_pictures(
    sources: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    size: str | int | None = None,
    family: str | None = None,
    unlike: Sequence[str | Path] = (),
    features: str | Path | None = None,
    labels: Labels = "auto",
    label_table: str | Path | None = None,
    label_columns: Sequence[str] = (),
    reading: Reading | None = None,
    workers: int | None = None,
    report: Report = _silent,
) -> CheckSummary:
    """Everything that is wrong with the pictures of these sources; nothing of them is changed.

    `out` becomes a folder with `findings.json` and a page of contact sheets. `size` and `family`
    say what is planned, where that is known. Pictures that look like those of `unlike` are found
    with the network whose weights `features` names. `report` hears (stage, items done, items in
    all).
    """
    reading = reading or Reading()
    choices = Choices(
        labels=labels,
        label_table=None if label_table is None else read_label_table(str(label_table)),
        label_columns=parse_label_columns(label_columns),
        reading=reading,
        checking=_checking(unlike, features, family, reading, workers),
    )
    return check(
        [str(source) for source in sources],
        None if size is None else parse_size(str(size)),
        choices,
        out=None if out is None else Path(out),
        workers=workers,
        report=report,
    )


def build_dataset(
    sources: Sequence[str | Path],
    out: str | Path,
    size: str | int,
    *,
    fit: Fit = "cover",
    colour: Colour = "auto",
    labels: Labels = "auto",
    label_table: str | Path | None = None,
    label_columns: Sequence[str] = (),
    holdout: float = 0.1,
    keep_bars: bool = False,
    stroke_channels: bool = False,
    drop: Sequence[str] = (),
    unlike: Sequence[str | Path] = (),
    features: str | Path | None = None,
    family: str | None = None,
    reading: Reading | None = None,
    workers: int | None = None,
    report: Report = _silent,
) -> BuildSummary:
    """Build a dataset folder at `out` from folders, archives, arrays, videos, `builtin:digits` …

    `size` is "64" or "96x128" (height x width, pixels). `drop` names kinds of findings, such as
    "duplicates", whose pictures are left out, and those like the pictures of `unlike` are too; what
    is left out is kept in `out/quarantine`. `label_columns`, such as "style=folders",
    "artist=prefix" and "era=column:era", keep several labels of each picture, of which a recipe
    chooses one. With `stroke_channels` drawings have three channels: ink, the order of the strokes
    and the progress of the pen. `report` hears (stage, items done, items in all). Called again
    after it was stopped, it goes on. Raises DatasetError with one sentence, leaving nothing
    half-written.
    """
    reading = reading or Reading()
    choices = Choices(
        fit=fit,
        colour=colour,
        labels=labels,
        label_table=None if label_table is None else read_label_table(str(label_table)),
        label_columns=parse_label_columns(label_columns),
        holdout=holdout,
        keep_bars=keep_bars,
        stroke_channels=stroke_channels,
        drop=tuple(drop),
        reading=reading,
        checking=_checking(unlike, features, family, reading, workers),
    )
    return build(
        [str(source) for source in sources],
        Path(out),
        parse_size(str(size)),
        choices,
        workers=workers,
        report=report,
    )


def _checking(
    unlike: Sequence[str | Path],
    features: str | Path | None,
    family: str | None,
    reading: Reading,
    workers: int | None,
) -> Checking:
    if features is not None and not unlike:
        raise DatasetError("features serve `unlike` alone: give examples of what is not wanted too")
    names = [str(source) for source in unlike]
    shown = examples(names, reading, workers or default_workers()) if names else ()
    return Checking(None if features is None else Path(features), family, shown)


def reading(
    shape: str | None = None,
    image_feature: str | None = None,
    label_feature: str | None = None,
    frames_per_second: float = 1.0,
    min_change: float = 0.02,
) -> Reading:
    """How sources are read; `shape` is "28x28" or "28x28x3". DatasetError for another shape."""
    return Reading(
        shape=None if shape is None else parse_shape(shape),
        image_feature=image_feature,
        label_feature=label_feature,
        frames_per_second=frames_per_second,
        min_change=min_change,
    )
