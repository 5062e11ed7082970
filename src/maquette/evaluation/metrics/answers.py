"""What a classifier is measured by: how often it is right, and whether it knows when."""

from collections.abc import Iterator
from dataclasses import replace

from maquette.core.family import Classifies
from maquette.evaluation.calibration import at_temperature, calibration
from maquette.evaluation.classification import Score, classification
from maquette.evaluation.confidence import (
    Logits,
    best_temperature,
    calibration_interval,
    cross_fitted,
)
from maquette.evaluation.evidence import Answers
from maquette.evaluation.metric import Measurement, Metric

_WILSON = "95 % interval (Wilson)"


class Accuracy(Metric[Answers]):
    """How often the class is the first answer, or among the first three."""

    name = "accuracy"
    needs = Classifies

    def measure(self, evidence: Answers) -> Iterator[Measurement]:
        found = classification(evidence.logits, evidence.labels)
        first = "floor: always answering the most frequent class"
        three = "floor: always answering the three most frequent classes, in that order"
        yield _score("top-1 accuracy", found.top_1, found.count, f"{_WILSON}; {first}")
        if len(evidence.classes) > 3:
            yield _score("top-3 accuracy", found.top_3, found.count, f"{_WILSON}; {three}")
        note = f"1, 1/2 or 1/3 for the first, second or third answer; 95 % interval; {three}"
        yield _score("MAP@3", found.map_3, found.count, note)


class Confidence(Metric[Answers]):
    """Is it right as often as it says?"""

    name = "calibration"
    needs = Classifies

    def measure(self, evidence: Answers) -> Iterator[Measurement]:
        logits, labels, used = evidence.logits, evidence.labels, evidence.temperature
        remark = ""
        if not evidence.foreign and len(labels) > 1:
            # A temperature flatters the pictures it was fitted on, so these are judged in halves.
            yield _calibration_error(
                "calibration error, cross-fitted",
                cross_fitted(logits, labels),
                evidence,
                "of each half of the pictures with the temperature of the other half; ",
            )
            remark = "" if used == 1 else "the temperature was fitted on these pictures; "
        yield _calibration_error(
            "calibration error, as it answers", at_temperature(logits, used), evidence, remark
        )
        best = best_temperature(logits, labels)
        yield Measurement(
            name="temperature",
            value=best.value,
            low=best.low,
            high=best.high,
            count=len(labels),
            note=f"the best one for these pictures, 95 % interval; it answers with {used:.3g}",
        )


class WhileDrawing(Metric[Answers]):
    """How soon does it know? Drawings cut off after a share of their points."""

    name = "unfinished"
    needs = Classifies

    def measure(self, evidence: Answers) -> Iterator[Measurement]:
        whole = classification(evidence.logits, evidence.labels).top_1.value
        for share in (0.25, 0.5, 0.75):
            if share not in evidence.unfinished:
                continue
            found = classification(evidence.unfinished[share], evidence.labels)
            note = f"{_WILSON}; drawings cut off there; ceiling: of the same drawings, finished"
            name = f"accuracy after {share:.0%} of the drawing"
            yield replace(_score(name, found.top_1, found.count, note), ceiling=whole)


def _score(name: str, score: Score, count: int, note: str) -> Measurement:
    return Measurement(
        name=name,
        value=score.value,
        low=score.low,
        high=score.high,
        count=count,
        floor=score.most_frequent,
        ceiling=1.0,
        note=f"{note}; guessing: {score.guessing:.3g}",
        lower_is_better=False,
    )


def _calibration_error(
    name: str, probabilities: Logits, evidence: Answers, remark: str
) -> Measurement:
    labels = evidence.labels
    found = calibration(probabilities, labels)
    interval = calibration_interval(probabilities, labels)
    wrong = float((probabilities.argmax(1) != labels).double().mean())
    return Measurement(
        name=name,
        value=found.error,
        low=interval.low,
        high=interval.high,
        count=found.count,
        floor=wrong,
        ceiling=found.faultless,
        note=f"{remark}ECE in 15 bins, 95 % interval (bootstrap); floor: were it certain of every "
        "answer; ceiling: by chance alone, were every confidence true "
        f"(up to {found.faultless_high:.2g} is no evidence of a fault)",
        lower_is_better=True,
    )
