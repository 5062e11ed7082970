"""What a measurement is: a number that says how sure it is and what it should be compared with."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from maquette.evaluation.evidence import Evidence


@dataclass(frozen=True)
class Measurement:
    """One number about one model, with what a reader needs to judge it.

    Which direction is better follows from the two reference points: from `floor` towards `ceiling`.
    `dataclasses.asdict` gives the form stored in evaluation.json.
    """

    name: str  # includes the feature net where there is one: "Fréchet distance (squeezenet1_1)"
    value: float
    low: float | None = None  # ends of the interval of uncertainty, `note` says which
    high: float | None = None
    count: int | None = None  # generated pictures measured
    floor: float | None = None  # the same number for doing nothing: noise, untranslated pictures
    ceiling: float | None = None  # the same number for real pictures against other real pictures
    note: str = ""  # a sentence a reader must know: kind of interval, small numbers, other pitfalls
    features: str = ""  # network, hash of its weights, and resizer


class Metric(ABC):
    """A kind of measurement, for models with one capability."""

    name: ClassVar[str]  # what --metrics takes
    needs: ClassVar[type]  # the capability: a subclass of Family

    @abstractmethod
    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        """Nothing where the evidence does not suffice, such as classes where there are none."""
