"""Numbers and times as pages and tables write them."""

from math import isfinite

from maquette.evaluation.metric import Measurement


def number(value: float | None) -> str:
    """Four digits that count, large numbers with separators, – for nothing."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """42 s, 3 min 20 s, 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def short_name(measurement: Measurement) -> str:
    """Without the feature network, for tables that name it elsewhere."""
    network = measurement.features.partition(", weights")[0]
    return measurement.name.removesuffix(f" ({network})")


def interval(measurement: Measurement) -> str:
    """ "0.925 to 0.954", – where there is none."""
    if measurement.low is None or measurement.high is None:
        return "–"
    return f"{number(measurement.low)} to {number(measurement.high)}"


def direction(measurement: Measurement) -> str:
    """Which way is better; nothing where nobody can say."""
    lower = measurement.better_is_lower
    return "" if lower is None else "lower is better" if lower else "higher is better"


def part(measurement: Measurement, value: float | None) -> float | None:
    """How far along from floor to ceiling a value of it is, in percent, within 0 and 100.

    None where there is no way: with few pictures chance may put the floor beyond the ceiling.
    """
    floor, ceiling = measurement.floor, measurement.ceiling
    if value is None or floor is None or ceiling is None or floor == ceiling:
        return None
    if measurement.better_is_lower != (ceiling < floor):
        return None
    share = (value - floor) / (ceiling - floor)
    return round(100 * min(1.0, max(0.0, share)), 2) if isfinite(share) else None
