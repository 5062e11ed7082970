"""How far training came, and how fast, from the lines of a history."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any


def timings(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How far training came, how long it took, and how fast it was where it went ahead."""
    clocks = [
        (line["step"], line["images"], line["seconds"]) for line in lines if "seconds" in line
    ]
    if not clocks:
        return {}
    totals = {"steps": clocks[-1][0], "images": clocks[-1][1], "seconds": max(c[2] for c in clocks)}
    steps = images = seconds = 0.0
    for before, after in pairwise(clocks):
        if after[0] > before[0]:
            steps += after[0] - before[0]
            images += after[1] - before[1]
            seconds += after[2] - before[2]
    if seconds > 0:
        totals |= {"images_a_second": images / seconds, "steps_a_second": steps / seconds}
    return totals


def moment_of(lines: Sequence[Mapping[str, Any]], step: int | None, clock: str) -> float | None:
    """What a clock ("images", "seconds") said at a step, the last time it was taken."""
    return next((line[clock] for line in reversed(lines) if line.get("step") == step), None)
