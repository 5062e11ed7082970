"""Pictures that are there more than once: exact copies, near copies, and copies across splits."""

import re
from collections.abc import Iterable, Iterator

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.findings.grouping import Groups, groups_of
from maquette.data.pictures.content import Box

_KEPT = "kept, all copies on one side of the split"
# Folders that are a user's own splits, from the one trained on to the one that must stay unseen:
# "train", "trainA" and "testA" (CycleGAN), "val2017" (COCO), "test_images".
_SPLITS = tuple(
    re.compile(
        rf"(?:images?[-_ ])?(?:{names})(?:[-_ ]?(?:images?|imgs?|set|data|[ab]|[0-9]+))?",
        re.IGNORECASE,
    )
    for names in (
        "train|training|trn",
        "val|valid|validation|dev",
        "test|testing|eval|evaluation|hold-?out",
    )
)


class Twins(Check):
    """One picture of every group is the one that stays when the others are dropped."""

    kinds = (
        Kind(
            "leakage",
            "error",
            "Copies across splits",
            "The same picture, exactly or nearly, is in a folder for training and in one for "
            "testing, so a test would look better than it is.",
            f"{_KEPT}; if dropped, those for training go",
        ),
        Kind(
            "duplicates",
            "warning",
            "Exact copies",
            "The same picture is there several times, so a model sees it more often than others.",
            f"{_KEPT}; if dropped, the first stays",
        ),
        Kind(
            "near-duplicates",
            "warning",
            "Near copies",
            "These pictures differ only in size, compression, light, cut or by mirroring, so a "
            "model may learn them by heart.",
            f"{_KEPT}; if dropped, the largest stays",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        leakage, duplicates, near = self.kinds
        groups = groups_of(survey)
        for kind, marks in (
            (leakage, _leaks(survey, groups)),
            (duplicates, _copies(survey, groups)),
            (near, _near_copies(survey, groups)),
        ):
            found = tuple(sorted(marks, key=lambda mark: mark.picture))
            if found:
                yield Finding(kind, found)


def _copies(survey: Survey, groups: Groups) -> Iterator[Mark]:
    for number, (first, *others) in enumerate(groups.exact):
        yield Mark(first, f"the first of {1 + len(others)}", number, spare=True)
        yield from (Mark(other, f"same as {_name(survey, first)}", number) for other in others)


def _near_copies(survey: Survey, groups: Groups) -> Iterator[Mark]:
    for number, group in enumerate(groups.near):
        largest = max(group, key=lambda index: (_area(survey, index), -index))
        yield Mark(largest, f"the largest of {len(group)}", number, spare=True)
        for index in group:
            if index != largest:
                yield Mark(index, f"like {_name(survey, largest)}", number)


def _leaks(survey: Survey, groups: Groups) -> Iterator[Mark]:
    for number, group in enumerate(groups.all):
        splits = {index: split for index in group if (split := _split(survey, index)) is not None}
        if len(set(splits.values())) < 2:
            continue
        last = max(splits.values())
        for index, split in splits.items():
            other = next(i for i in splits if splits[i] != split)
            detail = f"also {survey.pictures[other].source}"
            yield Mark(index, detail, number, spare=split == last)


def _split(survey: Survey, index: int) -> int | None:
    """Which of a user's own splits a picture lies in, by the innermost folder that names one."""
    *folders, _ = re.split("[/!]", survey.pictures[index].source)
    for folder in reversed(folders):
        for split, pattern in enumerate(_SPLITS):
            if pattern.fullmatch(folder):
                return split
    return None


def _name(survey: Survey, index: int) -> str:
    return survey.pictures[index].source.rpartition("/")[2]


def _area(survey: Survey, index: int) -> int:
    """Without bars, pixels."""
    facts = survey.pictures[index].facts
    if facts is None:
        return 0
    box = facts.box or Box(0, 0, facts.width, facts.height)
    return (box.right - box.left) * (box.bottom - box.top)
