"""What happens every so many steps: history, pictures, scores, progress bars.

Every step reseeds, so looking cannot disturb training: a watched run and an unwatched one are equal
bit for bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maquette.core.family import Family, Progress


@dataclass(frozen=True)
class Moment:
    """What a callback sees: training just after a step."""

    progress: Progress
    seconds: float  # trained so far
    values: Mapping[str, float]  # mean losses, notes, gradient norms and rates of the last 10 steps
    average: Family  # the weights to show, judge and serve
    is_last: bool
    scores: dict[str, float] = field(default_factory=dict)  # callbacks add; saved with the weights
    warnings: list[str] = field(default_factory=list)  # callbacks add; told to everyone
    news: list[tuple[str, str]] = field(default_factory=list)  # callbacks add: kind, message


class Callback(ABC):
    """Something that happens every so many steps, and at the end."""

    every_steps: int

    @abstractmethod
    def after_step(self, moment: Moment) -> None: ...

    def event(self, step: int, kind: str, message: str) -> None:  # noqa: B027
        """Something a person should know: "resumed", "rollback", "warning", "stopped early" …"""

    def mark(self) -> dict[str, Any]:
        """What to remember in a checkpoint so that `rewind` can return to this moment."""
        return {}

    def rewind(self, mark: Mapping[str, Any]) -> None:  # noqa: B027
        """Return to a mark: a killed run goes on from there."""
