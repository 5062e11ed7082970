"""Put finished runs side by side: their numbers, curves, pictures and what was set differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette.core.errors import RunError
from maquette.core.family import Classifies, Generates, Translates
from maquette.families import family_class
from maquette.runs.comparison import Compared, Table, tables
from maquette.runs.comparison_page import write_comparison
from maquette.runs.evaluations import read_evaluation
from maquette.runs.folder import open_run
from maquette.runs.history import read_history
from maquette.workflows.judges.known import capability_of

_DOES: dict[type | None, str] = {
    Generates: "makes pictures",
    Translates: "translates pictures",
    Classifies: "names pictures",
}


@dataclass(frozen=True)
class Comparison:
    """What was found, and the page that shows it."""

    names: tuple[str, ...]  # of the runs, in the order of the cells of every row
    tables: tuple[Table, ...]  # one for each kind of checkpoint, what the runs serve first
    warnings: tuple[str, ...]
    page: Path


def compare(runs: Sequence[str | Path], out: str | Path = "compare.html") -> Comparison:
    """Compare runs by what `evaluate` measured of them; nothing is measured again.

    Numbers made in different ways (feature network, number of pictures, dataset) stand in rows of
    their own. Raises RunError, one sentence, for fewer than two runs, for one that was not
    evaluated, for runs that do different things, and for a page that cannot be written.
    """
    folders = [Path(run) for run in runs]
    if len({folder.resolve() for folder in folders}) < len(folders) or len(folders) < 2:
        raise RunError("comparing needs two runs or more, each named once")
    page = Path(out)
    if page.is_dir():
        raise RunError(f"{page} is a folder: name a file, for example {page / 'compare.html'}")
    compared = [
        _opened(folder, name) for folder, name in zip(folders, _names(folders), strict=True)
    ]
    _check_alike(compared)
    found, warnings = tables(compared), _warnings(compared)
    write_comparison(compared, found, warnings, page)
    return Comparison(tuple(run.name for run in compared), found, warnings, page)


def _opened(folder: Path, name: str) -> Compared:
    run = open_run(folder)
    stored = read_evaluation(folder)
    if not stored.columns:
        raise RunError(f"{folder} was not measured yet: `maquette evaluate {folder}`")
    lines = tuple(read_history(folder / "history.jsonl"))
    return Compared(name, run, stored.columns, lines, stored.measured_on)


def _check_alike(runs: Sequence[Compared]) -> None:
    """RunError where they cannot do the same, and so have no number in common."""
    kinds = [capability_of(family_class(run.run.recipe.family)) for run in runs]
    if len(set(kinds)) > 1:
        pairs = zip(runs, kinds, strict=True)
        told = ", ".join(f"{run.name} {_DOES.get(kind, 'does neither')}" for run, kind in pairs)
        raise RunError(f"these runs do different things ({told}): compare those that do the same")


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names, with as many of the folders around them as tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    raise AssertionError("different folders have different paths")


def _warnings(runs: Sequence[Compared]) -> tuple[str, ...]:
    """What a reader must know before looking at any number."""
    warnings = []
    if len({run.fingerprint for run in runs}) > 1:
        told = ", ".join(f"{run.name} from {run.dataset}" for run in runs)
        cannot = "their numbers and scores cannot be compared, and stand in rows of their own"
        if len({run.judged_by for run in runs}) == 1:
            cannot = "the numbers are all of the same pictures, but the scores cannot be compared"
        warnings.append(f"the runs learnt from different datasets ({told}): {cannot}")
    elif len({run.judged_by for run in runs}) > 1:
        told = ", ".join(f"{run.name} by {run.judged_by}" for run in runs)
        warnings.append(f"the runs were measured by different pictures ({told})")
    unfinished = [run.name for run in runs if run.run.state != "finished"]
    if unfinished:
        warnings.append(f"not finished: {', '.join(unfinished)}")
    kinds = {run.columns[0].name for run in runs}
    if len(kinds) > 1:
        warnings.append(
            "not every run was measured at the same kind of checkpoint: measure all of them with "
            "`maquette evaluate RUN --checkpoint all`"
        )
    return tuple(warnings)
