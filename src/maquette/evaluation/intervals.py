"""Intervals of uncertainty."""

import math


def wilson_interval(
    successes: int, count: int, deviations: float = 1.959964
) -> tuple[float, float]:
    """Where the true share lies, given `successes` of `count`; 95 % by default, within [0, 1].

    Wilson 1927: right also for small counts and shares near 0 or 1, where the usual
    share +- 2 sqrt(share (1 - share) / count) is not.
    """
    share, spread = successes / count, deviations**2 / count
    centre = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))
