"""What a person sees of teaching."""

from pathlib import Path

from maquette.cli.console import console, counting, printable
from maquette.cli.training_screen import say_how_it_ended
from maquette.cli.watching import TrainingBar
from maquette.runs.folder import open_run
from maquette.workflows.teaching import prepare_lesson, taught, teach
from maquette.workflows.training import TrainingResult, train

MOST_FAULTS = 5


def show(run: str, sources: list[str], name: str, out: str, steps: int | None) -> None:
    before = open_run(run)
    if (Path(out) / "run.json").exists():  # stopped earlier
        with TrainingBar() as bar:
            result = train(out, watchers=bar)
    else:
        result = _begin(run, sources, name, out, steps)
    say_how_it_ended(result, f"maquette train {out}")
    if result.outcome == "interrupted":
        return
    found = taught(before, result.run, name)
    if found is None:
        console.print("no pictures were held out, so nothing tells how well it knows them")
        return
    console.print(
        f"other classes: {found.others_before:.1%} right before, {found.others_after:.1%} now"
    )
    if found.new is not None:
        console.print(
            f"{printable(name)}: {found.new:.0%} right of {found.count_new} held-out pictures"
        )


def _begin(run: str, sources: list[str], name: str, out: str, steps: int | None) -> TrainingResult:
    with counting("reading", "pictures") as report:
        lesson = prepare_lesson(run, sources, name, out, steps=steps, report=report)
    for why in lesson.unread[:MOST_FAULTS]:
        console.print(f"[yellow]left out:[/] {printable(why)}")
    if len(lesson.unread) > MOST_FAULTS:
        console.print(f"[yellow]left out:[/] {len(lesson.unread) - MOST_FAULTS} more")
    twice = f", {lesson.known} were there already" if lesson.known else ""
    console.print(f"{lesson.added} new pictures{twice}: {printable(lesson.dataset)}")
    with TrainingBar() as bar:
        return teach(lesson, out, watchers=bar)
