"""Ending early: at the right image, once for all, and not when someone asks for more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import toy_dataset
from maquette.core.family import Progress
from maquette.training.callback import Callback
from maquette.training.checkpoints import CheckpointStore
from maquette.training.patience import Patience
from maquette.training.session import Session
from maquette.training.settings import TrainingSettings
from toys import StopAt, same_weights, toy_recipe, toy_trainer

EVERY = 1000  # images between two scores
SETTINGS = TrainingSettings(steps=1000)


def end_of(scores, images=5 * EVERY, patience=None):
    """The images and the sentence at which these scores end a run; None when they never do."""
    patience = patience or Patience(images, SETTINGS)
    for number, score in enumerate(scores, 1):
        progress = Progress(10 * number, EVERY * number, fraction=0.5)
        if news := patience.judge(progress, {"score": score}):
            ((kind, message),) = news
            assert kind == "stopped early" and patience.ended
            return progress.images, message
    return None


def test_it_ends_exactly_so_many_images_after_the_best_score():
    images, message = end_of([3.0, 2.0, 1.0] + [1.5] * 20)
    assert images == 3 * EVERY + 5 * EVERY
    assert message == "the score has not improved for 5,000 images; the best was at step 30"


@pytest.mark.parametrize(
    ("scores", "ends"),
    [
        ([1.0] * 20, True),
        ([1 - 0.001 * n for n in range(20)], True),  # crawls: half a percent in the whole time
        ([1 - 0.004 * n for n in range(100)], False),  # slow, but two percent in that time
        ([1.0, 5.0, 5.0, 5.0, 5.0, 0.9] * 5, True),  # the second 0.9 is nothing new
        ([10.0, 9.0, 9.5, 8.0, 8.8, 7.0, 7.9, 6.0], False),  # up and down, and better
        ([-1.0, -1.0, -1.0, -1.0, -1.0, -1.005, -1.0], True),  # lower is better below 0 too
        ([-1.0 - 0.1 * n for n in range(20)], False),
        ([1.0] * 5, False),  # not yet
    ],
)
def test_only_an_improvement_worth_the_name_counts(scores, ends):
    assert (end_of(scores) is not None) == ends


def test_fewer_than_three_scores_among_the_last_images_end_nothing():
    patience = Patience(5 * EVERY, SETTINGS)
    at = [1, 10, 20, 21, 22]  # thousand images; some were left out
    ended = [bool(patience.judge(Progress(n, n * EVERY, fraction=0.5), {"score": 1.0})) for n in at]
    assert ended == [False] * 4 + [True]


def test_without_patience_nothing_is_kept_and_nothing_ends():
    patience = Patience(None, SETTINGS)
    assert end_of([1.0] * 50, patience=patience) is None
    assert patience.state()["scores"] == []


def test_the_last_step_needs_no_early_end():
    patience = Patience(2, SETTINGS)
    news = [patience.judge(Progress(n, n, fraction=n / 4), {"score": 1.0}) for n in range(1, 5)]
    assert news == [[]] * 4


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_restored_patience_ends_at_the_same_image(cut):
    scores = [3.0, 2.5, 2.0, 2.2, 2.1, 1.99, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9]
    whole = end_of(scores)
    first, second = (Patience(5 * EVERY, SETTINGS) for _ in range(2))
    for number, score in enumerate(scores[:cut], 1):
        first.judge(Progress(10 * number, EVERY * number, fraction=0.5), {"score": score})
    state = json.dumps(first.state())
    second.restore({"patience": json.loads(state), "images": cut * EVERY})
    assert json.dumps(second.state()) == state
    for number, score in enumerate(scores[cut:], cut + 1):
        if second.ended:
            break
        news = second.judge(Progress(10 * number, EVERY * number, fraction=0.5), {"score": score})
        if news:
            assert (EVERY * number, news[0][1]) == whole
    assert second.ended


def test_going_on_under_other_terms_waits_afresh():
    ended = Patience(5 * EVERY, SETTINGS)
    images, _ = end_of([1.0] * 20, patience=ended)
    facts = {"patience": ended.state(), "images": images}
    same = Patience(5 * EVERY, SETTINGS)
    assert same.ended_at(facts)
    for other in (
        Patience(5 * EVERY, TrainingSettings(steps=2000)),
        Patience(5 * EVERY, TrainingSettings(steps=1000, hours=1)),
        Patience(4 * EVERY, SETTINGS),
        Patience(None, SETTINGS),
    ):
        assert not other.ended_at(facts)
        other.restore(facts)
        assert not other.ended
    longer = Patience(5 * EVERY, TrainingSettings(steps=2000))
    longer.restore(facts)
    found = [
        bool(longer.judge(Progress(n, images + n * EVERY, fraction=0.5), {"score": 1.0}))
        for n in range(1, 6)
    ]
    assert found == [False] * 4 + [True]


def test_a_checkpoint_from_before_there_was_patience_is_read():
    patience = Patience(5 * EVERY, SETTINGS)
    patience.restore({"images": 100})
    assert not patience.ended and not patience.ended_at({"images": 100})


# In sessions


class Judge(Callback):
    """Scores that are best at a certain step; 8 images a step."""

    def __init__(self, best_step: int, every_steps: int = 2):
        self.best_step, self.every_steps = best_step, every_steps
        self.events: list[tuple[int, str, str]] = []

    def after_step(self, moment) -> None:
        moment.scores["score"] = 1.0 + abs(moment.progress.step - self.best_step)

    def event(self, step, kind, message) -> None:
        self.events.append((step, kind, message))


def sitting(
    folder: Path, *more: Callback, steps: int = 30, patience: int | None = 64
) -> tuple[Session, Judge]:
    """A session that saves and judges every second step; its best is step 6."""
    trainer = toy_trainer(toy_recipe("gan-dense", steps=steps), toy_dataset())
    judge = Judge(best_step=6)
    session = Session(trainer, CheckpointStore(folder), 2, 3600.0, [judge, *more], patience)
    return session, judge


def test_a_session_ends_early_in_good_order(tmp_path):
    session, judge = sitting(tmp_path)
    assert session.run() == "finished"
    assert session.trainer.step == 6 + 64 // 8
    ((step, kind, message),) = judge.events
    assert (step, kind) == (14, "stopped early")
    assert "for 64 images; the best was at step 6" in message
    scores = {entry.step: entry.score for entry in session.store.entries()}
    assert min(scores, key=scores.get) == 6 and scores[14] == 9.0
    assert session.is_over()


def test_off_by_default(tmp_path):
    session, judge = sitting(tmp_path, patience=None)
    assert session.run() == "finished"
    assert (session.trainer.step, judge.events) == (30, [])


def test_a_session_that_ended_early_stays_so_until_more_is_asked_for(tmp_path):
    sitting(tmp_path)[0].run()
    again, judge = sitting(tmp_path)  # as after a kill before run.json was written
    assert again.is_over() and again.run() == "finished"
    assert (again.trainer.step, judge.events) == (14, [])
    longer, judge = sitting(tmp_path, steps=60)
    assert not longer.is_over() and longer.run() == "finished"
    assert longer.trainer.step == 14 + 64 // 8  # the wait begins again
    assert [kind for _, kind, _ in judge.events] == ["resumed", "stopped early"]
    without, _ = sitting(tmp_path, steps=60, patience=None)
    assert not without.is_over() and without.run() == "finished"
    assert without.trainer.step == 60


@pytest.mark.parametrize("stop", [5, 8, 13])
def test_stopped_in_the_middle_of_its_patience_it_ends_at_the_same_step(tmp_path, stop):
    whole, _ = sitting(tmp_path / "whole")
    whole.run()
    stopper = StopAt(stop)
    cut, _ = sitting(tmp_path / "cut", stopper)
    stopper.session = cut
    assert cut.run() == "interrupted"
    again, judge = sitting(tmp_path / "cut")
    assert again.run() == "finished"
    assert [(step, kind) for step, kind, _ in judge.events] == [
        (stop, "resumed"),
        (14, "stopped early"),
    ]
    assert same_weights(whole.trainer, again.trainer)


def test_killed_while_saving_the_last_checkpoint_it_ends_at_the_same_step(tmp_path):
    whole, _ = sitting(tmp_path / "whole")
    whole.run()

    class Killed(Exception):
        pass

    class Killer(Judge):
        def event(self, step, kind, message):
            if kind == "stopped early":
                raise Killed

    killer = Killer(6, every_steps=7)
    killer.after_step = lambda moment: None
    cut, _ = sitting(tmp_path / "cut", killer)
    with pytest.raises(Killed):
        cut.run()
    cut.store.wait()
    again, judge = sitting(tmp_path / "cut")
    assert again.run() == "finished"
    assert (14, "stopped early") in [(step, kind) for step, kind, _ in judge.events]
    assert same_weights(whole.trainer, again.trainer)


def test_going_back_forgets_the_scores_given_up(tmp_path):
    session, _ = sitting(tmp_path)
    session._begin()
    for _ in range(10):
        session.advance()
    session.store.wait()
    before = session.patience.state()["scores"]
    (best,) = [entry for entry in session.store.entries() if entry.step == 6]
    session._return_to(best)
    assert (len(before), session.trainer.step) == (5, 6)
    assert session.patience.state()["scores"] == before[:3]


def test_two_processes_end_at_the_same_step(tmp_path):
    script = Path(__file__).with_name("two_patient_processes.py")
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(script.parents[1]),
    }
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", str(script), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {file.read_text() for file in tmp_path.glob("rank-*")} == {"finished at 14, over: True"}
    assert len(list(tmp_path.glob("rank-*"))) == 2
