"""How many pictures there are, and of which class."""

from collections.abc import Iterable

import pytest

from maquette.core.errors import DatasetError
from maquette.data.findings.finding import Survey, Surveyed
from maquette.data.findings.numbers import NEEDS, Numbers
from maquette.data.findings.thumbnails import Thumbnails
from maquette.data.pictures.faults import Fault
from maquette.data.pictures.looking import Facts

FACTS = Facts("", 64, 64, "JPEG", "RGB", 1, 1, None, False, 128, 200, 0.8, 1, 2)


class NoThumbnails(Thumbnails):
    def jpeg(self, picture: int) -> bytes:
        raise AssertionError("numbers need no pictures")


def survey(labels: Iterable[str | None], faults: int = 0) -> Survey:
    seen = [Surveyed("a", (), label, FACTS, None) for label in labels]
    lost = [Surveyed("b", (), None, None, Fault("damaged", "cut short"))] * faults
    return Survey([*seen, *lost], NoThumbnails())


def remarks(of: Survey, family: str | None = None) -> dict[str, str]:
    return {found.kind.name: found.remark for found in Numbers(family).findings(of)}


@pytest.mark.parametrize("family", NEEDS)
def test_enough_is_enough(family: str) -> None:
    need = NEEDS[family]
    labels = ["a"] * need.good + ["b"] * need.good
    assert remarks(survey(labels), family) == {}
    short = labels[: -need.good // 2] if need.each_class else labels[: need.good - 1]
    remark = remarks(survey(short), family)["too-few"]
    assert f"{need.least:,}" in remark and f"{need.good:,}" in remark


def test_what_cannot_be_read_does_not_count() -> None:
    assert "99 pictures, fewer than the least" in remarks(survey([None] * 99, 500))["too-few"]
    assert remarks(survey([None] * 100)) == {}


def test_without_a_plan_only_the_least_is_asked_for() -> None:
    assert "too-few" not in remarks(survey([None] * 300))
    assert "enough to try" in remarks(survey([None] * 300), "gan")["too-few"]


def test_classes_out_of_balance() -> None:
    assert remarks(survey(["a"] * 300 + ["b"] * 80)) == {}
    assert remarks(survey(["a"] * 320 + ["b"] * 80))["imbalance"] == "a has 320 pictures, b has 80"
    many = ["a"] * 400 + [name for name in "bcdef" for _ in range(10)]
    assert remarks(survey(many))["imbalance"] == (
        "a has 400 pictures, f has 10, e has 10, d has 10 and 2 more classes have few"
    )


def test_a_tiny_class_is_told_and_tiny_sets_are_not_nagged() -> None:
    assert "b has 19" in remarks(survey(["a"] * 60 + ["b"] * 19 + ["c"] * 60))["imbalance"]
    assert "imbalance" not in remarks(survey(["a"] * 8 + ["b"] * 8))


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(DatasetError, match="did you mean 'gan'"):
        Numbers("gna")
