"""How sure a trained classifier may be of its answers: a temperature from held-out pictures."""

from maquette.core.errors import DatasetError
from maquette.core.family import Classifies
from maquette.evaluation.confidence import fair_temperature
from maquette.families import family_class
from maquette.runs.asking import logits_of
from maquette.runs.folder import Run
from maquette.runs.scorers.scorer import picture_rows
from maquette.workflows.pictures import pictures_for

FEWEST_PICTURES = 20  # fewer say next to nothing about how often it is right
MOST_PICTURES = 10_000
BATCH = 256


def note_temperature(run: Run, device: str = "cpu") -> None:
    """Fit the temperature of the weights that a classifier serves, and note it in run.json.

    With the step it belongs to: `Run.family_at` gives it to the weights of that step alone. Guo et
    al. 2017. Nothing is noted for other families, and where too few pictures were kept aside.
    """
    if not issubclass(family_class(run.recipe.family), Classifies):
        return
    try:
        kept = pictures_for(run.recipe, run.dataset_path, "holdout")
    except DatasetError:  # none, or the dataset is not there any more
        return
    assert kept.labels is not None
    labelled = (kept.labels >= 0).nonzero()[:, 0]
    rows = labelled[picture_rows(len(labelled), MOST_PICTURES, seed=0)]
    if len(rows) < FEWEST_PICTURES:
        return
    entry = run.served().entry
    family = run.family_at(entry, device)
    assert isinstance(family, Classifies)
    logits = logits_of(family, kept.pictures(rows), BATCH)
    value = fair_temperature(logits, kept.labels[rows])
    run.note(temperature={"step": entry.step, "value": value})
