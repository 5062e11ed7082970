"""Scores while training, which choose the checkpoint that is served.

Scoring keeps to its share of the time: where one is too dear it is left out, so which steps have
scores depends on the clock. The weights at a step never do. What a score is depends on the
capability: see `scorers/`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from maquette.runs.scorers.scorer import Scorer
from maquette.training.callback import Callback, Moment

CHOOSING = ("score", "score_low", "score_high")
MUCH_WORSE = 1.2  # times the best score; less than that is told by the curves


class Scoring(Callback):
    """Judges weights at every judged checkpoint.

    `share` is the most of all training time that scores may take; the first, whose cost nobody
    knows yet, and the last, without which the final weights could not be served, are taken anyway.
    Before `choosing_from`, a share of training, what is measured is told and chooses nothing.
    """

    def __init__(
        self,
        scorer: Scorer,
        every_steps: int,
        share: float = 1.0,
        choosing_from: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.scorer, self.every_steps = scorer, every_steps
        self.share, self.choosing_from, self.clock = share, choosing_from, clock
        self._spent_seconds = self._cost_seconds = 0.0  # on all scores, on the last one
        self._said_skipping = False
        self._best: dict[str, float] | None = None  # score, its upper end and its step

    def after_step(self, moment: Moment) -> None:
        if not (moment.is_last or self._is_affordable(moment.seconds)):
            self._say_skipping(moment)
            return
        started = self.clock()
        found = self.scorer.judge(moment.average, moment.progress.fraction)
        chooses = moment.is_last or moment.progress.fraction >= self.choosing_from
        kept = {n: v for n, v in found.scores.items() if chooses or n not in CHOOSING}
        moment.scores.update(kept)
        moment.warnings.extend(found.warnings)
        if chooses:
            self._compare(moment)
        self._cost_seconds = self.clock() - started
        self._spent_seconds += self._cost_seconds

    def _compare(self, moment: Moment) -> None:
        """Warn when what was learnt is lost: surely worse than the best, and by a good deal."""
        score, step, best = moment.scores["score"], moment.progress.step, self._best
        low = moment.scores.get("score_low", score)
        if best is not None and low > max(best["high"], MUCH_WORSE * best["score"]):
            moment.warnings.append(
                f"training has got worse: the score is {score:.4g} at step {step:,} and was "
                f"{best['score']:.4g} at step {best['step']:,.0f}, whose weights stay the ones to "
                "serve; if it does not come back, begin again with lower learning rates"
            )
        if best is None or score < best["score"]:
            high = moment.scores.get("score_high", score)
            self._best = {"score": score, "high": high, "step": step}

    def _is_affordable(self, seconds: float) -> bool:
        """Whether all scores stay within their share with one more, as dear as the last."""
        cost = self._cost_seconds
        return self._spent_seconds + cost <= self.share * (seconds + cost)

    def _say_skipping(self, moment: Moment) -> None:
        if not self._said_skipping:
            self._said_skipping = True
            message = (
                f"a score takes {self._cost_seconds:.2g} s: taken at fewer checkpoints, to stay "
                f"within {self.share:.2g} of the time (callbacks.score_share)"
            )
            moment.news.append(("fewer scores", message))

    def mark(self) -> dict[str, Any]:
        return {
            **self.scorer.mark(),
            "spent_seconds": self._spent_seconds,
            "cost_seconds": self._cost_seconds,
            "said_skipping": self._said_skipping,
            "best": self._best,
        }

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self.scorer.rewind(mark)
        self._spent_seconds = float(mark.get("spent_seconds", 0.0))
        self._cost_seconds = float(mark.get("cost_seconds", 0.0))
        self._said_skipping = bool(mark.get("said_skipping", False))
        self._best = mark.get("best")
