"""What a person sees of building a dataset."""

from collections import Counter

from rich.markup import escape

from maquette.cli.console import console, counting
from maquette.data.building.build import Colour
from maquette.data.building.labelling import Labels
from maquette.data.pictures.preparation import Fit
from maquette.workflows.datasets import build_dataset


def show(
    sources: list[str],
    out: str,
    size: str,
    fit: Fit,
    colour: Colour,
    labels: Labels,
    holdout: float,
) -> None:
    with counting("building", "pictures") as report:
        summary = build_dataset(
            sources,
            out,
            size,
            fit=fit,
            colour=colour,
            labels=labels,
            holdout=holdout,
            report=report,
        )
    counts = summary.counts
    console.print(
        f"[bold]{escape(str(summary.folder))}[/]: {counts['train']:,} pictures to learn from, "
        f"{counts['holdout']:,} kept aside, {summary.spec}"
    )
    for reason, count in Counter(summary.findings.values()).most_common(5):
        console.print(f"  left out {count:,}: {escape(reason)}")
    if summary.findings:
        console.print(f"  each is named in {escape(str(summary.folder / 'items.jsonl'))}")
    console.print(f"next: maquette train gan --data {escape(str(summary.folder))}")
