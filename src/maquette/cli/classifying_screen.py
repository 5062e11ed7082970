"""What a person sees of naming classes."""

from collections.abc import Sequence

from rich.table import Table

from maquette.cli.console import console, counting, printable
from maquette.workflows.classifying import Answer, classify, save_answers

MOST_ROWS = 40


def show(run: str, sources: list[str], top: int, out: str | None, device: str) -> None:
    with counting("classifying", "pictures") as report:
        answers = classify(run, sources, top=top, device=device, report=report)
    console.print(_table(answers))
    if len(answers) > MOST_ROWS:
        hint = "" if out else ": --out answers.csv writes all"
        console.print(f"… and {len(answers) - MOST_ROWS:,} more{hint}")
    known = [a for a in answers if a.told is not None and a.classes]
    if known:
        right = sum(a.told == a.classes[0] for a in known)
        console.print(f"{right:,} of {len(known):,} right, by the names they came with")
    if out is not None:
        console.print(f"{len(answers):,} answers: [bold]{printable(save_answers(answers, out))}[/]")


def _table(answers: Sequence[Answer]) -> Table:
    table = Table("picture", "class", box=None)
    table.add_column("sure", justify="right")
    table.add_column("or")
    for answer in answers[:MOST_ROWS]:
        if not answer.classes:
            table.add_row(printable(answer.source), f"[red]{printable(answer.fault)}[/]", "", "")
            continue
        pairs = list(zip(answer.classes, answer.probabilities, strict=True))
        others = ", ".join(f"{printable(name)} {sure:.0%}" for name, sure in pairs[1:])
        name, sure = pairs[0]
        dim = f"[dim]{others}[/]"
        table.add_row(printable(answer.source), f"[bold]{printable(name)}[/]", f"{sure:.1%}", dim)
    return table
