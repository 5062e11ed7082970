"""Train a model, or go on with one: the same call does both."""

import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from maquette.core.devices import Engine, start_engine
from maquette.core.errors import DatasetError, MaquetteError, RunError, SettingsError
from maquette.core.randomness import seed_everything
from maquette.data.dataset import ImageDataset
from maquette.data.prefetch import Prefetcher
from maquette.families import family_class
from maquette.recipe import Recipe
from maquette.runs.folder import Run
from maquette.runs.history import History
from maquette.runs.previews import Previews
from maquette.runs.report import write_report
from maquette.runs.scorers.known import scorer_for
from maquette.runs.scoring import Scoring
from maquette.runs.trackers import Tracking
from maquette.training.callback import Callback
from maquette.training.session import Session
from maquette.training.trainer import Trainer
from maquette.workflows.calibrating import note_temperature
from maquette.workflows.cautions import cautions
from maquette.workflows.pictures import pictures_for
from maquette.workflows.planning import planned

FEWEST_JUDGED = 2  # pictures: diversity is a distance between two


Watchers = Callable[[Run, Trainer], Sequence[Callback]]  # more callbacks, made for this run


@dataclass(frozen=True)
class TrainingResult:
    """How one sitting ended."""

    run: Run
    outcome: Literal["finished", "interrupted", "already finished"]
    signal: int | None = None  # that interrupted it
    is_main: bool = True  # of several processes, the one that writes and speaks


def train(
    recipe: str | Recipe | Path,
    data: str | Path | None = None,
    out: str | Path | None = None,
    *,
    overrides: Sequence[str] = (),
    weights: Mapping[str, Tensor] | None = None,
    watchers: Watchers | None = None,
) -> TrainingResult:
    """Train a recipe (a shipped name, a YAML file or a Recipe) on a dataset folder.

    `recipe` may also be a run folder: then that run continues. So does a run already in `out`.
    A new run that could not take its first step leaves nothing behind.
    `overrides` are settings such as "training.steps=500". A new run begins at `weights`, by name,
    or as its family begins. `watchers` are more callbacks, given the run and its trainer.
    Raises SettingsError, DatasetError or RunError, each with one sentence.
    """
    plan = planned(recipe, data, out, overrides)
    engine = start_engine(plan.recipe.training.device, plan.recipe.training.precision)
    run = plan.begin(engine)
    if not engine.is_main:
        run.recipe = plan.recipe
        return _sit(run, plan.dataset, engine, weights, watchers)
    try:
        with run.locked():
            if plan.recipe != run.recipe:
                run.change_recipe(plan.recipe)
            if data is not None:
                run.note(dataset=run.info["dataset"] | {"path": str(plan.dataset_path.resolve())})
            return _sit(run, plan.dataset, engine, weights, watchers)
    except MaquetteError:
        if plan.run is None and not run.checkpoints.entries():
            shutil.rmtree(run.folder, ignore_errors=True)
        raise


def _sit(
    run: Run,
    dataset: ImageDataset,
    engine: Engine,
    weights: Mapping[str, Tensor] | None,
    watchers: Watchers | None,
) -> TrainingResult:
    """Train until the end or an interruption, and leave the folder in order."""
    recipe = run.recipe
    seed_everything(recipe.training.seed, "weights")
    kind, (saved, _) = family_class(recipe.family), run.checkpoints.newest_sound()
    begins = kind if saved is None and weights is None else kind.for_saved_weights
    family = begins(recipe.model, dataset.spec)
    if weights is not None:  # a run that goes on replaces them by its own
        family.load_state_dict(weights)
    near = dataset.on(engine.device)
    with nullcontext(near) if near.resident else Prefetcher(near) as source:
        trainer = Trainer(family, source, recipe.training, engine)
        return _train_on(run, trainer, dataset, watchers)


