"""Prepares the next batches on a background thread while the current one is being learnt from.

It stands in for the dataset and gives the very same batches. Worth it for pictures streamed from
disk; a resident dataset has nothing to wait for.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from maquette.core.images import Batch
from maquette.data.dataset import ImageDataset

AHEAD_BATCHES = 2

_Request = tuple[int, int, int, tuple[int, int]]  # step, size, seed, part


class Prefetcher:
    """A dataset's batches; whenever one is taken, those of the next two steps are started."""

    def __init__(self, dataset: ImageDataset):
        """Close it, or use it in a `with` block, so that its thread ends."""
        self._dataset = dataset
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._pending: dict[_Request, Future[Batch]] = {}

    @property
    def epoch_pictures(self) -> int:
        """As the dataset's."""
        return self._dataset.epoch_pictures

    def batch(self, step: int, size: int, seed: int, *, part: tuple[int, int] = (0, 1)) -> Batch:
        """What the dataset's `batch` returns, or raises; steps may jump, in order is quickest."""
        coming = [(step + ahead, size, seed, part) for ahead in range(1 + AHEAD_BATCHES)]
        # Extra turns of a step have seeds of their own, so only steps that are over are stale.
        for stale in [key for key in self._pending if not step <= key[0] <= step + AHEAD_BATCHES]:
            self._pending.pop(stale).cancel()
        for request in coming:
            if request not in self._pending:
                self._pending[request] = self._thread.submit(self._prepared, request)
        return self._pending.pop(coming[0]).result()

    def close(self) -> None:
        """End the thread; batches under way are finished and dropped."""
        self._thread.shutdown(cancel_futures=True)

    def __enter__(self) -> "Prefetcher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.close()

    def _prepared(self, request: _Request) -> Batch:
        step, size, seed, part = request
        return self._dataset.batch(step, size, seed, part=part)
