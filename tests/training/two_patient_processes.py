"""Trains in two processes of which only the first has scores; each says where it ended."""

import sys
from pathlib import Path

from conftest import toy_dataset
from maquette.core.devices import start_engine
from maquette.training.callback import Callback, Moment
from maquette.training.checkpoints import CheckpointStore
from maquette.training.session import Session
from maquette.training.trainer import Trainer
from toys import toy_family, toy_recipe


class Judge(Callback):
    every_steps = 2

    def after_step(self, moment: Moment) -> None:
        moment.scores["score"] = 1.0 + abs(moment.progress.step - 6)


folder = Path(sys.argv[1])
dataset, recipe = toy_dataset(), toy_recipe("gan-dense", steps=30)
engine = start_engine("cpu", "fp32")
assert engine.processes == 2
trainer = Trainer(toy_family(recipe, dataset.spec), dataset, recipe.training, engine)
callbacks = [Judge()] if engine.is_main else []
store = CheckpointStore(folder / "checkpoints")
session = Session(trainer, store, 2, 3600.0, callbacks, patience_images=64)
outcome = session.run()
engine.wait_for_all()
said = f"{outcome} at {trainer.step}, over: {session.is_over()}"
(folder / f"rank-{engine.rank}").write_text(said)
