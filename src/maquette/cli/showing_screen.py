"""What a person sees of a dataset."""

from rich import box
from rich.table import Table

from maquette.cli.console import console, printable
from maquette.cli.findings_table import STYLES
from maquette.workflows.showing import DatasetOverview, show_dataset

MOST_CLASSES = 40  # shown


def show(dataset: str, out: str | None) -> None:
    overview = show_dataset(dataset, out)
    manifest = overview.manifest
    counts, policy = manifest.counts, manifest.policy
    console.print(f"[bold]{printable(manifest.name)}[/]: {manifest.image_spec()}")
    console.print(
        f"{counts['train']:,} pictures to learn from, {counts['holdout']:,} kept aside, "
        f"{counts['skipped']:,} left out"
    )
    console.print(
        f"[dim]fit {policy.fit}, {policy.colour}, bars {policy.bars}"
        + (f", dropped: {', '.join(policy.dropped)}" if policy.dropped else "")
        + "[/]"
    )
    for column in manifest.columns:
        name = printable(column.name)
        console.print(f"label {name}: {len(column.classes):,} classes (--set data.label={name})")
    if overview.class_counts:
        console.print(_classes(overview))
    if overview.findings:
        console.print(_findings(overview))
    console.print(f"contact sheet: {printable(overview.sheet)}")


def _classes(overview: DatasetOverview) -> Table:
    most = max(overview.class_counts.values())
    table = Table("class", "pictures", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, count in list(overview.class_counts.items())[:MOST_CLASSES]:
        table.add_row(
            printable(name), f"{count:,}", "[cyan]" + "▇" * round(30 * count / most) + "[/]"
        )
    if len(overview.class_counts) > MOST_CLASSES:
        table.add_row("…", f"{len(overview.class_counts) - MOST_CLASSES} more classes", "")
    return table


def _findings(overview: DatasetOverview) -> Table:
    table = Table("finding", "pictures", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for finding in overview.findings:
        style = STYLES.get(finding["severity"], "default")
        name = f"[{style}]●[/] {printable(finding['kind'])}"
        count = f"{finding['count']:,}" if finding["count"] else "–"
        table.add_row(name, count, printable(finding["remark"]))
    return table
