"""Judges what names classes: by its answers for every held-out picture that has a class."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from maquette.core.errors import RunError
from maquette.core.family import Classifies, Family
from maquette.evaluation.evidence import Answers
from maquette.runs.asking import logits_of
from maquette.runs.confusion import confusion_picture
from maquette.runs.reliability import reliability_picture
from maquette.runs.unfinished import unfinished_picture
from maquette.workflows.judges.judge import BATCH, Judge, Wish
from maquette.workflows.judges.material import Material

SHARES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)  # of a drawing's points
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
        self.held_out, self.rows = held_out, rows
        self.classes, self.report = held_out.spec.classes, wish.report
        self.foreign, self.count = material.foreign, len(rows)
        self.measured_on = material.measured_on(self.count)

    def look(self, family: Family) -> Answers:
        assert isinstance(family, Classifies)
        told = partial(self.report, "asking")
        shares = SHARES if self.held_out.keeps_strokes else ()
        unfinished = {share: self._half_way(family, share) for share in shares}
        return Answers(
            pixels=self.pixels,
            logits=logits_of(family, self.pixels, BATCH, told),
            labels=self.labels,
            temperature=family.temperature.item(),
            foreign=self.foreign,
            classes=self.classes,
            unfinished=unfinished,
        )

    def _half_way(self, family: Classifies, share: float) -> Float[Tensor, "batch classes"]:
        """What it says when so much of each drawing is there."""
        found = []
        for rows in torch.split(self.rows, BATCH):
            pixels = self.held_out.partial_pictures(rows, share).cpu()
            found.append(logits_of(family, pixels, BATCH))
            self.report(f"asking at {share:.0%}", sum(map(len, found)), self.count)
        return torch.cat(found)

    def draw(self, evidence: Answers) -> Mapping[str, Image.Image]:
        """Which classes it takes for which, whether it is right as often as it says, and when."""
        drawn = {
            "confusion.png": confusion_picture(evidence),
            "reliability.png": reliability_picture(evidence),
        }
        if evidence.unfinished:
            drawn["unfinished.png"] = unfinished_picture(evidence)
        return drawn
