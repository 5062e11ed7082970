"""The exported page, as a person meets it: in Chromium, from a plain static host and from disk."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from classifiers import TinyClassifier
from commands import TINY, maquette
from exported import CLASSES, quick_export, served, shared_export
from maquette.core.errors import SettingsError
from maquette.core.images import ImageSpec
from maquette.data.pictures.content import Drawing
from maquette.data.pictures.drawing import rasterise
from maquette.data.pictures.preparation import fitted
from maquette.data.sizes import ImageSize
from maquette.runs.folder import Run
from maquette.workflows import exporting
from maquette.workflows.classifying import Answer, classify
from maquette.workflows.exporting_graphs import Answering
from maquette.workflows.exporting_page import single_file
from maquette.workflows.exporting_runtime import runtime

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("onnxscript", reason="needs the extra export")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 760}
A_HOUSE = [
    [(0.3, 0.5), (0.3, 0.8), (0.7, 0.8), (0.7, 0.5)],
    [(0.2, 0.5), (0.5, 0.2), (0.8, 0.5), (0.2, 0.5)],
    [(0.5, 0.65)],
]
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 16, 16).data]"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@dataclass
class Visit:
    """An open page, what it asked for and what it complained of."""

    page: "playwright.Page"
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ready(self) -> "Visit":
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#pad canvas").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def draw(self, *strokes: list[tuple[float, float]]) -> None:
        for first, *others in strokes:
            self.page.mouse.move(*self.at(*first))
            self.page.mouse.down()
            for point in others:
                self.page.mouse.move(*self.at(*point))
            self.page.mouse.up()
        self.answered()

    def answered(self) -> list[str]:
        """The answers to what is on the pad now."""
        revision = self.page.locator("#pad").get_attribute("data-revision")
        self.page.wait_for_selector(f"#answers[data-revision='{revision}']", state="attached")
        return self.answers()

    def answers(self) -> list[str]:
        return [text for text in self.page.locator("#answers li").all_inner_texts() if text.strip()]

    def seen(self) -> np.ndarray:
        """The pixels that the page says the model sees."""
        rgba = self.page.locator("#seen").evaluate(PIXELS)
        return np.array(rgba, dtype=np.uint8).reshape(16, 16, 4)[..., 0]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with the site below another, and the same as a single file."""
    try:
        runtime(None, lambda done, total: None)
    except SettingsError as error:
        pytest.skip(f"needs the browser's runtime: {error}")
    made, place = shared_export(tmp_path_factory), tmp_path_factory.mktemp("host")
    quick_export(made, "--to", "web", "--out", place / "deep" / "site")
    quick_export(made, "--to", "web", "--single-file", "--out", place / "single.html")
    return place


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    """Served by Python's own static server, under a path."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        command, cwd=site, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split(" port ")[1].split()[0]
        yield f"http://127.0.0.1:{port}/deep/site/"
        server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as engine:
        yield engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def visit(browser, address):
    """Opens a page; at the end nothing may have been asked of others or complained of."""
    visits: list[Visit] = []

    def open_page(where: str = address, **context) -> Visit:
        page = browser.new_context(**({"viewport": DESK} | context)).new_page()
        made = Visit(page)
        page.on("request", lambda request: made.asked.append(request.url))
        page.on("console", lambda message: made.complaints.append(message.text))
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        page.goto(where)
        visits.append(made)
        return made.ready()

    yield open_page
    for made in visits:
        made.page.context.close()
        assert not made.complaints
        assert all(url.startswith((address, "file:", "blob:")) for url in made.asked)


def in_python(pixels: np.ndarray) -> list[str]:
    """What the page should answer to these pixels."""
    family = TinyClassifier(ImageSpec(1, 16, 16, CLASSES)).eval()
    with torch.no_grad():
        (shares,) = Answering(family)(torch.from_numpy(pixels)[None, None])
    order = shares.argsort(descending=True)
    return [f"{CLASSES[i]} {percent(float(shares[i]))}" for i in order]


def percent(share: float) -> str:
    hundredths = min(99.9, 100 * share)
    fine = hundredths < 9.95 or hundredths >= 99
    return f"{hundredths:.1f} %" if fine else f"{hundredths:.0f} %"


def as_lines(answers: list[str]) -> list[str]:
    return [" ".join(answer.split()) for answer in answers]


def test_a_drawing_is_seen_and_answered_as_in_python(visit):
    page = visit()
    assert page.answers() == []
    page.draw(*A_HOUSE)
    strokes = tuple(np.array(stroke, np.float32).T * 1000 for stroke in A_HOUSE)
    wanted = rasterise(Drawing(strokes), 16, 16)[..., 0]
    assert np.abs(page.seen().astype(int) - wanted).max() <= 1
    assert as_lines(page.answers()) == in_python(page.seen())


def test_it_answers_while_one_draws(visit):
    page = visit()
    page.page.mouse.move(*page.at(0.2, 0.2))
    page.page.mouse.down()
    seen = set()
    for x, y in [(0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]:
        page.page.mouse.move(*page.at(x, y))
        seen.add(tuple(page.answered()))
    assert len(seen) == 3


def test_undo_goes_back_also_over_clear(visit):
    page = visit()
    page.draw(A_HOUSE[0])
    one = page.answers()
    page.draw(A_HOUSE[1])
    assert page.answers() != one
    page.page.get_by_role("button", name="Undo").click()
    assert page.answered() == one
    page.page.keyboard.press("Delete")
    assert page.answered() == []
    page.page.keyboard.press("z")
    assert page.answered() == one
    page.page.get_by_role("button", name="Clear").click()
    assert page.answered() == []
    assert page.page.get_by_role("button", name="Clear").is_disabled()


def test_one_can_draw_with_the_keyboard_alone(visit):
    page = visit()
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    assert page.page.locator("#pad canvas").evaluate("pad => pad === document.activeElement")
    keyboard.press("Space")
    assert page.page.locator("#said").inner_text() == "Pen down"
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"):
        keyboard.press(key)
    drawing = page.answered()
    assert drawing
    keyboard.press("Space")
    assert page.page.locator("#said").inner_text() == "Pen up"
    keyboard.press("ArrowDown")
    assert page.answered() == drawing


def a_picture(path: Path, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """A PNG of noise on black; its grey pixels as the model is to see them."""
    random = np.random.default_rng(0)
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[20:-20, 20:-20] = random.integers(0, 256, (size[1] - 40, size[0] - 40, 3))
    Image.fromarray(pixels).save(path)
    return pixels


def prepared(pixels: np.ndarray) -> np.ndarray:
    return fitted(Image.fromarray(pixels), ImageSize(16, 16), 1, "cover")[..., 0]


def test_a_picture_goes_onto_the_pad_and_can_be_swapped_and_drawn_over(visit, tmp_path):
    page = visit()
    pixels = a_picture(tmp_path / "noise.png")
    page.page.locator("#file").set_input_files(tmp_path / "noise.png")
    page.page.wait_for_selector("#as-seen:not([hidden])")
    page.answered()
    assert np.abs(page.seen().astype(int) - prepared(pixels)).max() <= 1
    assert as_lines(page.answers()) == in_python(page.seen())
    plain = page.seen()
    swap = page.page.get_by_label("Swap light and dark")
    assert not swap.is_checked()
    swap.check()
    page.page.wait_for_timeout(300)
    assert np.array_equal(page.seen(), 255 - plain)
    page.draw(A_HOUSE[0])
    assert not np.array_equal(page.seen(), 255 - plain)


def test_paper_is_swapped_by_itself(visit, tmp_path):
    page = visit()
    Image.fromarray(255 - a_picture(tmp_path / "noise.png")).save(tmp_path / "paper.png")
    page.page.locator("#file").set_input_files(tmp_path / "paper.png")
    page.page.wait_for_selector("#as-seen:not([hidden])")
    assert page.page.get_by_label("Swap light and dark").is_checked()
    assert page.seen()[0].max() == 0


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(visit, tmp_path, how):
    page = visit()
    a_picture(tmp_path / "noise.png")
    content = list((tmp_path / "noise.png").read_bytes())
    kind = {"drop": "DragEvent", "paste": "ClipboardEvent"}[how]
    page.page.evaluate(
        """([content, how, kind]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "a.png", { type: "image/png" }));
            const carried = kind === "DragEvent" ? "dataTransfer" : "clipboardData";
            const event = new window[kind](how, { [carried]: data, bubbles: true });
            document.getElementById("pad").dispatchEvent(event);
        }""",
        [content, how, kind],
    )
    page.page.wait_for_selector("#as-seen:not([hidden])")
    assert page.answered()


def test_what_is_no_picture_is_told_in_a_sentence(visit, tmp_path):
    page = visit()
    (tmp_path / "notes.png").write_text("no picture")
    page.page.locator("#file").set_input_files(tmp_path / "notes.png")
    page.page.wait_for_selector("#trouble:not(:empty)")
    assert "notes.png is not a picture" in page.page.locator("#trouble").inner_text()
    assert page.answers() == []


def test_a_single_file_opens_from_disk_and_asks_for_nothing(visit, site):
    page = visit((site / "single.html").as_uri())
    page.draw(*A_HOUSE)
    assert as_lines(page.answers()) == in_python(page.seen())
    a_picture(site / "noise.png")
    page.page.locator("#file").set_input_files(site / "noise.png")
    page.page.wait_for_selector("#swapping:not([hidden])")
    assert page.answered()
    assert [url for url in page.asked if not url.startswith("blob:")] == [
        (site / "single.html").as_uri()
    ]


def test_a_phone_shows_pad_and_answers_and_draws_by_touch(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    width = page.page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["width"]
    answers = page.page.locator("#answers").bounding_box()
    assert answers["y"] + answers["height"] <= PHONE["height"]
    touch = page.page.context.new_cdp_session(page.page)
    for kind, points in [
        ("touchStart", [page.at(0.2, 0.2)]),
        ("touchMove", [page.at(0.5, 0.8)]),
        ("touchMove", [page.at(0.8, 0.2)]),
        ("touchEnd", []),
    ]:
        points = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert page.answered()
    assert page.page.evaluate("scrollY") == 0


def test_everything_has_a_name_for_those_who_hear_it(visit):
    page = visit()
    page.draw(*A_HOUSE)
    tree = page.page.locator("body").aria_snapshot()
    for name in (
        'application "Drawing pad"',
        'button "Undo"',
        'button "Clear"',
        'button "Picture…"',
        'heading "Looks like"',
        'list "Looks like"',
        'img "What the model sees"',
        "status",
    ):
        assert name in tree, tree
    best = page.answers()[0].split()[0]
    page.page.wait_for_selector("#said:not(:empty)", state="attached")
    time.sleep(1)
    assert page.page.locator("#said").inner_text().startswith(best)


def test_the_page_may_ask_nothing_of_others(address, browser):
    page = browser.new_page()
    page.goto(address)
    blocked = "fetch('https://example.org/').then(() => 'sent', error => error.name)"
    with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
        assert page.evaluate(blocked) == "TypeError"
    page.close()


@pytest.mark.slow
def test_a_model_of_strokes_answers_as_in_python(browser, tmp_path):
    """Both to a drawing, by the order of its strokes, and to a picture in colours."""
    strokes = [[[1000 * x for x, _ in s], [1000 * y for _, y in s]] for s in A_HOUSE]
    other = [strokes[i] for i in (2, 0, 1)]  # the same house in another order
    for kind, drawn in zip(CLASSES, (strokes, other, other), strict=True):
        line = json.dumps({"word": kind, "drawing": drawn})
        (tmp_path / f"{kind}.ndjson").write_text(f"{line}\n" * 4)
    (tmp_path / "tiny.yaml").write_text(TINY)
    data, run, page = tmp_path / "data", tmp_path / "run", tmp_path / "page.html"
    files = [tmp_path / f"{kind}.ndjson" for kind in CLASSES]
    options = ("--size", "16", "--holdout", "0", "--stroke-channels", "--out", data)
    for command in (
        ("data", "build", *files, *options),
        ("train", tmp_path / "tiny.yaml", "--data", data, "--out", run),
    ):
        assert (ended := maquette(*command)).code == 0, ended.err
    noise = np.random.default_rng(0).integers(0, (200, 100, 50), (60, 90, 3))
    Image.fromarray(noise.astype(np.uint8)).save(tmp_path / "noise.png")
    with patch.object(Run, "served_family", served):
        ended = maquette("export", run, "--to", "web", "--single-file", "--out", page)
        assert ended.code == 0, ended.err
        wanted = classify(run, [files[0], tmp_path / "noise.png"])
    visit = Visit(browser.new_page())
    visit.page.goto(page.as_uri())
    visit.ready().draw(*A_HOUSE)
    assert_alike(visit.answers(), wanted[0])
    visit.page.get_by_role("button", name="Clear").click()
    visit.page.locator("#file").set_input_files(tmp_path / "noise.png")
    visit.page.wait_for_selector("#swapping:not([hidden])")
    assert_alike(visit.answered(), wanted[-1])
    visit.page.close()


def assert_alike(lines: list[str], answer: Answer) -> None:
    """Pixels may be one level apart, and so answers a little."""
    found = [line.rsplit(maxsplit=2) for line in as_lines(lines)]
    assert [name for name, _, _ in found] == list(answer.classes)
    for (_, share, _), wanted in zip(found, answer.probabilities, strict=True):
        assert abs(float(share) / 100 - wanted) < 0.01


@pytest.mark.slow
def test_a_model_of_photos_is_shown_pictures(browser, site, tmp_path):
    """Colours, bars of white where the shape differs, and black ink on white paper."""
    spec = ImageSpec(3, 16, 24, CLASSES)
    family = TinyClassifier(spec).eval()
    graphs = exporting.graphs_of(family, "contain", draws=False)
    about = {"name": "photos", "classes": [*CLASSES], "channels": 3, "height": 16, "width": 24}
    about |= {"fit": "contain", "graphs": sorted(graphs)}
    page = single_file(about, graphs, runtime(None, lambda done, total: None))
    (tmp_path / "photos.html").write_bytes(page)
    visit = Visit(browser.new_page())
    visit.page.goto((tmp_path / "photos.html").as_uri())
    visit.ready().draw(*A_HOUSE)
    assert len(visit.answers()) == 3
    pixels = a_picture(tmp_path / "noise.png")
    visit.page.locator("#file").set_input_files(tmp_path / "noise.png")
    visit.page.wait_for_selector("#pad[data-revision]")
    visit.page.wait_for_timeout(1000)
    wanted = fitted(Image.fromarray(pixels), ImageSize(16, 24), 3, "contain")
    with torch.no_grad():
        (shares,) = Answering(family)(torch.from_numpy(wanted.copy()).permute(2, 0, 1)[None])
    best = int(shares.argmax())
    assert as_lines(visit.answers())[0] == f"{CLASSES[best]} {percent(float(shares[best]))}"
    visit.page.close()
