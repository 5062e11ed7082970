"""Trains the default recipe for three steps in two processes; the first saves the weights.

The first also watches every step, as the main process does alone.
"""

import sys
from pathlib import Path

from safetensors.torch import save_file

from conftest import toy_dataset
from maquette.core.devices import start_engine
from maquette.training.callback import Callback, Moment
from maquette.training.trainer import Trainer
from toys import toy_family, toy_recipe, toy_session


class Watcher(Callback):
    every_steps = 1

    def after_step(self, moment: Moment) -> None:
        assert moment.values


dataset, recipe = toy_dataset(), toy_recipe("gan", steps=3)
engine = start_engine("cpu", "fp32")
assert engine.processes == 2
trainer = Trainer(toy_family(recipe, dataset.spec), dataset, recipe.training, engine)
watching = [Watcher()] if engine.is_main else []
assert toy_session(trainer, Path(sys.argv[1]).with_suffix(""), watching).run() == "finished"
engine.wait_for_all()
if engine.is_main:
    weights = trainer.family.state_dict()
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, sys.argv[1])
