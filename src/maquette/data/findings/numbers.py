"""Findings about how many pictures there are: too few for what is planned, classes out of balance.

They are about the set as a whole, so no picture is marked.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.findings.finding import Check, Finding, Kind, Survey

MOST_TIMES = 4  # so many times the smallest class may the largest be
SMALLEST_CLASS = 20  # pictures
_NAMED = 3  # classes in a remark


@dataclass(frozen=True)
class Need:
    """How many pictures a family of models learns from; of a class where `each_class`."""

    least: int  # below this published methods fail or learn the pictures by heart
    good: int  # from here on they are known to work well
    each_class: bool = False


NEEDS = {
    # With augmentation: Zhao et al. 2020 (DiffAugment) and Liu et al. 2021 (FastGAN) learn from
    # 100 pictures, Karras et al. 2020 (ADA) well from 1,000 to 2,000.
    "gan": Need(100, 1000),
    # Tan et al. 2017 learn WikiArt genres of 1,000s of paintings each.
    "artgan": Need(100, 1000, each_class=True),
    # Somepalli et al. 2023: hundreds are repeated by heart, and less so the more there are.
    "diffusion": Need(500, 5000),
    # Zhu et al. 2017: 400 facades up to 1,334 zebras a domain.
    "cyclegan": Need(100, 400),
    "classifier": Need(20, 200, each_class=True),
}


class Numbers(Check):
    """Whether there are enough pictures, and about as many of each class."""

    kinds = (
        Kind(
            "too-few",
            "warning",
            "Too few pictures",
            "A model that sees few pictures repeats them instead of learning from them.",
            "goes on",
            droppable=False,
        ),
        Kind(
            "imbalance",
            "warning",
            "Classes out of balance",
            "A model neglects classes that it rarely sees.",
            "goes on",
            droppable=False,
        ),
    )

    def __init__(self, family: str | None = None):
        """`family`: the kind of model planned; DatasetError for one that is not known."""
        if family is not None and family not in NEEDS:
            raise DatasetError(unknown_name("family", family, list(NEEDS)))
        self._family = family

    def findings(self, survey: Survey) -> Iterable[Finding]:
        too_few, imbalance = self.kinds
        seen = [picture for picture in survey.pictures if picture.facts is not None]
        classes = Counter(picture.label for picture in seen if picture.label is not None)
        if remark := self._too_few(len(seen), classes):
            yield Finding(too_few, (), remark)
        if remark := _imbalance(classes):
            yield Finding(imbalance, (), remark)

    def _too_few(self, count: int, classes: Counter[str]) -> str:
        name = self._family or "gan"
        need = NEEDS[name]
        of, each = "1 picture" if count == 1 else f"{count:,} pictures", ""
        if need.each_class and classes:
            smallest, count = min(classes.items(), key=lambda item: (item[1], item[0]))
            of, each = f"{count:,} pictures of {smallest}", " of each class"
        if count >= need.good or (self._family is None and count >= need.least):
            return ""
        judged = "fewer than the least" if count < need.least else "enough to try"
        return (
            f"{of}, {judged}: {name} models begin at about {need.least:,} and do well from "
            f"{need.good:,}{each}"
        )


def _imbalance(classes: Counter[str]) -> str:
    if len(classes) < 2:
        return ""
    by_size = sorted(classes.items(), key=lambda item: (-item[1], item[0]))
    (largest, most), (_, fewest) = by_size[0], by_size[-1]
    if most < MOST_TIMES * fewest and (fewest >= SMALLEST_CLASS or most < SMALLEST_CLASS):
        return ""
    small = [item for item in by_size if MOST_TIMES * item[1] <= most or item[1] < SMALLEST_CLASS]
    named = ", ".join(f"{name} has {count:,}" for name, count in reversed(small[-_NAMED:]))
    more = f" and {len(small) - _NAMED:,} more classes have few" if len(small) > _NAMED else ""
    return f"{largest} has {most:,} pictures, {named}{more}"
