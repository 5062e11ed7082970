"""Which pictures of a survey are copies of each other, exactly or nearly.

Near copies are found by perceptual hashes (`hamming.py`) and confirmed by laying the pictures upon
each other (`likeness.py`). What is a near copy of a near copy belongs to the same group.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from maquette.data.findings.finding import Survey
from maquette.data.findings.hamming import near_pairs
from maquette.data.findings.likeness import Likeness
from maquette.data.joining import Joined
from maquette.data.pictures.looking import Facts

ALIKE = 0.77  # of Likeness; chosen by looking at pairs of 12,000 photos and paintings
DRAWINGS_ALIKE = 0.95  # two drawings of one thing are alike without being copies
LEAST_PX = 32  # shorter side; smaller pictures show too little to tell copies from look-alikes
_AT_ONCE = 256  # pairs compared
_MOST_COMPARED = 50_000  # pairs; the nearest by hash come first


@dataclass(frozen=True)
class Groups:
    """Indices of pictures, sorted, at least two in each group."""

    exact: list[list[int]]  # the same bytes, or the same pixels stored in another way
    near: list[list[int]]  # at least two that are not exact copies, and all exact copies of them

    @property
    def all(self) -> list[list[int]]:
        """No picture is in two of them."""
        in_near = {index for group in self.near for index in group}
        return self.near + [group for group in self.exact if group[0] not in in_near]


def groups_of(survey: Survey) -> Groups:
    joined = Joined(len(survey.pictures))
    for one, other in _exact_pairs(survey):
        joined.join(one, other)
    exact = joined.groups()
    different = [group[0] for group in exact]
    in_exact = {index for group in exact for index in group}
    different += [i for i, p in enumerate(survey.pictures) if p.facts and i not in in_exact]
    copied = list(_join_near(survey, sorted(different), joined))
    roots = {joined.root(index) for index in copied}  # known only when all are joined
    return Groups(exact, [group for group in joined.groups() if joined.root(group[0]) in roots])


def _exact_pairs(survey: Survey) -> Iterator[tuple[int, int]]:
    """The same bytes; or all measurements and the thumbnail the same, so the pixels are too."""
    readable = [(index, p.facts) for index, p in enumerate(survey.pictures) if p.facts]
    yield from _same([(facts.sha256, index) for index, facts in readable])
    firsts = {facts.sha256: (index, facts) for index, facts in reversed(readable)}
    for measured in _runs([(_measured(facts), index) for index, facts in firsts.values()]):
        yield from _same([(survey.thumbnails.jpeg(index), index) for index in measured])


def _measured(facts: Facts) -> tuple[float, ...]:
    size = facts.height, facts.width
    return *size, facts.hash, facts.brightness, facts.contrast, facts.sharpness


def _runs(keyed: Iterable[tuple[Hashable, int]]) -> Iterator[list[int]]:
    """Indices with the same key, where there are several."""
    members: dict[Hashable, list[int]] = {}
    for key, index in keyed:
        members.setdefault(key, []).append(index)
    return (indices for indices in members.values() if len(indices) > 1)


def _same(keyed: Iterable[tuple[Hashable, int]]) -> Iterator[tuple[int, int]]:
    for first, *others in _runs(keyed):
        yield from ((first, other) for other in others)


def _join_near(survey: Survey, pictures: list[int], joined: Joined) -> Iterator[int]:
    """Joins near copies among these, and gives one picture of each pair that was joined."""
    likeness = Likeness(survey)
    pairs, mirrored = _candidates(survey, pictures)
    compared = 0
    for start in range(0, len(pairs), _AT_ONCE):
        chunk = pairs[start : start + _AT_ONCE]
        new = np.array([joined.root(one) != joined.root(other) for one, other in chunk.tolist()])
        if not new.any():
            continue
        chunk = chunk[new]
        alike = likeness.of(chunk, mirrored[start : start + _AT_ONCE][new])
        for (one, other), score in zip(chunk.tolist(), alike.tolist(), strict=True):
            if score >= _needed(survey, one):
                joined.join(one, other)
                yield one
        compared += len(chunk)
        if compared > _MOST_COMPARED:
            return


def _needed(survey: Survey, picture: int) -> float:
    facts = survey.pictures[picture].facts
    return DRAWINGS_ALIKE if facts and facts.kind == "drawing" else ALIKE


def _candidates(
    survey: Survey, pictures: list[int]
) -> tuple[Int64[np.ndarray, "pairs 2"], np.ndarray]:
    """Pairs with similar hashes, the nearest first, and whether the second is to be mirrored."""
    fit = [
        (index, facts.hash, facts.mirrored_hash)
        for index in pictures
        # A hash of 0 says that there is too little structure to compare.
        if (facts := survey.pictures[index].facts) and facts.hash and _sides(facts) >= LEAST_PX
    ]
    indices = np.array([index for index, _, _ in fit], np.int64)
    hashes = np.array([own for _, own, _ in fit], np.uint64)
    mirrors = np.array([mirrored for _, _, mirrored in fit], np.uint64)
    found = [near_pairs(hashes, hashes), near_pairs(mirrors, hashes)]
    pairs = np.concatenate(found)
    mirrored = np.repeat([False, True], [len(some) for some in found])
    seconds = np.where(mirrored, mirrors[pairs[:, 1]], hashes[pairs[:, 1]])
    order = np.argsort(np.bitwise_count(hashes[pairs[:, 0]] ^ seconds), kind="stable")
    return indices[pairs[order]], mirrored[order]


def _sides(facts: Facts) -> int:
    return min(facts.height, facts.width)
