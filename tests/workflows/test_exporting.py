"""A classifier as ONNX answers as it does in Python, and travels with all it needs to be used."""

import json
import sys

import numpy as np
import pytest
import torch

from classifiers import TinyClassifier
from commands import listing, maquette
from exported import CLASSES, quick_export, served, shared_export
from maquette.core.errors import RunError, SettingsError
from maquette.core.images import ImageSpec
from maquette.data.pictures.content import Drawing
from maquette.data.pictures.drawing import points_of, rasterise
from maquette.data.pictures.preparation import fitted, image_of
from maquette.data.sizes import ImageSize
from maquette.runs.folder import Run
from maquette.workflows.exporting import export
from maquette.workflows.exporting_graphs import MODEL, Answering, answers, graph, model_graph

pytest.importorskip("onnxscript", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")

SPEC = ImageSpec(1, 16, 16, CLASSES)
NO = np.zeros(1, np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return shared_export(tmp_path_factory)


@pytest.fixture
def classifying(monkeypatch):
    """Runs serve the tiny classifier."""
    monkeypatch.setattr(Run, "served_family", served)


def levels_apart(a, b) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_the_files_are_there_and_say_what_they_are(place):
    assert listing(place / "onnx") == {"model.onnx", "picture.onnx", "drawing.onnx", "model.json"}
    about = json.loads((place / "onnx" / "model.json").read_text())
    assert (about["classes"], about["name"]) == ([*CLASSES], "doodles")
    assert (about["channels"], about["height"], about["width"]) == SPEC.shape
    assert about["temperature"] == pytest.approx(0.2)
    assert about["fit"] == "cover" and about["run"]["recipe"] == "tiny"


def test_it_answers_as_in_python(place):
    family = TinyClassifier(SPEC).eval()
    pixels = torch.randint(0, 256, (300, *SPEC.shape), dtype=torch.uint8)
    with torch.no_grad():
        wanted = Answering(family)(pixels).numpy()
    (found,) = answers((place / "onnx" / "model.onnx").read_bytes(), pixels=pixels.numpy())
    assert np.array_equal(found.argmax(1), wanted.argmax(1))
    assert np.abs(found - wanted).max() < 1e-4
    assert found.sum(1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_strokes_become_the_pixels_of_a_dataset(place, count):
    random = np.random.default_rng(count)
    strokes = tuple(random.uniform(-50, 300, (2, count)).astype(np.float32) for _ in range(3))
    drawing = Drawing(strokes)
    graph = (place / "onnx" / "drawing.onnx").read_bytes()
    (pixels,) = answers(graph, points=points_of(drawing))
    assert pixels.shape == (1, *SPEC.shape)
    assert levels_apart(pixels[0, 0], rasterise(drawing, 16, 16)[..., 0]) <= 1


@pytest.mark.parametrize("side", [(1, 1), (16, 16), (9, 300), (480, 640)])
def test_pictures_become_the_pixels_of_a_dataset(place, side):
    rgb = np.random.default_rng(0).integers(0, 256, (*side, 3), dtype=np.uint8)
    rgba = np.dstack([rgb, np.full(side, 255, np.uint8)])
    pixels, _ = answers((place / "onnx" / "picture.onnx").read_bytes(), rgba=rgba, swap=NO)
    wanted = fitted(image_of(rgb), ImageSize(16, 16), 1, "cover")
    assert levels_apart(pixels[0, 0], wanted[..., 0]) <= 1


def test_nothing_of_the_machine_is_in_the_files(place):
    for file in (place / "onnx").iterdir():
        content = file.read_bytes()
        assert b".py" not in content and str(place).encode() not in content


def test_a_second_export_takes_the_place_of_the_first(place, tmp_path):
    out = tmp_path / "out"
    quick_export(place, "--out", out)
    (out / "model.onnx").write_bytes(b"")
    (out / "CNAME").write_text("example.org")
    assert "4 files" in quick_export(place, "--out", out)
    assert (out / "model.onnx").read_bytes() == (place / "onnx" / "model.onnx").read_bytes()
    assert (out / "CNAME").exists()
    assert listing(tmp_path) == {"out", "out/CNAME"} | {
        f"out/{file.name}" for file in (place / "onnx").iterdir()
    }


def test_other_families_are_refused_in_a_sentence(place, tmp_path):
    ended = maquette("export", place / "doodles", "--out", tmp_path / "out")
    assert ended.code == 1 and "which does not tell classes apart" in ended.err
    assert not listing(tmp_path)


def test_places_that_hold_something_else_are_refused(place, classifying, tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(RunError, match="holds no export"):
        export(place / "doodles", tmp_path)
    with pytest.raises(RunError, match="is a file"):
        export(place / "doodles", tmp_path / "mine.txt")
    with pytest.raises(SettingsError, match="--to web"):
        export(place / "doodles", tmp_path / "one.html", single=True)
    assert listing(tmp_path) == {"mine.txt"}


def test_a_missing_extra_is_one_sentence(place, classifying, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SettingsError, match=r"pip install 'maquette\[export\]'"):
        export(place / "doodles", tmp_path / "out")


def test_a_model_that_answers_differently_is_not_written(place, monkeypatch):
    family = TinyClassifier(SPEC).eval()
    family.temperature.fill_(5.0)
    other = (place / "onnx" / "model.onnx").read_bytes()
    monkeypatch.setattr("maquette.workflows.exporting_graphs.graph", lambda *given: other)
    with pytest.raises(RunError, match="does not answer as the run does"):
        model_graph(family)


class Stubborn(torch.nn.Module):
    """Depends on its data in a way that no graph can."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels if pixels.float().sum().item() > 1 else -pixels


def test_a_network_that_cannot_be_a_graph_is_one_sentence():
    with pytest.raises(RunError, match="cannot be written as ONNX"):
        graph(Stubborn(), (torch.zeros(2, 3),), MODEL)