def _train_on(
    run: Run,
    trainer: Trainer,
    dataset: ImageDataset,
    watchers: Watchers | None,
) -> TrainingResult:
    """One session with its callbacks."""
    engine = trainer.engine
    callbacks = standard_callbacks(run, trainer, dataset) if engine.is_main else []
    if watchers is not None and engine.is_main:
        callbacks += watchers(run, trainer)
    settings = run.recipe.callbacks
    session = Session(
        trainer,
        run.checkpoints,
        settings.checkpoint_every_steps,
        settings.checkpoint_every_seconds,
        callbacks,
        settings.patience_images,
    )
    if run.state == "finished" and session.is_over():
        return TrainingResult(run, "already finished")
    if not engine.is_main:
        with _stopping_on_signals(session.stop):
            return TrainingResult(run, session.run(), is_main=False)
    run.note(state="training")
    run.forget_results()
    if not run.checkpoints.entries():
        for sentence in cautions(dataset, family_class(run.recipe.family)):
            for callback in callbacks:
                callback.event(0, "warning", sentence)
    with _stopping_on_signals(session.stop) as received:
        try:
            outcome = session.run()
        except BaseException as error:
            state = "failed" if isinstance(error, Exception) else "stopped"
            with suppress(MaquetteError, OSError):  # the first problem is the one to tell
                session.store.wait()
                _put_in_order(run, session, state, callbacks)
            raise
        state = "finished" if outcome == "finished" else "stopped"
        _put_in_order(run, session, state, callbacks)
    return TrainingResult(run, outcome, received[0] if received else None)


def standard_callbacks(run: Run, trainer: Trainer, dataset: ImageDataset) -> list[Callback]:
    """History, previews, scores and trackers, as the recipe sets them."""
    settings, training = run.recipe.callbacks, run.recipe.training
    batch_size, device = training.batch_size, trainer.engine.device
    count = settings.preview_pictures
    callbacks: list[Callback] = [
        Previews(
            run.folder / "previews",
            dataset.batch(0, count, training.seed).to(device),
            max(1, settings.preview_every_images // batch_size),
            columns=max(1, round(count**0.5)),
        )
    ]
    if (scoring := _scoring(run, trainer, dataset)) is not None:
        callbacks.append(scoring)
    elif settings.patience_images is not None:
        raise SettingsError(
            "callbacks.patience_images waits for better scores, and this run takes none: set it to "
            "null, or see that callbacks.score_pictures and the dataset's pictures are two or more"
        )
    callbacks.append(
        History(run.folder / "history.jsonl", settings.history_every_steps, batch_size)
    )
    if settings.trackers:
        callbacks.append(Tracking(settings.trackers, run.folder, settings.history_every_steps))
    return callbacks


def _scoring(run: Run, trainer: Trainer, dataset: ImageDataset) -> Scoring | None:
    """What takes the scores; None where there is nothing to judge, or too little to judge by."""
    settings, training = run.recipe.callbacks, run.recipe.training
    if settings.score_pictures < FEWEST_JUDGED:
        return None
    judged = held_out(run, dataset).on(trainer.engine.device)
    count, batch = settings.score_pictures, training.batch_size
    scorer = scorer_for(trainer.family, judged, count, training.seed, batch)
    if scorer is None or scorer.count < FEWEST_JUDGED:
        return None
    every_steps = settings.checkpoint_every_steps  # a score without a checkpoint serves nobody
    if settings.score_every_images is not None:
        between = settings.score_every_images / (every_steps * batch)
        every_steps *= max(1, round(between))
    return Scoring(scorer, every_steps, settings.score_share, trainer.family.complete_from())


def held_out(run: Run, dataset: ImageDataset) -> ImageDataset:
    """The labelled pictures kept away from training; those learnt from where too few were kept."""
    try:
        kept = pictures_for(run.recipe, run.dataset_path, "holdout")
    except DatasetError:
        return dataset.labelled()
    fewest = min(len(domain) for domain in (kept, kept.partners or kept))
    return kept if fewest >= FEWEST_JUDGED else dataset.labelled()


def _put_in_order(run: Run, session: Session, state: str, callbacks: Sequence[Callback]) -> None:
    """Say in run.json how it ended and what is served; draw the film and the report."""
    if not session.trainer.engine.is_main:
        return
    run.note(
        state=state,
        step=session.trainer.step,
        images=session.trainer.progress.images,
        seconds=session.trainer.clock.seconds,
        certified_until=session.certified_until,
    )
    try:
        served = run.served()
        run.note(
            served={
                "step": served.entry.step,
                "why": served.why,
                "score": served.entry.facts["score"],
            }
        )
        note_temperature(run, str(session.trainer.engine.device))
    except RunError:
        run.note(served=None)
    for callback in callbacks:
        if isinstance(callback, Previews):
            callback.film()
    write_report(run.folder)


@contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM ask for a stop that saves; a second one ends at once."""
    received: list[int] = []

    def handle(number: int, frame: object) -> None:  # noqa: ARG001
        received.append(number)
        signal.signal(
            number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler
        )
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
