"""Pictures like the examples are found, and nothing is left out where they cannot be told apart."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from maquette.core.errors import DatasetError
from maquette.data.findings import unlike
from maquette.data.findings.features import SqueezeNet
from maquette.data.findings.finding import Finding, Survey
from maquette.data.findings.unlike import LEAST_EXAMPLES, Unlike, learned, regression
from maquette.data.pictures.content import Raster
from maquette.data.pictures.faults import Fault
from maquette.data.sources.source import Item
from planted.surveying import FACTS, KeptThumbnails, found, survey_of, surveyed

DIMS = 20


class Rows:
    """Describes by looking a row up, whose number is the picture's height."""

    name = "rows"

    def __init__(self, rows: np.ndarray):
        self.rows = rows.astype(np.float32)
        self.asked: list[int] = []

    def describe(self, rasters: Iterable[Raster]) -> np.ndarray:
        numbers = [len(raster) - 1 for raster in rasters]
        self.asked += numbers
        return self.rows[numbers]


class Numbered(KeptThumbnails):
    """Thumbnails of which a describer can tell the number."""

    def raster(self, picture: int) -> Raster:
        return numbered(picture)


def numbered(number: int) -> Raster:
    return np.zeros((number + 1, 1, 3), np.uint8)


def clouds(wanted: int, unwanted: int, examples: int, distance: float) -> np.ndarray:
    """Rows of wanted and unwanted pictures and of examples, each a cloud of deviation 1."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(wanted + unwanted + examples, DIMS))
    rows[wanted:, 0] += distance
    return rows


def told(rows: np.ndarray, examples: int) -> dict[str, Finding]:
    """Findings by name; the last rows are the examples."""
    count = len(rows) - examples
    pictures = surveyed(*[FACTS] * count).pictures
    survey = Survey(pictures, Numbered([b""] * count))
    check = Unlike(Rows(rows), [numbered(count + index) for index in range(examples)])
    return {finding.kind.name: finding for finding in check.findings(survey)}


def places(finding: Finding) -> set[int]:
    return {mark.picture for mark in finding.marks}


def test_what_is_like_the_examples_is_found() -> None:
    finding = told(clouds(400, 40, 30, distance=8.0), 30)["unlike"]
    right = places(finding) & set(range(400, 440))
    assert len(right) >= 36 and len(places(finding)) <= len(right) + 2
    assert [mark.picture for mark in finding.marks] == sorted(places(finding))
    assert "30 examples" in finding.remark and "rows" in finding.remark


def test_a_set_without_any_loses_next_to_nothing() -> None:
    results = told(clouds(400, 0, 30, distance=8.0), 30)
    assert "unlike" not in results or len(results["unlike"].marks) <= 2


def test_what_lies_between_is_shown_and_kept() -> None:
    rows = clouds(400, 40, 30, distance=8.0)
    rows[:10, 0] = np.linspace(2.0, 6.0, 10)
    results = told(rows, 30)
    assert places(results["unlike-borderline"]) & set(range(10))
    assert not places(results["unlike-borderline"]) & places(results["unlike"])


@pytest.mark.parametrize("distance", [0.0, 2.0])
def test_nothing_is_left_out_where_wanted_pictures_look_the_same(distance: float) -> None:
    results = told(clouds(400, 40, 30, distance), 30)
    assert "unlike" not in results
    assert "all are kept" in results["unlike-borderline"].remark


def test_nothing_is_left_out_where_nearly_everything_is_unwanted() -> None:
    assert "unlike" not in told(clouds(40, 400, 30, distance=8.0), 30)


def test_a_large_set_is_learned_from_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clouds(400, 40, 30, distance=8.0)
    whole = places(told(rows, 30)["unlike"])
    monkeypatch.setattr(unlike, "_SAMPLE", 150)
    part = places(told(rows, 30)["unlike"])
    assert len(part & set(range(400, 440))) >= 34
    assert len(part ^ whole) <= 6


def test_each_picture_is_described_once() -> None:
    rows = clouds(100, 10, 10, distance=8.0)
    describer = Rows(rows)
    survey = Survey(surveyed(*[FACTS] * 110).pictures, Numbered([b""] * 110))
    list(Unlike(describer, [numbered(110 + i) for i in range(10)]).findings(survey))
    assert sorted(describer.asked) == list(range(120))


def test_faults_are_passed_over() -> None:
    items = [Item(f"{i}.jpg", fault=Fault("empty", "no bytes")) for i in range(3)]
    check = Unlike(Rows(np.zeros((9, DIMS))), [numbered(i) for i in range(LEAST_EXAMPLES)])
    assert found(survey_of(items), check) == {}


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(DatasetError, match="too few examples"):
        Unlike(Rows(np.zeros((9, DIMS))), [numbered(0)] * 4)


def test_equal_pictures_do_no_harm() -> None:
    rows = np.ones((12, DIMS), np.float32)
    likeness, values = learned(rows[:5], rows[5:])
    assert np.isfinite(values).all() and np.isfinite(likeness.of(rows)).all()


def test_each_picture_is_judged_by_the_others() -> None:
    """The closed form is what scikit-learn gives when it learns again without each picture."""
    random = np.random.default_rng(0)
    features = random.normal(size=(30, 6))
    positive, counted = np.arange(30) < 8, np.arange(30) < 27
    features[:8] += 1
    weights, constant, values = regression(features, positive, counted)
    share = np.where(positive, 1 / 8, 1 / 19) * counted / 2
    centred = features - share @ features
    ridge = np.trace((centred * share[:, None]).T @ centred) / 6
    whole = Ridge(alpha=ridge).fit(features, positive, sample_weight=share)
    np.testing.assert_allclose(whole.coef_, weights, atol=1e-8)
    np.testing.assert_allclose(whole.intercept_, constant, atol=1e-8)
    for left in (0, 3, 12, 28):
        others = np.arange(30) != left
        model = Ridge(alpha=ridge).fit(features[others], positive[others], share[others])
        np.testing.assert_allclose(model.predict(features[left : left + 1])[0], values[left])


@pytest.mark.slow
def test_streets_among_landscapes(real_data: Path) -> None:
    """60 examples find 60 others of their kind among 600 landscapes; two draws."""
    describer = SqueezeNet(real_data / "weights" / "squeezenet1_1_imagenet.safetensors")
    streets = sorted((real_data / "landscapes_with_anachronisms").rglob("*.jpg"))
    landscapes = sorted((real_data / "landscapes").rglob("*.jpg"))
    figures = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        mixed, wanted = random.permutation(120), random.permutation(len(landscapes))[:600]
        examples = survey_of(_items([streets[i] for i in mixed[:60]])).thumbnails
        files = [streets[i] for i in mixed[60:]] + [landscapes[i] for i in wanted]
        check = Unlike(describer, [examples.raster(index) for index in range(60)])
        survey = survey_of(_items(files))
        marks = next(f for f in check.findings(survey) if f.kind.name == "unlike").marks
        right = sum(mark.picture < 60 for mark in marks)
        figures.append((right / 60, right / len(marks)))
    recall, precision = np.mean(figures, axis=0)
    assert recall >= 0.9 and precision >= 0.95, figures


def _items(files: Sequence[Path]) -> list[Item]:
    return [Item(str(number), content=file.read_bytes()) for number, file in enumerate(files)]
