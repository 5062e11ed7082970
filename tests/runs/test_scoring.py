"""Scores keep to their share of the time, on a clock that only the scorer moves."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from conftest import toy_dataset
from maquette.core.family import Family, Progress
from maquette.runs.scorers.scorer import Scored, Scorer
from maquette.runs.scoring import Scoring
from maquette.training.callback import Moment
from toys import toy_family, toy_recipe


class Time:
    """A clock that stands still unless told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cost = 1.0  # seconds that a score takes

    def __call__(self) -> float:
        return self.now


class SlowScorer(Scorer):
    """Takes its time and counts its scores."""

    count = 4

    def __init__(self, clock: Time):
        self.clock, self.taken = clock, 0

    def judge(self, family: Family, fraction: float) -> Scored:
        self.clock.now += self.clock.cost
        self.taken += 1
        return Scored({"score": 0.5}, ("topic: a warning",) if self.taken == 2 else ())

    def mark(self) -> dict[str, Any]:
        return {"taken": self.taken}

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self.taken = mark.get("taken", 0)


@pytest.fixture
def clock() -> Time:
    return Time()


FAMILY = toy_family(toy_recipe("gan-dense"), toy_dataset().spec).eval()


def scorer(clock: Time, share: float) -> Scoring:
    return Scoring(SlowScorer(clock), 10, share, clock=clock)


def trained(
    scores: Scoring, clock: Time, checkpoints: int, seconds_each: float, begin: int = 0, last=False
) -> list[Moment]:
    """What it saw at checkpoints so far apart; the clock started at 1000."""
    moments = []
    for number in range(begin + 1, begin + checkpoints + 1):
        clock.now += seconds_each
        progress = Progress(10 * number, 40 * number, fraction=0.01 * number)
        is_last = last and number == begin + checkpoints
        moments.append(Moment(progress, clock.now - 1000.0, {}, FAMILY, is_last))
        scores.after_step(moments[-1])
    return moments


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("cost", [0.5, 3.0, 30.0])
def test_slow_scores_keep_to_their_share(clock, share, cost):
    clock.cost = cost
    moments = trained(scorer(clock, share), clock, 600, seconds_each=2.0)
    taken = sum(bool(moment.scores) for moment in moments)
    total = clock.now - 1000.0
    # One score more would break the share: it is kept, and it is used.
    assert share * total - 2 * cost - 2 <= taken * cost <= share * total
    assert moments[0].scores


def test_scores_within_their_share_are_all_taken_without_a_word(clock):
    clock.cost = 0.1
    moments = trained(scorer(clock, 0.05), clock, 50, seconds_each=2.0)
    assert all(moment.scores["score"] == 0.5 for moment in moments)
    assert not any(moment.news for moment in moments)


def test_the_first_one_left_out_is_told_once(clock):
    moments = trained(scorer(clock, 0.05), clock, 50, seconds_each=2.0)
    ((kind, message),) = [news for moment in moments for news in moment.news]
    assert kind == "fewer scores"
    assert "a score takes 1 s" in message and "callbacks.score_share" in message
    assert next(moment for moment in moments if not moment.scores).news


def test_the_last_checkpoint_is_scored_whatever_it_costs(clock):
    clock.cost = 100.0
    moments = trained(scorer(clock, 0.05), clock, 10, seconds_each=1.0, last=True)
    assert [bool(moment.scores) for moment in moments] == [True] + [False] * 8 + [True]


def test_the_whole_time_is_no_limit(clock):
    clock.cost = 1e6
    moments = trained(scorer(clock, 1.0), clock, 10, seconds_each=0.01)
    assert all(moment.scores for moment in moments)


def test_what_was_spent_survives_a_resume(clock):
    clock.cost = 2.0
    whole = [bool(m.scores) for m in trained(scorer(clock, 0.05), clock, 100, seconds_each=3.0)]
    clock.now = 1000.0
    first, second = scorer(clock, 0.05), scorer(clock, 0.05)
    cut = [bool(m.scores) for m in trained(first, clock, 37, seconds_each=3.0)]
    second.rewind(json.loads(json.dumps(first.mark())))
    rest = trained(second, clock, 63, seconds_each=3.0, begin=37)
    assert cut + [bool(m.scores) for m in rest] == whole
    assert 2 <= sum(whole) < 50
    assert not any(moment.news for moment in rest)  # told before


def test_a_mark_from_before_there_was_a_share_is_read(clock):
    scores = scorer(clock, 0.05)
    scores.rewind({"taken": 3})
    (moment,) = trained(scores, clock, 1, seconds_each=1.0)
    assert moment.scores


def test_what_the_scorer_remembers_and_says_is_passed_on(clock):
    scores = scorer(clock, 1.0)
    moments = trained(scores, clock, 3, seconds_each=1.0)
    assert [list(moment.warnings) for moment in moments] == [[], ["topic: a warning"], []]
    assert scores.mark()["taken"] == 3
    again = scorer(clock, 1.0)
    again.rewind(json.loads(json.dumps(scores.mark())))
    assert again.mark() == scores.mark()


class ToldScorer(SlowScorer):
    """Gives the scores it was told, each as sure as 0.1."""

    def __init__(self, *scores: float):
        super().__init__(Time())
        self.scores = scores

    def judge(self, family: Family, fraction: float) -> Scored:
        score = self.scores[self.taken]
        self.taken += 1
        return Scored({"score": score, "score_low": score - 0.1, "score_high": score + 0.1})


def test_a_score_that_is_surely_worse_than_the_best_is_told():
    scores = Scoring(ToldScorer(1.0, 0.5, 0.69, 0.8, 0.4, 0.61), 10)
    told = [list(moment.warnings) for moment in trained(scores, Time(), 6, seconds_each=1.0)]
    assert [len(warnings) for warnings in told] == [0, 0, 0, 1, 0, 1]
    assert "the score is 0.8 at step 40 and was 0.5 at step 20" in told[3][0]
    assert "lower learning rates" in told[3][0]


def test_the_best_score_survives_a_resume():
    first, second = Scoring(ToldScorer(0.5), 10), Scoring(ToldScorer(0.5, 0.8), 10)
    trained(first, Time(), 1, seconds_each=1.0)
    second.rewind(json.loads(json.dumps(first.mark())))
    (moment,) = trained(second, Time(), 1, seconds_each=1.0, begin=1)
    assert ["was 0.5 at step 10" in warning for warning in moment.warnings] == [True]


def test_scores_from_before_the_model_is_complete_choose_nothing():
    """At 0.01 and 0.02 of training it does not know yet all that it is to know."""
    scores = Scoring(ToldScorer(0.2, 0.1, 0.5, 0.6), 10, choosing_from=0.03)
    moments = trained(scores, Time(), 4, seconds_each=1.0)
    assert ["score" in moment.scores for moment in moments] == [False, False, True, True]
    assert not any(moment.warnings for moment in moments)
    only = Scoring(ToldScorer(0.2), 10, choosing_from=0.9)
    (moment,) = trained(only, Time(), 1, seconds_each=1.0, last=True)
    assert moment.scores["score"] == 0.2
