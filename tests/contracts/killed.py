"""Trains toy recipes and pulls the plug on each: a process of its own for every one, killed with
SIGKILL while it learns.

    python killed.py FOLDER NAME...

What each had saved lies under FOLDER/NAME then. Started by test_kills.py; torch is loaded once.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from conftest import toy_dataset
from maquette.training.callback import Callback
from toys import STEPS, toy_recipe, toy_session, toy_trainer


class PullThePlug(Callback):
    """Two steps before the end, beside a checkpoint that may be half written."""

    every_steps = STEPS - 2

    def after_step(self, moment: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, names: list[str]) -> None:
    toy_trainer(toy_recipe(names[0]), toy_dataset()).learn()  # loads what torch loads late
    for name in names:
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, name
            continue
        trainer = toy_trainer(toy_recipe(name), toy_dataset())
        toy_session(trainer, folder / name, [PullThePlug()], save_every_steps=1).run()
        os._exit(1)  # it should not have come to this


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2:])
