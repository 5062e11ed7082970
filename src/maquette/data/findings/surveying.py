"""All checks of one survey, in the order in which they are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.findings.colours import Colours
from maquette.data.findings.faults import Faults
from maquette.data.findings.features import open_describer
from maquette.data.findings.finding import Check, Finding, Kind, Survey
from maquette.data.findings.numbers import Numbers
from maquette.data.findings.outliers import Outliers
from maquette.data.findings.overlays import Overlays
from maquette.data.findings.shapes import Shapes
from maquette.data.findings.tones import Tones
from maquette.data.findings.tones_and_edges import TonesAndEdges
from maquette.data.findings.twins import Twins
from maquette.data.findings.unlike import Unlike
from maquette.data.pictures.content import Raster

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Checking:
    """What a person may say about checks."""

    features: Path | None = None  # weights of the network that sees likeness; None: none is needed
    family: str | None = None  # the kind of model planned
    unlike: tuple[Raster, ...] = ()  # thumbnails of pictures whose like is to be left out

    def checks(self, drop: Sequence[str] | None = None) -> list[Check]:
        """All there are; or those that take no time, and those that what is dropped asks for."""
        checks: list[Check] = [Faults(), Twins(), Shapes(), Tones(), Colours()]
        checks.append(Numbers(self.family))
        searching: list[Check] = [Overlays(), Outliers(TonesAndEdges())]
        for check in searching:
            if drop is None or any(kind.name in drop for kind in check.kinds):
                checks.append(check)
        if self.unlike:
            checks.append(Unlike(open_describer(self.features), self.unlike))
        return checks


def find(
    survey: Survey, checks: Sequence[Check], report: Callable[[int, int], None]
) -> list[Finding]:
    """Every finding, the gravest first; `report` hears of (checks done, checks in all)."""
    found: list[Finding] = []
    for number, check in enumerate(checks):
        report(number, len(checks))
        found.extend(check.findings(survey))
    report(len(checks), len(checks))
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.kind.severity))


def known_kinds() -> dict[str, Kind]:
    """Every kind of finding there is, by name."""
    classes: Sequence[type[Check]] = (
        Faults,
        Twins,
        Shapes,
        Tones,
        Colours,
        Overlays,
        Outliers,
        Unlike,
        Numbers,
    )
    return {kind.name: kind for check in classes for kind in check.kinds}


def check_drops(names: Sequence[str]) -> None:
    """DatasetError for a name that --drop does not take."""
    droppable = [kind.name for kind in known_kinds().values() if kind.droppable]
    for name in names:
        if name not in droppable:
            raise DatasetError(unknown_name("kind of finding to drop", name, droppable))
