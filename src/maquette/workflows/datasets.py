"""Turn pictures into a dataset folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

from maquette.data.building.build import BuildSummary, Colour, build
from maquette.data.building.labelling import Labels
from maquette.data.pictures.preparation import Fit
from maquette.data.sizes import parse_size


def build_dataset(
    sources: Sequence[str | Path],
    out: str | Path,
    size: str | int,
    *,
    fit: Fit = "cover",
    colour: Colour = "auto",
    labels: Labels = "auto",
    holdout: float = 0.1,
    report: Callable[[int, int | None], None] = lambda done, total: None,  # noqa: ARG005
) -> BuildSummary:
    """Build a dataset folder at `out` from folders, zips, idx, npy files or `builtin:digits`.

    `size` is "64" or "96x128" (height x width, pixels). `report` hears (items done, items in all).
    Raises DatasetError with one sentence, leaving nothing half-written.
    """
    return build(
        [str(source) for source in sources],
        Path(out),
        parse_size(str(size)),
        fit=fit,
        colour=colour,
        labels=labels,
        holdout=holdout,
        report=report,
    )
