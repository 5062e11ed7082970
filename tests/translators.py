"""A run that translates, small enough for tests, with an effect that can be seen."""

from pathlib import Path

import numpy as np
from PIL import Image

from commands import maquette

TRANSLATOR = """\
name: tiny
family: {family}
model: {{width: 4, blocks: 1, start: random, discriminator: {{width: 4, halvings: 1}}}}
training: {{steps: 2, batch_size: 2, device: cpu, precision: fp32, average_halflife_images: 1}}
callbacks: {{preview_pictures: 2, score_pictures: 0}}
"""


def translating_run(folder: Path, family: str = "cyclegan") -> Path:
    """Domains "day" and "night", 16 px, RGB."""
    random = np.random.default_rng(0)
    for name in ("day", "night"):
        (folder / name).mkdir(exist_ok=True)
        for i in range(6):
            noise = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / name / f"{i}.png")
    (folder / f"{family}.yaml").write_text(TRANSLATOR.format(family=family))
    data = folder / "data"
    if not data.exists():
        ended = maquette(
            *("data", "build", folder / "day", folder / "night", "--labels", "sources"),
            *("--size", "16", "--out", data),
        )
        assert ended.code == 0, ended.err
    run = folder / family
    ended = maquette("train", folder / f"{family}.yaml", "--data", data, "--out", run)
    assert ended.code == 0, ended.err
    return run
