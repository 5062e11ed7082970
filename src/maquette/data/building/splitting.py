"""Which pictures are kept away from training.

The side is a function of what a picture is: those that belong together (duplicates, near
duplicates, a film's scene) share it, and pictures keep their side when others are added.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from maquette.data.joining import Joined

HOLDOUT_NEEDS = 10  # pictures: from here on at least one is held out
LARGEST_SHARE = 2.0  # of what was asked for: groups that would hold out more stay with training


def together(hashes: Sequence[str], *groupings: Sequence[Hashable | None]) -> list[str]:
    """A key for each picture, the same for those that share a hash or a group of any grouping.

    A grouping names each picture's group, None for pictures on their own. Groups that share a
    picture are one.
    """
    joined = Joined(len(hashes))
    for grouping in (hashes, *groupings):
        first: dict[Hashable, int] = {}
        for index, group in enumerate(grouping):
            if group is not None:
                joined.join(index, first.setdefault(group, index))
    keys: dict[int, str] = {}
    for index, sha in enumerate(hashes):
        keys[joined.root(index)] = min(keys.get(joined.root(index), sha), sha)
    return [keys[joined.root(index)] for index in range(len(hashes))]


def holdout_mask(
    keys: Sequence[str],
    share: float,
    seed: int,
    columns: Sequence[Sequence[str | None]] = (),
) -> list[bool]:
    """Whether each picture, given by the key of its group, is held out; about `share` of them are.

    Neither side is left empty where that can be helped: training never is. `columns` are the
    classes of the pictures, once for each kind of label: a class of which all would be held out
    leaves one group to training, the same one until training gets others of it.
    """
    sizes = Counter(keys)
    most = max(LARGEST_SHARE * share * len(keys), 1)
    drawn = {key: _drawn(key, seed) for key in sizes}
    held = {key for key in drawn if drawn[key] < share and sizes[key] <= most}
    order = sorted(drawn, key=lambda key: (max(sizes[key], most), drawn[key]))
    if share > 0 and not held and len(keys) >= HOLDOUT_NEEDS:
        if len(sizes) == 1:
            return _last(len(keys), share)
        held = {order[0]}
    if len(held) == len(drawn):
        held.discard(max(drawn, key=lambda key: drawn[key]))
    groups = [_groups_of_classes(keys, classes) for classes in columns]
    held = _leaving_classes(held, groups, drawn, [key for key in order if sizes[key] <= most])
    return [key in held for key in keys]


def _groups_of_classes(keys: Sequence[str], classes: Sequence[str | None]) -> list[set[str]]:
    """The groups with pictures of a class, class by class."""
    groups: dict[str, set[str]] = {}
    for key, name in zip(keys, classes, strict=True):
        if name is not None:
            groups.setdefault(name, set()).add(key)
    return [groups[name] for name in sorted(groups)]


def _leaving_classes(
    held: set[str],
    columns: Sequence[list[set[str]]],
    drawn: Mapping[str, float],
    instead: Sequence[str],
) -> set[str]:
    """As much of what is held out as leaves training a group of every class of every column.

    Where that is nothing, the first of `instead` that is no class's only group is held out. Where
    there is none, as with the titles of paintings, the column does without, and no other column.
    """
    heeded: list[set[str]] = []
    for column in columns if held else ():
        classes, left = [*heeded, *column], set(held)
        for groups in classes:
            if groups <= left:
                left.remove(max(groups, key=lambda key: drawn[key]))
        alone = {key for groups in classes if len(groups) == 1 for key in groups}
        if left := left or set([key for key in instead if key not in alone][:1]):
            held, heeded = left, classes
    return held


def _last(count: int, share: float) -> list[bool]:
    """Everything belongs together, as in one long scene: a single cut leaks least."""
    cut = count - max(1, round(share * count))
    return [index >= cut for index in range(count)]


def _drawn(key: str, seed: int) -> float:
    """A number in [0, 1) that this key keeps for ever."""
    digest = hashlib.sha256(f"holdout/{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
