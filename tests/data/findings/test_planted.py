"""What the checks find among a thousand clean pictures with every kind of fault planted in them.

The figures are those that the project promises; one test, because the corpus takes a while.
"""

from pathlib import Path

import numpy as np
import pytest

from maquette.data.findings.colours import Colours
from maquette.data.findings.faults import Faults
from maquette.data.findings.finding import Survey
from maquette.data.findings.shapes import Shapes
from maquette.data.findings.tones import Tones
from maquette.data.findings.twins import Twins
from maquette.data.pictures.looking import Bench
from maquette.data.sizes import ImageSize
from planted.corpus import CLEAN, Corpus, make_corpus
from planted.surveying import found, survey_folder

LEAST_RECALL, LEAST_PRECISION = 0.95, 0.90
CHECKS = (Faults(), Twins(), Shapes(), Tones(), Colours())


def test_figures(tmp_path: Path, subtests: pytest.Subtests) -> None:
    corpus = make_corpus(tmp_path / "corpus")
    survey = survey_folder(corpus.folder)
    _enough_was_planted(corpus, survey)
    results = found(survey, *CHECKS)
    assert set(results) == set(corpus.truth)
    for kind, truth in corpus.truth.items():
        right = len(results[kind] & truth)
        with subtests.test(kind):
            assert right / len(truth) >= LEAST_RECALL, sorted(truth - results[kind])
            assert right / len(results[kind]) >= LEAST_PRECISION, sorted(results[kind] - truth)
    with subtests.test("bars within a pixel"):
        _bars_are_right(corpus, survey)
    with subtests.test("upright"):
        _pictures_are_upright(corpus)


def _enough_was_planted(corpus: Corpus, survey: Survey) -> None:
    assert len(corpus.truth) >= 12
    assert min(len(truth) for truth in corpus.truth.values()) >= 20
    spoilt = set().union(*corpus.truth.values())
    assert len(survey.pictures) - len(spoilt) >= CLEAN


def _bars_are_right(corpus: Corpus, survey: Survey) -> None:
    boxes = {p.source: p.facts.box for p in survey.pictures if p.facts and p.facts.box}
    for source in boxes.keys() & corpus.boxes.keys():
        box, truth = boxes[source], corpus.boxes[source]
        assert np.abs(np.subtract(box, truth)).max() <= 1, (source, box, truth)


def _pictures_are_upright(corpus: Corpus) -> None:
    """Every orientation, and what Pillow opens in a special way: as planted, up to compression."""
    for source, upright in corpus.upright.items():
        content = (corpus.folder.parent / source).read_bytes()
        height, width = upright.shape[:2]
        pixels = Bench(ImageSize(height, width)).look(content).pixels
        assert pixels is not None
        error = np.abs(pixels.astype(int) - upright).mean()
        assert error < 8, (source, error)
