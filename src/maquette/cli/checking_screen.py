"""What a person sees of a check."""

from collections.abc import Sequence

from maquette.cli.console import console, counting_stages, printable
from maquette.cli.findings_table import findings_table
from maquette.data.building.choices import Labels
from maquette.data.sources.source import Reading
from maquette.workflows.datasets import check_pictures


def show(
    sources: list[str],
    *,
    out: str | None,
    size: str | None,
    family: str | None,
    unlike: Sequence[str],
    features: str | None,
    labels: Labels,
    label_table: str | None,
    label_columns: Sequence[str],
    reading: Reading,
    workers: int | None,
) -> None:
    with counting_stages("items") as report:
        summary = check_pictures(
            sources,
            out=out,
            size=size,
            family=family,
            unlike=unlike,
            features=features,
            labels=labels,
            label_table=label_table,
            label_columns=label_columns,
            reading=reading,
            workers=workers,
            report=report,
        )
    if summary.findings:
        console.print(findings_table(summary.findings))
    console.print(f"{summary.readable:,} of {summary.items:,} items are pictures that can be read")
    if not summary.findings:
        console.print("nothing was found to be wrong with them")
    if summary.page is not None:
        console.print(f"look: {printable(summary.page)}")
    elif summary.findings:
        console.print("to look at the pictures: the same command with --out findings")
