"""What a measurement is: a number that says how sure it is and what it should be compared with."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

Evidence = TypeVar("Evidence")  # what a metric looks at: see evidence.py


@dataclass(frozen=True)
class Measurement:
    """One number about one model, with what a reader needs to judge it.

    `dataclasses.asdict` gives the form stored in evaluation.json.
    """

    name: str  # includes the feature net where there is one: "Fréchet distance (squeezenet1_1)"
    value: float
    low: float | None = None  # ends of the interval of uncertainty, `note` says which
    high: float | None = None
    count: int | None = None  # pictures measured: generated, translated or answered
    floor: float | None = None  # the same number for doing nothing: noise, untranslated pictures
    ceiling: float | None = None  # the same number for real pictures, or for a faultless model
    note: str = ""  # a sentence a reader must know: kind of interval, small numbers, other pitfalls
    features: str = ""  # network, hash of its weights, and resizer
    lower_is_better: bool | None = None  # None where it follows from floor and ceiling

    @property
    def better_is_lower(self) -> bool | None:
        """Which direction is better: as it says, else from floor towards ceiling; None if neither.

        A metric should say so: with few pictures chance may put the floor on the wrong side.
        """
        if self.lower_is_better is not None:
            return self.lower_is_better
        if self.floor is None or self.ceiling is None or self.floor == self.ceiling:
            return None
        return self.ceiling < self.floor


class Metric(ABC, Generic[Evidence]):
    """A kind of measurement, for models with one capability."""

    name: str  # what --metrics takes; metrics of different capabilities may share it
    needs: ClassVar[type]  # the capability: a subclass of Family

    @abstractmethod
    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        """Nothing where the evidence does not suffice, such as classes where there are none."""
