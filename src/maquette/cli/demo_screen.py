"""What a person sees of the demo."""

from rich.table import Table

from maquette.cli.console import console, printable
from maquette.cli.training_screen import say_how_it_ended
from maquette.cli.watching import TrainingBar
from maquette.workflows.demo import DemoResult, demo


def show(out: str, overrides: list[str]) -> None:
    console.print(
        "[bold]Maquette[/] learns to write digits from 1,797 real ones. Ctrl-C stops it, the same "
        "command goes on."
    )
    with TrainingBar() as bar:
        result = demo(out, overrides=overrides, watchers=bar)
    flag = "" if out == "runs/demo" else f" --out {out}"
    say_how_it_ended(result.training, f"maquette demo{flag}")
    _show_measurements(result)
    folder = printable(result.training.run.folder)
    console.print(f"made: {folder}/samples.png (a row for each digit), {folder}/report.html")
    console.print(
        "\n[bold]Three things to try next[/]\n"
        f"  maquette generate {folder} --classes 3,7 -n 20 --out threes-and-sevens.png\n"
        "  maquette data build MY_PICTURES/ --out data/mine --size 64\n"
        "  maquette train gan --data data/mine --out runs/mine --hours 1"
    )


def _show_measurements(result: DemoResult) -> None:
    table = Table("measured", "value", "95 % / range", "floor", "ceiling", box=None)
    for m in result.measurements:
        between = "" if m.low is None or m.high is None else f"{m.low:.1%} … {m.high:.1%}"
        ends = ["" if end is None else f"{end:.1%}" for end in (m.floor, m.ceiling)]
        table.add_row(m.name, f"[bold]{m.value:.1%}[/]", between, *ends)
    console.print(table)
