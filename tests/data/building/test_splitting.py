"""The split and the classes: none is held out as a whole, and nothing else changes."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from maquette.data.building.splitting import holdout_mask

Classes = Sequence[str | None]


def shas(count: int) -> list[str]:
    return [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(count)]


def vanished(held: Sequence[bool], classes: Classes) -> set[str | None]:
    """Classes of which nothing is left to learn from."""
    learnt = {name for name, away in zip(classes, held, strict=True) if not away}
    return set(classes) - learnt - {None}


def test_a_small_class_keeps_one_group_to_learn_from() -> None:
    keys, classes = shas(1500), [f"c{n % 500}" for n in range(1500)]
    before, held = holdout_mask(keys, 0.3, 0), holdout_mask(keys, 0.3, 0, [classes])
    gone = vanished(before, classes)
    assert gone and not vanished(held, classes)
    changed = [name for name, a, b in zip(classes, before, held, strict=True) if a != b]
    assert Counter(changed) == Counter(gone)  # one picture of each that would have vanished


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc") | st.none()), min_size=10),
    st.floats(0.01, 0.5),
)
def test_where_no_class_would_vanish_the_split_is_that_without_classes(
    pictures: list[tuple[int, str | None]], share: float
) -> None:
    keys, classes = [shas(41)[key] for key, _ in pictures], [name for _, name in pictures]
    before = holdout_mask(keys, share, 0)
    held = holdout_mask(keys, share, 0, [classes])
    assert any(held) == any(before) and not all(held)
    if not vanished(before, classes):
        assert held == before
    sides = dict(zip(keys, held, strict=True))
    if len(sides) > 1:
        assert [sides[key] for key in keys] == held  # groups stay whole


@given(st.integers(0, 30), st.integers(1, 40))
def test_more_of_other_classes_move_nothing(seed: int, more: int) -> None:
    keys = shas(60 + more)
    classes = [f"c{n % 20}" for n in range(60)] + ["new"] * more
    few = holdout_mask(keys[:60], 0.4, seed, [classes[:60]])
    assert holdout_mask(keys, 0.4, seed, [classes])[:60] == few


def test_every_column_is_heeded() -> None:
    keys = shas(300)
    styles, artists = [f"s{n % 5}" for n in range(300)], [f"a{n // 3}" for n in range(300)]
    unknown: Classes = [name if n % 3 else None for n, name in enumerate(artists)]
    assert vanished(holdout_mask(keys, 0.3, 0), unknown)
    held = holdout_mask(keys, 0.3, 0, [styles, unknown])
    assert not vanished(held, unknown) and not vanished(held, styles)
    assert any(held)


def test_titles_take_nothing_from_the_holdout_or_from_other_columns() -> None:
    """Every picture is the only one with its title, so one of them has to be held out."""
    keys = shas(300)
    artists = [f"a{n // 2}" for n in range(300)]
    by_artist = holdout_mask(keys, 0.3, 0, [artists])
    assert by_artist != holdout_mask(keys, 0.3, 0)
    assert holdout_mask(keys, 0.3, 0, [keys, artists]) == by_artist
    assert holdout_mask(keys, 0.3, 0, [artists, keys]) == by_artist


def test_another_picture_is_held_out_instead_of_the_only_one_of_a_class() -> None:
    """Of ten pictures one is held out, whichever of them is alone in its class."""
    for alone in range(10):
        classes = ["b" if n == alone else "a" for n in range(10)]
        held = holdout_mask(shas(10), 0.02, 0, [classes])
        assert sum(held) == 1 and not held[alone]


def test_nothing_is_held_out_where_nothing_is_asked_for() -> None:
    assert not any(holdout_mask(shas(30), 0, 0, [["a", "b", "c"] * 10]))
