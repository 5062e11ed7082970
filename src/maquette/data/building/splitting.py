"""Which pictures are kept away from training.

The side is a function of what a picture is: those that belong together (duplicates, near
duplicates, a film's scene) share it, and pictures keep their side when others are added.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence

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


def holdout_mask(keys: Sequence[str], share: float, seed: int) -> list[bool]:
    """Whether each picture, given by the key of its group, is held out; about `share` of them are.

    Neither side is left empty where that can be helped: training never is.
    """
    sizes = Counter(keys)
    most = max(LARGEST_SHARE * share * len(keys), 1)
    drawn = {key: _drawn(key, seed) for key in sizes}
    held = {key for key in drawn if drawn[key] < share and sizes[key] <= most}
    if share > 0 and not held and len(keys) >= HOLDOUT_NEEDS:
        if len(sizes) == 1:
            return _last(len(keys), share)
        held = {min(drawn, key=lambda key: (max(sizes[key], most), drawn[key]))}
    if len(held) == len(drawn):
        held.discard(max(drawn, key=lambda key: drawn[key]))
    return [key in held for key in keys]


def _last(count: int, share: float) -> list[bool]:
    """Everything belongs together, as in one long scene: a single cut leaks least."""
    cut = count - max(1, round(share * count))
    return [index >= cut for index in range(count)]


def _drawn(key: str, seed: int) -> float:
    """A number in [0, 1) that this key keeps for ever."""
    digest = hashlib.sha256(f"holdout/{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
