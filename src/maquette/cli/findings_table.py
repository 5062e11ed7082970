"""Findings as a table in a terminal."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from maquette.cli.console import printable
from maquette.data.findings.finding import Finding

STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}


def findings_table(findings: Iterable[Finding]) -> Table:
    """What was found, how often, and what a build does about it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("finding", no_wrap=True)
    table.add_column("pictures", justify="right")
    table.add_column("what it is")
    table.add_column("in a build")
    for finding in findings:
        kind, remark = finding.kind, printable(finding.remark)
        count = f"{len(finding.marks):,}" if finding.marks else "–"
        words = f"{kind.title}: {remark}" if remark else kind.title
        table.add_row(f"[{STYLES[kind.severity]}]●[/] {kind.name}", count, words, kind.action)
    return table
