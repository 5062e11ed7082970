"""Which pictures are kept away from training.

The side is a function of a picture's content: exact duplicates always share it, and pictures keep
their side when others are added.
"""

import hashlib
from collections.abc import Sequence

HOLDOUT_NEEDS = 10  # pictures: from here on at least one is held out


def holdout_mask(hashes: Sequence[str], share: float, seed: int) -> list[bool]:
    """Whether each picture, given by its sha256, is held out; about `share` of them are.

    Neither side is left empty where that can be helped: training never is.
    """
    drawn = {sha: _drawn(sha, seed) for sha in set(hashes)}
    held = {sha for sha, value in drawn.items() if value < share}
    if share > 0 and not held and len(hashes) >= HOLDOUT_NEEDS and len(drawn) > 1:
        held = {min(drawn, key=lambda sha: drawn[sha])}
    if len(held) == len(drawn):
        held.discard(max(drawn, key=lambda sha: drawn[sha]))
    return [sha in held for sha in hashes]


def _drawn(sha: str, seed: int) -> float:
    """A number in [0, 1) that this content keeps for ever."""
    digest = hashlib.sha256(f"holdout/{seed}/{sha}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
