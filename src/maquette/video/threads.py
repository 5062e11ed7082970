"""Reading ahead, writing behind, and side by side: decoder, network and encoder all at work.

FFmpeg and torch leave Python's lock alone while they work, so threads do. What waits is bounded, so
that memory does not depend on a film's length; what fails is told to whoever waits for it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


@contextmanager
def ahead(items: Iterable[T], most: int) -> Iterator[Iterator[T]]:
    """The same items, up to `most` of them made in advance on a thread of their own."""
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:

        def fetch() -> list[T]:
            return list(islice(source, 1))

        def taken() -> Iterator[T]:
            coming = deque(thread.submit(fetch) for _ in range(most))
            while found := coming.popleft().result():
                coming.append(thread.submit(fetch))
                yield found[0]

        try:
            yield taken()
        finally:
            thread.shutdown(cancel_futures=True)


@contextmanager
def side_by_side(
    work: Callable[[S], T], items: Iterable[S], threads: int, begin: Callable[[], None]
) -> Iterator[Iterator[T]]:
    """What `work` makes of each item, in order, made by so many threads; one item waits ready.

    Each thread begins with `begin`.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads, "beside", initializer=begin) as pool:

        def made() -> Iterator[T]:
            coming = deque(pool.submit(work, item) for item in islice(source, threads + 1))
            while coming:
                one = coming.popleft().result()
                coming.extend(pool.submit(work, item) for item in islice(source, 1))
                yield one

        try:
            yield made()
        finally:
            pool.shutdown(cancel_futures=True)


class Behind:
    """Does tasks in order on a thread of its own; after one has failed, no other is begun."""

    def __init__(self, most: int):
        """At most so many tasks wait; use it in a `with` block."""
        self._most = most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._waiting: deque[Future[None]] = deque()
        self._broken = False

    def do(self, task: Callable[[], None]) -> None:
        """Raises what an earlier task raised."""
        self._waiting.append(self._thread.submit(self._tried, task))
        while len(self._waiting) > self._most:
            self._waiting.popleft().result()

    def finish(self) -> None:
        """Wait until everything is done."""
        while self._waiting:
            self._waiting.popleft().result()

    def __enter__(self) -> "Behind":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            self._broken = True
        self._thread.shutdown(cancel_futures=kind is not None)

    def _tried(self, task: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            task()
        except BaseException:
            self._broken = True
            raise
