"""Where class names come from, and which side of the split a picture lies on."""

import hashlib

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import DatasetError
from maquette.data.building.labelling import class_names, labels_of
from maquette.data.building.records import Record
from maquette.data.building.splitting import holdout_mask, together


def record(path: str, origin: str = "photos", stated: str | None = None) -> Record:
    *folders, name = path.split("/")
    return Record(name, 0, origin, tuple(folders), stated, None, None, None)


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["cat/1", "dog/2"], ["cat", "dog"]),
        (["cat/1", "cat/2"], None),
        (["cat/1", "2"], None),
        (["1", "2"], None),
        (["all/cat/1", "all/dog/2"], ["cat", "dog"]),
        (["cat/x/1", "cat/y/2", "dog/3"], ["cat", "cat", "dog"]),
    ],
)
def test_labels_by_folder(paths: list[str], labels: list[str] | None) -> None:
    records = [record(path) for path in paths]
    assert labels_of(records, "auto", sources=1) == labels
    if labels is None:
        with pytest.raises(DatasetError, match="sub-folders"):
            labels_of(records, "folders", sources=1)
    assert labels_of(records, "none", sources=1) is None


def test_several_sources_are_classes() -> None:
    records = [record("x/1", "cats"), record("y/2", "dogs")]
    assert labels_of(records, "auto", sources=2) == ["cats", "dogs"]
    assert labels_of(records, "folders", sources=2) == ["x", "y"]
    same = [record("1", "cats"), record("2", "cats")]
    assert labels_of(same, "auto", sources=2) is None
    with pytest.raises(DatasetError, match="two sources"):
        labels_of(same, "sources", sources=2)


def test_stated_labels_come_first_when_all_have_one() -> None:
    records = [record("x/1", "train", "3"), record("y/2", "test", "4")]
    assert labels_of(records, "auto", sources=2) == ["3", "4"]
    assert labels_of([*records, record("z/3", "more")], "auto", sources=3) == [
        "train",
        "test",
        "more",
    ]


def test_numbers_are_sorted_by_value() -> None:
    assert class_names(["10", "9", "1", "9"]) == ("1", "9", "10")
    assert class_names(["10", "9", "b"]) == ("10", "9", "b")


def shas(count: int) -> list[str]:
    return [hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(count)]


@given(count=st.integers(10, 60), share=st.floats(0.01, 0.5), seed=st.integers(0, 9))
def test_neither_side_is_empty_and_duplicates_stay_together(
    count: int, share: float, seed: int
) -> None:
    once = shas(count)
    held = holdout_mask(once + once, share, seed)
    assert held[:count] == held[count:]
    assert 0 < sum(held[:count]) < count


def test_pictures_keep_their_side_when_others_are_added() -> None:
    few, many = holdout_mask(shas(500), 0.1, 0), holdout_mask(shas(1000), 0.1, 0)
    assert many[:500] == few
    assert 70 < sum(many) < 130


def test_a_share_of_nothing_holds_nothing_out() -> None:
    assert not any(holdout_mask(shas(100), 0, 0))


def test_one_long_scene_is_cut_once() -> None:
    assert holdout_mask(["aa"] * 20, 0.1, 0) == [False] * 18 + [True] * 2


def test_a_large_group_does_not_take_the_pictures_away_from_training() -> None:
    for seed in range(50):
        keys = ["scene"] * 60 + shas(40)
        held = holdout_mask(keys, 0.1, seed)
        assert not any(held[:60])
        assert sum(held) <= 20


def test_groups_that_share_a_picture_are_one() -> None:
    hashes = ["d", "c", "b", "a", "e", "a"]
    keys = together(hashes, [None, 1, 1, None, None, None], ["x", None, "y", None, "x", "y"])
    assert keys == ["d", "a", "a", "a", "d", "a"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 5)), min_size=1, max_size=30)
)
def test_what_belongs_together_has_one_key_and_nothing_else_has(
    pictures: list[tuple[int, int | None]],
) -> None:
    hashes, groups = [f"{sha}" for sha, _ in pictures], [group for _, group in pictures]
    keys = together(hashes, groups)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(pictures)))
    for i, (sha, group) in enumerate(pictures):
        for j in range(i):
            if sha == pictures[j][0] or (group is not None and group == pictures[j][1]):
                graph.add_edge(i, j)
    for part in nx.connected_components(graph):
        assert {keys[i] for i in part} == {min(hashes[i] for i in part)}


def test_training_is_never_left_empty() -> None:
    for seed in range(30):
        assert not all(holdout_mask(shas(2), 0.5, seed))
