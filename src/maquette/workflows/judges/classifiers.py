"""Judges what names classes: by its answers for every held-out picture that has a class."""

from collections.abc import Mapping
from functools import partial

from PIL import Image

from maquette.core.errors import RunError
from maquette.core.family import Classifies, Family
from maquette.evaluation.evidence import Answers
from maquette.runs.asking import logits_of
from maquette.runs.confusion import confusion_picture
from maquette.runs.reliability import reliability_picture
from maquette.workflows.judges.judge import BATCH, Judge, Wish
from maquette.workflows.judges.material import Material

FEWEST = 8  # pictures: an interval of fewer holds everything


class ClassifierJudge(Judge[Answers]):
    """Every picture counts, so there is nothing to choose: neither how many, nor a network."""

    def __init__(self, material: Material, wish: Wish):
        folder = material.run.folder
        for option, given in (("--features", wish.features), ("-n", wish.count)):
            if given is not None:
                raise RunError(
                    f"{folder} holds a classifier, which is judged by its answers for all held-out "
                    f"pictures: leave out {option}"
                )
        held_out = material.held_out
        assert held_out.labels is not None
        labels = held_out.labels.cpu()
        rows = (labels >= 0).nonzero()[:, 0]
        if len(rows) < FEWEST:
            raise RunError(
                f"{folder} cannot be measured by {len(rows)} held-out pictures that have a class: "
                f"{FEWEST} are the least; judge by others with --data"
            )
        self.labels, self.pixels = labels[rows], held_out.pictures(rows).cpu()
        self.classes, self.report = held_out.spec.classes, wish.report
        self.foreign, self.count = material.foreign, len(rows)
        self.measured_on = material.measured_on(self.count)

    def look(self, family: Family) -> Answers:
        assert isinstance(family, Classifies)
        told = partial(self.report, "asking")
        return Answers(
            pixels=self.pixels,
            logits=logits_of(family, self.pixels, BATCH, told),
            labels=self.labels,
            temperature=family.temperature.item(),
            foreign=self.foreign,
            classes=self.classes,
        )

    def draw(self, evidence: Answers) -> Mapping[str, Image.Image]:
        """Which classes it takes for which, and whether it is right as often as it says."""
        return {
            "confusion.png": confusion_picture(evidence),
            "reliability.png": reliability_picture(evidence),
        }
