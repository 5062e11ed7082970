"""The page shows what the run folder holds, escapes all of it, and asks for nothing else."""

import hashlib
import json
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from commands import make_dataset
from maquette.core.errors import RunError
from maquette.core.pictures import animation, grid, save_png
from maquette.runs.report import write_report

RECIPE = """\
# A small conditional GAN for grey digits.
name: digits
family: gan
training:
  steps: 3000
  batch_size: 32
  seed: 0
"""
NASTY = "<script>alert('$x_1$ & co')</script>"


def fake_run(folder: Path, steps: int = 3000, name: str = "demo") -> Path:
    """A run as training leaves it: one rollback, one resume, a served checkpoint, an evaluation."""
    (folder / "previews").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(RECIPE)
    served = {"step": 2400, "why": "the best score (0.0812), certified by quiet steps after it"}
    info = {
        "format": 1,
        "name": name,
        "state": "finished",
        "dataset": {
            "name": "digits",
            "path": "/somewhere",
            "count": 1617,
            "fingerprint": "4be0643f1d98573b97caf2ea2a7e5f0c",
            "spec": {"channels": 1, "height": 32, "width": 32, "classes": list("0123456789")},
        },
        "environment": {"torch": "2.13.0", "device": "cpu", "hardware": "A laptop", "threads": 2},
        "served": served,
    }
    (folder / "run.json").write_text(json.dumps(info))
    lines = fake_history(steps)
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "evaluation.json").write_text(json.dumps(fake_evaluation()))
    draw_pictures(folder, steps)
    return folder


def fake_history(steps: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    lines: list[dict[str, Any]] = []

    def learn(start: int, stop: int, exploding_from: int = 10**9) -> None:
        for step in range(start + 10, stop + 1, 10):
            wild = 1.06 ** max(0, (step - exploding_from) / 5)
            clock = {"step": step, "images": step * 32, "seconds": round(step * 0.061, 3)}
            noise = random.normal(size=4)
            values = {
                "discriminator": (0.9 - 0.2 * math.exp(-step / 400) + 0.08 * noise[0]) * wild,
                "discriminator/gradient_norm": 0.8 + 0.2 * abs(noise[1]),
                "generator": (1.1 + 0.5 * math.exp(-step / 500) + 0.15 * noise[2]) * wild,
                "generator/gradient_norm": 1.4 + 0.4 * abs(noise[3]),
                "real_correct": 0.72 + 0.05 * noise[1],
                "discriminator/learning_rate": 0.0004 * min(1, step / 300) * (1 - step / 3100),
                "generator/learning_rate": 0.0002 * min(1, step / 300) * (1 - step / 3100),
            }
            lines.append(clock | values)
            if step % 200 == 0:
                distance = 0.07 + 0.6 * math.exp(-step / 500) + 0.01 * abs(noise[0])
                varied = 1 - 0.8 * math.exp(-step / 300) + 0.02 * noise[1]
                scores = {"sliced_wasserstein": distance, "diversity": varied, "score": distance}
                lines.append(clock | scores)

    def tell(step: int, kind: str, message: str) -> None:
        clock = {"step": step, "images": step * 32, "seconds": step * 0.061}
        lines.append(clock | {"event": kind, "message": message})

    learn(0, 1500, exploding_from=1320)
    tell(1500, "rollback", "discriminator stayed above 3 times its median: went back to step 1,000")
    learn(1000, 2000)
    tell(2000, "resumed", "going on from step 2,000")
    learn(2000, steps)
    tell(steps, "finished", "all steps are done")
    return lines


def fake_evaluation() -> dict[str, Any]:
    agreement = {"name": "label agreement", "value": 0.941, "low": 0.925, "high": 0.954}
    spread = {"name": "spread inside a class", "value": 0.83, "low": 0.71, "high": 0.94}
    note = "95 % interval (Wilson); the reader was trained on real pictures alone"
    ends = "of the real spread, mean over classes; the ends are the least and most varied class"
    return {
        "pictures": 1000,
        "measurements": [
            agreement | {"count": 1000, "floor": 0.1, "ceiling": 0.986, "note": note},
            spread | {"count": 1000, "floor": 0.0, "ceiling": 1.0, "note": ends},
        ],
    }


def draw_pictures(folder: Path, steps: int) -> None:
    """Strokes that come out of noise."""
    random = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    angles = torch.arange(100) // 10 * 0.31 + torch.rand(100, generator=random) * 0.2
    across = x * angles.cos()[:, None, None] + y * angles.sin()[:, None, None]
    bend = 0.4 * torch.sin(3 * (y + angles[:, None, None]))
    strokes = torch.exp(-(((across - bend) / 0.18) ** 2))[:, None]
    for step in range(300, steps + 1, 300):
        share = 1 - math.exp(-step / 900)
        noise = torch.rand(strokes.shape, generator=random)
        pixels = (255 * (share * strokes + (1 - share) * noise)).byte()
        picture = grid(pixels[::2][:36], 6, min_tile_px=48)
        save_png(picture, folder / "previews" / f"{step:08d}.png")
    animation(sorted((folder / "previews").glob("*.png")), folder / "previews" / "progress.gif")
    pixels = (255 * strokes).byte()
    save_png(grid(pixels, 10, row_names=[*"0123456789"]), folder / "samples.png")


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " " if tag in ("td", "p", "div") else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_run(tmp_path_factory.mktemp("runs") / "demo")


def test_it_says_what_a_reader_wants_to_know(finished: Path) -> None:
    path = write_report(finished)
    assert path == finished / "report.html"
    text = " ".join(Page(path).text.split())
    for words in (
        "Learnt from 1,617 pictures of digits, 32x32 grey, 10 classes",
        "step 2,400: the best score (0.0812), certified by quiet steps after it.",
        "1 alarm on the way",
        "went back to step 1,000",
        "0.925 to 0.954",
        "Training images 96,000",
        "3 min 03 s",
        "524.6",  # images a second
        "batch_size: 32",
        "A laptop",
    ):
        assert words in text


def test_it_asks_for_nothing_beside_itself(finished: Path) -> None:
    page = Page(write_report(finished))
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe")
        for name in ("src", "href", "xlink:href"):
            assert re.match(r"data:image/(png|gif);base64,|#|$", attributes.get(name) or "")
    assert "url(http" not in (finished / "report.html").read_text()
    policies = [a["content"] for _, a in page.tags if "http-equiv" in a]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_drawings_follow_the_page_and_do_not_share_names(finished: Path) -> None:
    write_report(finished)
    html = (finished / "report.html").read_text()
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) == 6  # losses, two scores, rates, gradient norms, one note
    for drawing in drawings:
        colours = set(re.findall(r"(?:fill|stroke): (#\w+|var\([^)]*\))", drawing))
        assert {c for c in colours if c.startswith("#")} <= {"#000000", "#ffffff"}
    names = [
        name for drawing in drawings for name in set(re.findall(r'clipPath id="(\w+)"', drawing))
    ]
    assert len(names) == len(set(names))


