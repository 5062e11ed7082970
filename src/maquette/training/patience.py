"""When waiting for a better score is over: training then ends before its time.

The best score of the last so many images is compared with the best before them, so neither one bad
score nor a slow crawl below the tolerance decides. State travels in checkpoints, as the guard's.
"""

from collections.abc import Mapping
from typing import Any

from maquette.core.family import Progress
from maquette.training.settings import TrainingSettings

LEAST_IMPROVEMENT = 0.01  # of the best score before, to count as one
FEWEST_SCORES = 3  # among the last images, so that no single unlucky one ends a run

_NOTHING: dict[str, Any] = {"scores": [], "ended": False, "terms": None}
Judged = tuple[int, int, float]  # step, images, score; lower scores are better


class Patience:
    """Takes in the scores of a run, in order; with `images` None it waits for ever.

    Under another length of training or another patience, a run that ended early goes on.
    """

    def __init__(self, images: int | None, settings: TrainingSettings):
        self.images = images
        self._terms = {
            **settings.model_dump(include={"steps", "epochs", "hours"}),
            "patience_images": images,
        }
        self.ended = False  # early, for good
        self._best: list[Judged] = []  # of the scores older than the last `images`: one or none
        self._recent: list[Judged] = []

    def judge(self, progress: Progress, scores: Mapping[str, float]) -> list[tuple[str, str]]:
        """Take in what callbacks found at a step; the event to tell when that was the last one."""
        if self.images is None or "score" not in scores:
            return []
        self._observe(progress.step, progress.images, scores["score"])
        self.ended = self._has_run_out() and progress.fraction < 1
        if not self.ended:
            return []
        message = (
            f"the score has not improved for {self.images:,} images; "
            f"the best was at step {_best_of(self._all())[0]:,}"
        )
        return [("stopped early", message)]

    def _observe(self, step: int, images: int, score: float) -> None:
        assert self.images is not None
        self._recent.append((step, images, score))
        while self._recent[0][1] <= images - self.images:
            self._best = [_best_of([*self._best, self._recent.pop(0)])]

    def _has_run_out(self) -> bool:
        if not self._best or len(self._recent) < FEWEST_SCORES:
            return False
        before, now = self._best[0][2], _best_of(self._recent)[2]
        return now >= before - LEAST_IMPROVEMENT * abs(before)

    def _all(self) -> list[Judged]:
        return [*self._best, *self._recent]

    # State

    def ended_at(self, facts: Mapping[str, Any]) -> bool:
        """Whether a checkpoint with these facts is the early end, and nobody asked for more."""
        state = facts.get("patience", _NOTHING)
        return bool(state["ended"] and state["terms"] == self._terms)

    def state(self) -> dict[str, Any]:
        """The scores that still count, oldest first, whether they ended it, and on what terms."""
        return {"scores": self._all(), "ended": self.ended, "terms": self._terms}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Return to a checkpoint's facts, also from before there was patience.

        Under other terms it waits as long as at first, from here, for something better.
        """
        state = facts.get("patience", _NOTHING)
        self.ended, self._best, self._recent = self.ended_at(facts), [], []
        scores = [(step, images, score) for step, images, score in state["scores"]]
        if self.images is not None and scores and state["terms"] != self._terms:
            step, _, score = _best_of(scores)
            scores = [(step, int(facts["images"]), score)]
        if self.images is not None:
            for judged in scores:
                self._observe(*judged)


def _best_of(judged: list[Judged]) -> Judged:
    """The lowest score; the earliest of equal ones."""
    return min(judged, key=lambda each: each[2])
