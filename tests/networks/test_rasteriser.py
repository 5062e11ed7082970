"""The graph that a browser draws with gives the pictures that datasets are built with."""

import base64
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maquette.core.errors import SettingsError
from maquette.data.pictures.drawing import points_of, rasterise_points
from maquette.data.sources.drawings import DrawingRecord, read_drawings
from maquette.networks.rasteriser import Rasteriser
from maquette.workflows import exporting_graphs
from maquette.workflows.exporting_runtime import runtime

PAGE = """<script type="module">
import * as ort from "./ort.wasm.min.mjs"
ort.env.wasm.numThreads = 1
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
window.drawn = async (graph, numbers, counts) => {
  const session = await ort.InferenceSession.create(bytes(graph))
  const points = new Float32Array(bytes(numbers).buffer)
  const pictures = []
  let start = 0
  for (const count of counts) {
    const part = points.slice(3 * start, 3 * (start + count))
    const out = await session.run({points: new ort.Tensor("float32", part, [count, 3])})
    pictures.push(Array.from(out.pixels.data, (v) => String.fromCharCode(v)).join(""))
    start += count
  }
  return btoa(pictures.join(""))
}
window.ready = true
</script>"""


@cache
def graph(channels: int, height: int, width: int) -> bytes:
    pytest.importorskip("onnxscript")
    example = (torch.zeros(7, 3),)
    drawing = Rasteriser(channels, height, width)
    return exporting_graphs.graph(drawing, example, exporting_graphs.DRAWING)


def walk(seed: int, points: int, strokes: int, scale: float = 1, shift: float = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    xy = random.normal(0, 9, (points, 2)).cumsum(0).round() * scale + shift
    numbers = np.sort(random.integers(0, strokes, points))
    return np.column_stack([xy, numbers]).astype(np.float32)


POINT = np.array([[3, 5, 0]], np.float32)
STILL = np.array([[3, 5, 0], [3, 5, 0], [3, 5, 4]], np.float32)
DRAWN = [
    POINT,
    STILL,
    walk(0, 40, 5),
    walk(1, 800, 9),
    walk(2, 30, 2, 1e-3),
    walk(3, 30, 3, 1, 1e6),
]


def differences(drawings: list[np.ndarray], channels: int, height: int, width: int) -> np.ndarray:
    network = Rasteriser(channels, height, width)
    dense = np.concatenate([network(torch.from_numpy(points)).numpy() for points in drawings])
    sparse = rasterise_points(drawings, height, width, channels).transpose(0, 3, 1, 2)
    return np.abs(dense.astype(int) - sparse.astype(int))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (8, 8), (20, 50), (90, 80)])
def test_everywhere_and_near_the_lines_alone_give_the_same(
    channels: int, size: tuple[int, int]
) -> None:
    assert differences(DRAWN, channels, *size).max() <= 1


coordinate = st.floats(-1e7, 1e7, width=32)


@given(st.lists(st.tuples(coordinate, coordinate, st.integers(0, 2)), min_size=1, max_size=9))
def test_any_points_are_drawn_alike(points: list[tuple[float, float, int]]) -> None:
    assert differences([np.array(points, np.float32)], 3, 20, 28).max() <= 1


def test_real_drawings_are_drawn_alike(real_data: Path) -> None:
    assert differences(real_drawings(real_data, "c*.ndjson")[::8], 3, 28, 28).max() <= 1


def test_the_graph_takes_any_number_of_points() -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(graph(3, 28, 28))
    network = Rasteriser(3, 28, 28)
    for points in DRAWN:
        (pixels,) = session.run(["pixels"], {"points": points})
        expected = network(torch.from_numpy(points)).numpy()
        assert pixels.dtype == np.uint8 and pixels.shape == expected.shape == (1, 3, 28, 28)
        assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 1


def real_drawings(real: Path, files: str) -> list[np.ndarray]:
    """Simplified and raw."""
    return [
        points_of(record.drawing)
        for file in sorted((real / "quickdraw").glob(f"*/{files}"))
        for _number, record in read_drawings(file)
        if isinstance(record, DrawingRecord)
    ]


def told(done: int, total: int | None) -> None:
    """Of a download, nothing."""


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of real Chromium that can run graphs."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    try:
        files = {file.name: content for file, content in runtime(None, told).items()}
    except SettingsError as problem:
        pytest.skip(str(problem))

    def answer(route: Any) -> None:
        name = route.request.url.rpartition("/")[2].partition("?")[0]
        if name in files:
            kind = "application/wasm" if name.endswith("wasm") else "text/javascript"
            route.fulfill(body=files[name], content_type=kind)
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page()
        shown.route("**/*", answer)
        shown.goto("http://localhost/")
        shown.wait_for_function("window.ready")
        yield shown
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (28, 28)), (3, (12, 40))])
def test_a_browser_draws_the_same(
    channels: int, size: tuple[int, int], page: Any, real_data: Path
) -> None:
    """At most one level of 255 away from what a dataset holds, whatever is drawn."""
    drawings = real_drawings(real_data, "*.ndjson")[::8]
    shift = np.array([4e4, -7e3, 0], np.float32)
    drawings += [points + shift for points in drawings[:100]]
    drawings += [points * np.array([1e-3, 1e-3, 1], np.float32) for points in drawings[:100]]
    drawings += DRAWN
    assert len(drawings) > 2000
    encoded = page.evaluate(
        "([graph, numbers, counts]) => window.drawn(graph, numbers, counts)",
        [
            base64.b64encode(graph(channels, *size)).decode(),
            base64.b64encode(np.concatenate(drawings).tobytes()).decode(),
            [len(points) for points in drawings],
        ],
    )
    browsers = np.frombuffer(base64.b64decode(encoded), np.uint8)
    browsers = browsers.reshape(-1, channels, *size).transpose(0, 2, 3, 1)
    ours = rasterise_points(drawings, *size, channels)
    assert np.abs(browsers.astype(int) - ours.astype(int)).max() <= 1
