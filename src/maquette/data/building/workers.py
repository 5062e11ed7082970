"""Looking at pictures on all cores, in order, in processes that may die.

Pictures come from anywhere, and a decoder written in C can crash or hang on a malicious one.
Workers are processes of their own: what ends one of them ends only that, and the picture that did
it is recorded as damaged. loky starts them without importing a person's script a second time.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LookTimeoutError
from itertools import chain, islice
from typing import Any

import numpy as np

from maquette.data.pictures.faults import Fault
from maquette.data.pictures.looking import Bench, Look
from maquette.data.sources.source import Item

INLINE_ITEMS = 128  # starting workers takes about a second: not worth it for fewer
LONGEST_LOOK_SECONDS = 120.0  # at a chunk, and then at the one picture that is to blame
_CHUNK_ITEMS, _CHUNK_BYTES = 32, 4 * 2**20  # sent to a worker at once
_PARENT_CHECKED_SECONDS = 2.0
_WORKER_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def default_workers() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def looked(bench: Bench, items: Iterable[Item], workers: int) -> Iterator[tuple[Item, Look]]:
    """Every item with what a look at it gave, in order; few are waiting at any time."""
    remaining = iter(items)
    first = list(islice(remaining, INLINE_ITEMS + 1))
    if workers < 2 or len(first) <= INLINE_ITEMS:
        for item in chain(first, remaining):
            yield item, _look(bench, item)
        return
    with _Pool(bench, workers) as pool:
        yield from pool.looked(chain(first, remaining))


class _Pool:
    """Chunks of items on their way through worker processes."""

    def __init__(self, bench: Bench, workers: int):
        self._bench, self._workers = bench, workers
        self._waiting: deque[tuple[list[Item], Future]] = deque()

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for _chunk, future in self._waiting:
            future.cancel()

    def looked(self, items: Iterable[Item]) -> Iterator[tuple[Item, Look]]:
        for chunk in _chunks(items):
            self._waiting.append((chunk, self._submitted(chunk)))
            if len(self._waiting) > 2 * self._workers:
                yield from self._oldest()
        while self._waiting:
            yield from self._oldest()

    def _oldest(self) -> Iterator[tuple[Item, Look]]:
        chunk, future = self._waiting.popleft()
        looks = self._result(future)
        if looks is None:
            looks = [self._alone(item) for item in chunk]
            # What else was under way went down with the workers.
            self._waiting = deque((other, self._submitted(other)) for other, _ in self._waiting)
        yield from zip(chunk, looks, strict=True)

    def _alone(self, item: Item) -> Look:
        """One look that may end its worker, after some worker was lost."""
        _executor(self._workers).submit(_ready).result()  # so that starting is not counted
        looks = self._result(self._submitted([item]))
        if looks is not None:
            return looks[0]
        reason = f"decoding it crashes, or takes more than {LONGEST_LOOK_SECONDS:.0f} seconds"
        return Look(None, Fault("damaged", reason), b"", None)

    def _result(self, future: Future) -> list[Look] | None:
        """None when a worker was lost, or is stuck; there are new ones then."""
        from loky.process_executor import BrokenProcessPool

        try:
            looks: list[Look] = future.result(timeout=LONGEST_LOOK_SECONDS)
        except (BrokenProcessPool, LookTimeoutError):
            _executor(self._workers).shutdown(wait=True, kill_workers=True)
            return None
        return looks

    def _submitted(self, chunk: list[Item]) -> Future:
        submitted: Future = _executor(self._workers).submit(_look_at_all, self._bench, chunk)
        return submitted


def _executor(workers: int) -> Any:
    """The worker processes, started when there are none; idle ones end by themselves."""
    from loky import get_reusable_executor

    return get_reusable_executor(
        max_workers=workers, timeout=30, initializer=_undisturbed, env=_WORKER_ENVIRONMENT
    )


def _undisturbed() -> None:
    """Ctrl-C reaches every process of a terminal; only the main one answers it.

    Once that is gone, killed perhaps, nobody would end this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECKED_SECONDS)
    os._exit(1)


def _ready() -> None:
    """What a worker does first."""


def _look_at_all(bench: Bench, chunk: Sequence[Item]) -> list[Look]:
    return [_look(bench, item) for item in chunk]


def _look(bench: Bench, item: Item) -> Look:
    if item.content is None:
        assert item.fault is not None
        return Look(None, item.fault, b"", None)
    return bench.look(item.content, item.box)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += _bytes(item)
        if len(chunk) == _CHUNK_ITEMS or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bytes(item: Item) -> int:
    if isinstance(item.content, np.ndarray):
        return item.content.nbytes
    return len(item.content) if isinstance(item.content, bytes) else 0
