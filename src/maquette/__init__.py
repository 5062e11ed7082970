"""Maquette: from a small, messy set of pictures to an image model you can trust.

The verbs of the command line, as functions. Nothing heavy is imported before it is used.
"""

import importlib
import os
from typing import Any

# Threads that wait for each other should spin for some microseconds, and then sleep. Spinning on,
# a training step beside one other busy program on two cores took 3.7 s instead of 0.13 s; sleeping
# at once, steps of many small layers take twice as long (docs/notebook.md, "Speed traps"). GNU's
# OpenMP reads both, others the policy alone, when torch is first imported.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}

_HOME = {
    "check_pictures": "maquette.workflows.datasets",
    "build_dataset": "maquette.workflows.datasets",
    "show_dataset": "maquette.workflows.showing",
    "open_dataset": "maquette.data.dataset",
    "train": "maquette.workflows.training",
    "generate": "maquette.workflows.generating",
    "vary": "maquette.workflows.varying",
    "journey": "maquette.workflows.journeys",
    "save_generated": "maquette.workflows.generating",
    "save_journey": "maquette.workflows.journeys",
    "classify": "maquette.workflows.classifying",
    "prepare_lesson": "maquette.workflows.teaching",
    "teach": "maquette.workflows.teaching",
    "translate": "maquette.workflows.translating",
    "evaluate": "maquette.workflows.judging",
    "compare": "maquette.workflows.comparing",
    "export": "maquette.workflows.exporting",
    "schedule": "maquette.workflows.scheduling",
    "demo": "maquette.workflows.demo",
    "list_runs": "maquette.workflows.listing",
    "open_run": "maquette.runs.folder",
    "read_recipe": "maquette.recipe",
    "MaquetteError": "maquette.core.errors",
}
__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'maquette' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