def test_the_same_folder_gives_the_same_page(finished: Path) -> None:
    first = write_report(finished).read_text()
    assert write_report(finished).read_text() == first


def test_everything_from_the_run_is_escaped(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", steps=2100, name=NASTY)
    with (folder / "history.jsonl").open("a") as history:
        line = {"step": 2110, "images": 67520, "seconds": 130.0}
        history.write(json.dumps(line | {"event": NASTY, "message": NASTY}) + "\n")
        history.write(json.dumps(line | {NASTY: 0.5, f"{NASTY}/learning_rate": 0.1}) + "\n")
    (folder / "recipe.yaml").write_text(f"name: {NASTY}")
    evaluation = fake_evaluation()
    evaluation["measurements"][0] |= {"name": NASTY, "note": NASTY}
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    page = Page(write_report(folder))
    assert page.count("script") == 0
    assert page.text.count(NASTY) >= 7


def test_without_an_evaluation_the_scores_of_the_served_weights_speak(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    (folder / "evaluation.json").unlink()
    (folder / "samples.png").unlink()
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    score = next(x["diversity"] for x in lines if x["step"] == 2400 and "diversity" in x)
    page = Page(write_report(folder))
    words = " ".join(page.text.split())
    assert f"Diversity {score:.4g} How much" in words
    assert "Preview at step 2,400" in words  # the preview nearest to what is served


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"format": 1, "name": "bare", "state": "training"}')
    page = Page(write_report(tmp_path))
    assert "Still training" in page.text
    assert (page.count("img"), page.count("svg"), page.count("table")) == (0, 0, 0)


def test_a_line_cut_off_by_a_kill_costs_nothing_else(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    before = write_report(folder).read_text()
    with (folder / "history.jsonl").open("a") as history:
        history.write('{"step": 3010, "images": 963')
    assert write_report(folder).read_text() == before


def test_folders_without_a_run_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a run: it has no run\.json"):
        write_report(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        write_report(tmp_path)


def test_a_full_disk_leaves_the_old_page(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_report(finished).read_text()

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("maquette.runs.report.write_text", full)
    with pytest.raises(RunError, match=r"cannot be written \(no space left on device\)"):
        write_report(finished)
    assert (finished / "report.html").read_text() == before


def fake_columns() -> list[dict[str, Any]]:
    """Three columns of one number with a network, as `evaluate --checkpoint all` leaves them."""
    kid = {"name": "kernel distance, KID (net)", "low": 0.1, "high": 0.3, "count": 500}
    kid |= {"floor": 2.0, "ceiling": 0.0, "note": "a kid note", "features": "net, weights abc"}
    named = (("selected on held-out", 2400, 0.21), ("last", 3000, 0.25), ("best of run", None, 0.2))
    return [
        {"name": name, "step": step, "measurements": [kid | {"value": value}]}
        for name, step, value in named
    ]


def write_columns(folder: Path, columns: list[dict[str, Any]]) -> None:
    content = {"format": 2, "columns": columns, "measurements": columns[0]["measurements"]}
    (folder / "evaluation.json").write_text(json.dumps(content))


def test_columns_stand_apart_and_the_flattering_one_says_so(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    write_columns(folder, fake_columns())
    html = write_report(folder).read_text()
    header = html[html.index("<thead>") : html.index("</thead>")]
    places = [header.index(f">{n}") for n in ("selected on held-out", "last", "best of run")]
    assert places == sorted(places)
    row = html[html.index("<tbody>") : html.index("</tbody>")]
    assert re.findall(r'<td class="column( apart)?">\s*<span class="strong">([\d.]+)', row) == [
        ("", "0.21"),
        ("", "0.25"),
        (" apart", "0.2"),
    ]
    assert "flatters" in header and "Do not quote it" in html
    assert html.count("net, weights abc") == html.count("a kid note") == 1
    hero = html[html.index('class="verdict"') : html.index("How it learnt")]
    assert "0.21" in hero and "0.25" not in hero


def test_numbers_of_weights_that_are_not_served_say_so(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    write_columns(folder, fake_columns())
    assert "not of the weights served" not in write_report(folder).read_text()
    write_columns(folder, fake_columns()[1:2])
    text = " ".join(Page(write_report(folder)).text.split())
    assert "were measured of last (step 3,000), not of the weights served" in text


def test_the_nearest_training_pictures_are_shown_beside_numbers_of_their_own(
    tmp_path: Path,
) -> None:
    folder = fake_run(tmp_path / "run")
    save_png(grid(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), 6), folder / "neighbours.png")
    assert "Is it copying?" not in write_report(folder).read_text()  # of an older evaluation
    write_columns(folder, fake_columns())
    assert "Is it copying?" in write_report(folder).read_text()


def with_dataset(folder: Path, dataset: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    fingerprint = hashlib.sha256((dataset / "dataset.json").read_bytes()).hexdigest()
    info["dataset"] |= {"path": str(dataset), "fingerprint": fingerprint}
    (folder / "run.json").write_text(json.dumps(info))


def test_the_findings_of_the_dataset_are_told(tmp_path: Path) -> None:
    folder, dataset = fake_run(tmp_path / "run"), make_dataset(tmp_path / "data")
    with_dataset(folder, dataset)
    text = " ".join(Page(write_report(folder)).text.split())
    assert "20 pictures to learn from, 4 kept aside to judge by, 0 left out" in text
    assert "Too few pictures" in text and "fewer than the least" in text
    listing = json.loads((dataset / "findings.json").read_text())
    (dataset / "findings.json").write_text(json.dumps(listing | {"findings": []}))
    assert "The checks found nothing wrong" in write_report(folder).read_text()


@pytest.mark.parametrize("harm", ["no findings", "damaged findings", "rebuilt", "gone"])
def test_what_cannot_be_known_of_the_dataset_is_left_out(tmp_path: Path, harm: str) -> None:
    folder, dataset = fake_run(tmp_path / "run"), make_dataset(tmp_path / "data")
    with_dataset(folder, dataset)
    if harm == "no findings":
        (dataset / "findings.json").unlink()
    elif harm == "damaged findings":
        (dataset / "findings.json").write_text('{"findings": [{"kind": 3}]}')
    elif harm == "rebuilt":
        with (dataset / "dataset.json").open("a") as file:
            file.write(" ")
    else:
        shutil.rmtree(dataset)
    html = write_report(folder).read_text()
    assert "Too few pictures" not in html and "found nothing wrong" not in html
    assert "pictures to learn from" in html
