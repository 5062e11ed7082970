"""What a person sees of building a dataset."""

from collections import Counter
from collections.abc import Sequence

from rich.markup import escape

from maquette.cli.console import console, counting_stages, errors
from maquette.cli.findings_table import findings_table
from maquette.data.building.choices import BuildSummary, Colour, Labels
from maquette.data.pictures.preparation import Fit
from maquette.data.sources.source import Reading
from maquette.workflows.datasets import build_dataset


def show(
    sources: list[str],
    out: str,
    size: str,
    *,
    fit: Fit,
    colour: Colour,
    labels: Labels,
    label_table: str | None,
    holdout: float,
    drop: Sequence[str],
    keep_bars: bool,
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
                holdout=holdout,
                drop=drop,
                keep_bars=keep_bars,
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
        f"[bold]{escape(str(summary.folder))}[/]: {counts['train']:,} pictures to learn from, "
        f"{counts['holdout']:,} kept aside, {summary.spec}"
    )
    for reason, count in Counter(summary.left_out.values()).most_common(5):
        console.print(f"  left out {count:,}: {escape(reason)}")
    if summary.left_out:
        console.print(f"  each is in {escape(str(summary.folder / 'quarantine'))}")
    console.print(f"next: maquette train gan --data {escape(str(summary.folder))}")
