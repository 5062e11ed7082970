"""One run of a tiny classifier and what it exports to, made once for all tests that look at it.

Making graphs takes seconds, so test processes that run side by side share them.
"""

from pathlib import Path
from unittest.mock import patch

import pytest
from filelock import FileLock

from classifiers import TinyClassifier
from commands import TINY, make_dataset, maquette
from maquette.runs.folder import Run
from maquette.workflows import exporting

CLASSES = ("apple", "bicycle", "cat")


def served(run: Run, device: str = "cpu") -> TinyClassifier:
    """In place of what the run was trained on."""
    return TinyClassifier(run.spec).eval().to(device)


def shared_export(made: pytest.TempPathFactory) -> Path:
    """A folder with the finished run `doodles`, of grey pictures, and its `onnx` files."""
    base = made.getbasetemp()
    # Processes started by pytest-xdist have their own folders in one.
    place = (base.parent if base.name.startswith("popen-") else base) / "exported"
    with FileLock(f"{place}.lock"):
        if not (place / "onnx").exists():
            place.mkdir()
            (place / "tiny.yaml").write_text(TINY)
            data = make_dataset(place, classes=CLASSES)
            run = place / "doodles"
            trained = maquette("train", place / "tiny.yaml", "--data", data, "--out", run)
            assert trained.code == 0, trained.err
            with patch.object(Run, "served_family", served):
                ended = maquette("export", run, "--out", place / "onnx")
            assert ended.code == 0, ended.err
    return place


def quick_export(place: Path, *arguments: str | Path) -> str:
    """`maquette export` of that run, with the graphs made before; what it said."""
    graphs = {file.stem: file.read_bytes() for file in (place / "onnx").glob("*.onnx")}
    with (
        patch.object(Run, "served_family", served),
        patch.object(exporting, "graphs_of", lambda *given: graphs),
    ):
        ended = maquette("export", place / "doodles", *arguments)
    assert ended.code == 0, ended.err
    return ended.out
