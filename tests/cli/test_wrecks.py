"""A translator wrecked at its end (fifty times the rate) serves what it had learnt, and says so."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import maquette
from maquette.runs.folder import open_run

STEPS, WRECKED_FROM, EVERY = 100, 80, 10
RECIPE = f"""\
name: wreck
family: cyclegan
model:
  width: 4
  blocks: 1
  start: random
  identity: 0
  discriminator: {{width: 4, halvings: 1, memory: 8}}
training:
  steps: {STEPS}
  batch_size: 4
  device: cpu
  precision: fp32
  average_halflife_images: 16
  optimizer:
    betas: [0.5, 0.999]
    schedule:
      kind: phases
      phases: [{{learning_rate: 1.0e-3, epochs: 4}}, {{learning_rate: 5.0e-2, epochs: 1}}]
callbacks:
  checkpoint_every_steps: {EVERY}
  preview_pictures: 2
  score_pictures: 16
  score_share: 1
"""


def disc(random: np.random.Generator, is_night: bool) -> Image.Image:
    """A bright disc on a sky, by day or by night."""
    rows, columns = np.mgrid[:16, :16]
    y, x, radius = random.uniform(4, 12), random.uniform(4, 12), random.uniform(2, 5)
    picture = np.array([120, 160, 220]) - np.array([0, 2, 4]) * rows[..., None]
    picture = picture + random.normal(0, 6, picture.shape)
    picture[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = random.uniform(180, 255, 3)
    if is_night:
        picture = picture * np.array([0.35, 0.4, 0.7]) - 20
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def wrecked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run, and what was said while it was trained."""
    folder, random = tmp_path_factory.mktemp("wrecked"), np.random.default_rng(0)
    for name in ("day", "night"):
        (folder / name).mkdir()
        for number in range(60):
            disc(random, name == "night").save(folder / name / f"{number}.png")
    (folder / "wreck.yaml").write_text(RECIPE)
    sources = (folder / "day", folder / "night", "--labels", "sources")
    ended = maquette("data", "build", *sources, "--size", "16", "--out", folder / "data")
    assert ended.code == 0, ended.err
    assert "between day and night: maquette train horse2zebra-small" in ended.out
    run = folder / "run"
    ended = maquette("train", folder / "wreck.yaml", "--data", folder / "data", "--out", run)
    assert ended.code == 0, ended.err
    return run, ended.out + ended.err


def test_what_was_learnt_before_is_served(wrecked):
    run = open_run(wrecked[0])
    lines = [json.loads(line) for line in (run.folder / "history.jsonl").open()]
    scores = {line["step"]: line["score"] for line in lines if "score" in line}
    before = min(score for step, score in scores.items() if step <= WRECKED_FROM)
    assert scores[STEPS] > 1.2 * before  # it was a wreck
    served = run.served().entry
    assert served.step <= WRECKED_FROM
    assert served.score == before


def test_the_output_the_events_and_the_report_say_what_happened(wrecked):
    folder, said = wrecked
    served = open_run(folder).served().entry.step
    lines = [json.loads(line) for line in (folder / "history.jsonl").open()]
    (told,) = [line["message"] for line in lines if "training has got worse" in str(line)]
    assert f"at step {served}, whose weights stay the ones to serve" in told
    assert told in said
    assert told in (folder / "report.html").read_text(encoding="utf-8")
