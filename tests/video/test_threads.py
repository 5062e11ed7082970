"""Reading ahead, writing behind, side by side: order, bounds, failures."""

import threading
import time
from collections.abc import Iterator

import pytest

from maquette.video.threads import Behind, ahead, side_by_side


def test_ahead_gives_everything_in_order_and_no_more_than_asked():
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    with ahead(numbers(), 4) as coming:
        assert next(coming) == 0
        time.sleep(0.1)
        assert 4 <= len(made) <= 6
        assert list(coming) == list(range(1, 50))


def test_a_failure_ahead_is_met_in_its_place():
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    with ahead(broken(), 8) as coming:
        assert next(coming) == 1
        with pytest.raises(ValueError, match="damaged"):
            next(coming)


def test_leaving_early_ends_the_thread():
    def endless() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()
    with ahead(endless(), 3) as coming:
        next(coming)
    assert threading.active_count() == before


def test_behind_does_all_in_order():
    done: list[int] = []
    with Behind(2) as behind:
        for i in range(30):
            behind.do(lambda i=i: done.append(i))
        behind.finish()
    assert done == list(range(30))


def test_after_a_failure_behind_nothing_else_is_done():
    done: list[str] = []

    def fail() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Behind(5) as behind:
        behind.do(fail)
        behind.do(lambda: done.append("finished"))
        behind.finish()
    assert not done


def test_side_by_side_keeps_the_order_and_takes_no_more_than_it_needs():
    taken, begun = list[int](), list[str]()

    def numbers() -> Iterator[int]:
        for i in range(40):
            taken.append(i)
            yield i

    def work(number: int) -> int:
        time.sleep(0.01 if number % 2 else 0)
        return 10 * number

    def begin() -> None:
        begun.append(threading.current_thread().name)

    with side_by_side(work, numbers(), 3, begin) as made:
        assert next(made) == 0
        assert len(taken) == 5
        assert list(made) == list(range(10, 400, 10))
    assert 1 <= len(begun) <= 3 and len(set(begun)) == len(begun)


def test_a_failure_side_by_side_is_met_in_its_place():
    def work(number: int) -> float:
        return 1 / (2 - number)

    with side_by_side(work, range(9), 2, lambda: None) as made:
        assert [next(made), next(made)] == [0.5, 1]
        with pytest.raises(ZeroDivisionError):
            next(made)
