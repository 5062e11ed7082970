"""What a person sees of exporting."""

from maquette.cli.console import console, counting_stages, printable
from maquette.workflows.exporting import Form, export
from maquette.workflows.exporting_files import Exported


def show(
    run: str, out: str, to: Form, single_file: bool, class_name: str | None, runtime: str | None
) -> None:
    with counting_stages("") as report:
        made = export(
            run,
            out,
            to,
            single=single_file,
            class_name=class_name,
            runtime_folder=runtime,
            report=report,
        )
    console.print(f"{_what(made)}: [bold]{printable(made.place)}[/]")
    for words in made.left_behind:
        console.print(f"[yellow]![/] {words}")
    if to == "web" and not single_file:
        console.print(f"try it: python -m http.server --directory {printable(made.place)}")


def _what(made: Exported) -> str:
    count, size = len(made.files), sum(made.files.values()) / 1e6
    return f"{count} file{'s' if count > 1 else ''}, {size:.1f} MB"
