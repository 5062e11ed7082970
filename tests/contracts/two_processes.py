"""Trains the default recipe for three steps in two processes; the first saves the weights."""

import sys

from safetensors.torch import save_file

from conftest import toy_dataset
from maquette.core.devices import start_engine
from maquette.training.trainer import Trainer
from toys import toy_family, toy_recipe

dataset, recipe = toy_dataset(), toy_recipe("gan")
engine = start_engine("cpu", "fp32")
assert engine.processes == 2
trainer = Trainer(toy_family(recipe, dataset.spec), dataset, recipe.training, engine)
for _ in range(3):
    trainer.learn()
engine.wait_for_all()
if engine.is_main:
    weights = trainer.family.state_dict()
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, sys.argv[1])
