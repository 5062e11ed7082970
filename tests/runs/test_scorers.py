"""What a score is, for each capability: against direct computation."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from classifiers import TinyClassifier
from conftest import random_pixels, toy_dataset
from judged import toy_families
from maquette.core.images import ImageSpec, to_float, to_pixels
from maquette.core.randomness import noise
from maquette.data.dataset import ImageDataset
from maquette.evaluation.sliced_wasserstein import sliced_wasserstein
from maquette.families import family_class
from maquette.runs.scorers.answered import AnsweredScorer
from maquette.runs.scorers.generated import GeneratedScorer
from maquette.runs.scorers.known import scorer_for
from maquette.runs.scorers.translated import TranslatedScorer
from toys import toy_family, toy_recipe

SPEC = ImageSpec(1, 16, 16, ("left", "right"))


def tint(shift: float):
    with toy_families():
        kind = family_class("tint")
    return kind(kind.Settings(shift=shift), SPEC).eval()


def domains(count: int = 12) -> ImageDataset:
    partners = ImageDataset(random_pixels(count + 2, SPEC, seed=2) // 2 + 128, SPEC)
    return ImageDataset(random_pixels(count, SPEC, seed=1) // 2, SPEC, partners=partners)


def test_a_classifier_is_scored_by_its_mistakes_on_all_that_have_a_class():
    dataset = toy_dataset(count=60, channels=1)
    dataset.labels[::7] = -1
    family = TinyClassifier(dataset.spec).eval()
    scorer = AnsweredScorer(dataset, count=4, seed=0, batch=16)
    known = dataset.labels >= 0
    assert scorer.count == int(known.sum())
    scores = scorer.judge(family, 0.5).scores
    with torch.no_grad():
        logits = family.logits(to_float(dataset.pictures(torch.arange(60)[known])))
    labels = dataset.labels[known].numpy()
    right = accuracy_score(labels, logits.argmax(1).numpy())
    assert scores["top_1"] == pytest.approx(right)
    assert scores["score"] == pytest.approx(1 - right)
    loss = log_loss(labels, logits.double().softmax(1).numpy(), labels=[0, 1, 2])
    assert scores["held_out_loss"] == pytest.approx(loss, rel=1e-4)
    assert scores["score_low"] < scores["score"] < scores["score_high"]


def test_a_translator_is_scored_by_the_distance_to_where_it_translates():
    dataset = domains()
    scorer = TranslatedScorer(dataset, count=100, seed=0, batch=5)
    still, better, worse = (scorer.judge(tint(s), 0.5).scores for s in (0.0, 1.0, -1.0))
    assert better["score"] < still["score"] < worse["score"]
    assert still["content_kept"] == pytest.approx(1)
    a, b = scorer.real["a"], scorer.real["b"]
    expected = np.mean([sliced_wasserstein(b, a).value, sliced_wasserstein(a, b).value])
    assert still["score"] == still["sliced_wasserstein"] == pytest.approx(expected)
    assert still["score_low"] <= still["score"] <= still["score_high"]
    assert scorer.count == 12


def test_a_translator_of_one_direction_is_scored_in_that_one(monkeypatch):
    dataset, family = domains(), tint(1.0)
    monkeypatch.setattr(type(family), "directions", ("a_to_b",))
    scorer = TranslatedScorer(dataset, count=100, seed=0, batch=5)
    with torch.no_grad():
        made = to_pixels(family.translate(to_float(scorer.real["a"]), "a_to_b"))
    expected = sliced_wasserstein(scorer.real["b"], made).value
    assert scorer.judge(family, 0.0).scores["score"] == pytest.approx(expected)


def test_a_generator_that_collapses_is_told_of():
    dataset = toy_dataset()
    scorer = GeneratedScorer(dataset, count=8, seed=0, batch=4)
    family = toy_family(toy_recipe("gan-dense"), dataset.spec).eval()
    family.generate = lambda labels, seeds: torch.zeros(len(seeds), *dataset.spec.shape)
    assert scorer.judge(family, 0.5).warnings == ()
    again = GeneratedScorer(dataset, count=8, seed=0, batch=4)
    again.rewind(json.loads(json.dumps(scorer.mark())))
    (warning,) = again.judge(family, 0.6).warnings
    assert warning.startswith("mode collapse: ")


def test_classes_that_became_one_picture_each_are_told_of():
    """However different the classes are."""
    dataset = toy_dataset(count=60)
    family = toy_family(toy_recipe("gan-dense"), dataset.spec).eval()
    tints = torch.linspace(-1, 1, len(dataset.spec.classes))
    family.generate = lambda labels, seeds: (
        tints[labels][:, None, None, None].expand(-1, *dataset.spec.shape)
        + 0.1 * noise(seeds, *dataset.spec.shape)
    ).clamp(-1, 1)
    scorer = GeneratedScorer(dataset, count=60, seed=0, batch=20)
    first, second = (scorer.judge(family, fraction) for fraction in (0.5, 0.6))
    assert first.warnings == ()
    assert first.scores["class_spread"] < 0.3 < first.scores["diversity"]
    (warning,) = second.warnings
    assert warning.startswith("mode collapse: pictures of one class differ only ")


@pytest.mark.parametrize("kind", ["gan", "tint", "tiny"])
def test_each_capability_finds_its_scorer(kind):
    made = {
        "gan": lambda: (toy_family(toy_recipe("gan-dense"), toy_dataset().spec), GeneratedScorer),
        "tint": lambda: (tint(0.0), TranslatedScorer),
        "tiny": lambda: (TinyClassifier(toy_dataset().spec), AnsweredScorer),
    }
    family, scorer = made[kind]()
    dataset = domains() if kind == "tint" else toy_dataset()
    assert type(scorer_for(family, dataset, 8, 0, 4)) is scorer
