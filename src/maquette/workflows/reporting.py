"""Draw the report of a run anew, whatever state the run is in."""

from pathlib import Path

from maquette.core.errors import RunError
from maquette.runs.report import write_report


def report(run: str | Path) -> Path:
    """Write report.html into a run folder from what lies in it now, and say where.

    Raises RunError, one sentence, for a folder that is no run or cannot be written.
    """
    folder = Path(run)
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}: `maquette runs` lists those there are")
    return write_report(folder)
