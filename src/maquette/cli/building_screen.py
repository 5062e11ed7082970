"""What a person sees of building a dataset."""

from collections.abc import Sequence

from maquette.cli.console import console, counting_stages, errors, printable
from maquette.cli.findings_table import findings_table
from maquette.data.building.choices import BuildSummary, Colour, Labels
from maquette.data.building.label_columns import ColumnSummary
from maquette.data.building.label_table import UselessRows
from maquette.data.manifest import read_manifest
from maquette.data.pictures.preparation import Fit
from maquette.data.sources.source import Reading
from maquette.workflows.datasets import build_dataset

TWO_DOMAINS = 2  # classes: between two, a translator can go
SMALL_PX = 96  # up to here recipes for a laptop are named


def show(
    sources: list[str],
    out: str,
    size: str,
    *,
    fit: Fit,
    colour: Colour,
    labels: Labels,
    label_table: str | None,
    label_columns: Sequence[str],
    holdout: float,
    drop: Sequence[str],
    keep_bars: bool,
    stroke_channels: bool,
    unlike: Sequence[str],
    features: str | None,
    family: str | None,
    reading: Reading,
    workers: int | None,
) -> None:
    try:
        with counting_stages("items") as report:
            summary = build_dataset(
                sources,
                out,
                size,
                fit=fit,
                colour=colour,
                labels=labels,
                label_table=label_table,
                label_columns=label_columns,
                holdout=holdout,
                drop=drop,
                keep_bars=keep_bars,
                stroke_channels=stroke_channels,
                unlike=unlike,
                features=features,
                family=family,
                reading=reading,
                workers=workers,
                report=report,
            )
    except KeyboardInterrupt:
        errors.print("stopped: the same command goes on from here")
        raise
    _tell(summary)


def _tell(summary: BuildSummary) -> None:
    if summary.resumed:
        console.print(f"went on after {summary.resumed:,} items that had been looked at before")
    if summary.findings:
        console.print(findings_table(summary.findings))
    counts = summary.counts
    console.print(
        f"[bold]{printable(summary.folder)}[/]: {counts['train']:,} pictures to learn from, "
        f"{counts['holdout']:,} kept aside, {summary.spec}"
    )
    for column in summary.columns:
        console.print(f"  {_described(column)}")
    if said := _useless(summary.rows):
        console.print(f"  table of labels: {'; '.join(said)}")
    for kind, count in summary.reasons.items():
        console.print(f"  left out {count:,}: {kind}")
    if summary.reasons:
        console.print(f"  why each: {printable(summary.folder / 'quarantine' / 'reasons.csv')}")
    recipe = "drawings" if _are_drawings(summary) else "gan"
    console.print(f"next: maquette train {recipe} --data {printable(summary.folder)}")
    if len(summary.spec.classes) == TWO_DOMAINS and recipe == "gan":
        between = printable(" and ".join(summary.spec.classes))
        small = max(summary.spec.height, summary.spec.width) <= SMALL_PX
        translator = "horse2zebra-small" if small else "horse2zebra"
        console.print(
            f"or, to translate between {between}: "
            f"maquette train {translator} --data {printable(summary.folder)}"
        )


def _described(column: ColumnSummary) -> str:
    """A label column in a line, with what may be wrong with it."""
    name, fewest = column.smallest
    said = [
        f"label {column.name}: {column.classes:,} classes, fewest of {printable(name)} ({fewest:,})"
    ]
    if column.unlabelled:
        said.append(f"{column.unlabelled:,} pictures without one")
    return "; ".join([*said, *_useless(column.rows)])


def _useless(rows: UselessRows | None) -> list[str]:
    """What did not fit in a table of labels."""
    said: list[str] = []
    if rows and rows.unmatched:
        example = printable(rows.unmatched[0])
        said.append(f"rows that name no picture here: {len(rows.unmatched):,} (first: {example})")
    if rows and rows.contradicted:
        example = printable(rows.contradicted[0])
        said.append(
            "pictures without a label because rows contradict each other: "
            f"{len(rows.contradicted):,} (first: {example})"
        )
    return said


def _are_drawings(summary: BuildSummary) -> bool:
    """Strokes of several classes: to be told apart, rather than made."""
    kept = read_manifest(summary.folder)[0].strokes is not None
    return kept and len(summary.spec.classes) > 1
