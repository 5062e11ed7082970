"""One look: everything that is said of a picture is true of the picture as a person sees it."""

import hashlib
import io
import json
import pickle
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from maquette.data.pictures.content import Box, Drawing
from maquette.data.pictures.hashing import distance
from maquette.data.pictures.looking import THUMBNAIL_PX, Bench, Facts, Look
from maquette.data.pictures.preparation import Fit, prepare
from maquette.data.sizes import ImageSize
from picture_files import encoded, noise

china = Image.fromarray(load_sample_image("china.jpg"))
cross = Drawing(
    (np.array([[0, 9], [0, 9]], np.float32), np.array([[0, 9], [9, 0], [5, 6]], np.float32))
)


def facts_of(look: Look) -> Facts:
    assert look.facts is not None and look.fault is None
    return look.facts


def letterboxed(above_px: int, below_px: int) -> Image.Image:
    photograph = china.resize((1280, 700))
    film = Image.new("RGB", (1280, above_px + 700 + below_px))
    film.paste(photograph, (0, above_px))
    return film


@pytest.mark.parametrize("size", [None, ImageSize(64, 48)])
def test_the_facts_of_a_photograph(size: ImageSize | None) -> None:
    content = encoded(china.resize((1200, 900)), "JPEG", quality=90)
    look = Bench(size).look(content)
    facts = facts_of(look)
    assert facts.sha256 == hashlib.sha256(content).hexdigest()
    assert (facts.height, facts.width, facts.kind, facts.mode) == (900, 1200, "JPEG", "RGB")
    assert (facts.orientation, facts.frames, facts.box, facts.colourless) == (1, 1, None, False)
    grey = np.asarray(china.convert("L"))
    assert facts.brightness == pytest.approx(grey.mean(), abs=2)
    assert facts.contrast == pytest.approx(np.ptp(np.percentile(grey, [1, 99])), abs=8)
    assert distance(facts.hash, facts_of(Bench(size).look(np.array(china))).hash) <= 4
    assert (look.pixels is None) == (size is None)


def test_facts_do_not_depend_on_the_size_planned_for_photographs_of_usual_size() -> None:
    content = encoded(china.resize((1100, 800)), "JPEG")
    looks = [Bench(size).look(content) for size in (None, ImageSize(64, 64), ImageSize(128, 128))]
    assert len({(look.facts, look.thumbnail) for look in looks}) == 1


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_a_served_picture(channels: int, fit: Fit) -> None:
    size = ImageSize(40, 56)
    jpeg = encoded(china.resize((1200, 900)), "JPEG")
    for content in (jpeg, encoded(noise(0, 50, 60)), noise(1, 30, 90), noise(2, 9, 8, 1), cross):
        pixels = Bench(size, channels, fit).look(content).pixels
        assert np.array_equal(pixels, prepare(content, size, channels, fit).pixels)


def test_a_picture_among_strokes_is_grey_in_every_channel() -> None:
    content, size = encoded(china.resize((300, 200))), ImageSize(28, 28)
    grey = Bench(size, 1).look(content).pixels
    shown = Bench(size, 3, stroke_channels=True).look(content).pixels
    assert grey is not None and shown is not None
    assert np.array_equal(shown, np.repeat(grey, 3, axis=2))


def test_bars_are_cut_off_to_the_pixel_although_jpegs_are_reduced() -> None:
    content = encoded(letterboxed(83, 84), "JPEG", quality=92)
    size = ImageSize(64, 64)
    look = Bench(size).look(content)
    facts = facts_of(look)
    assert facts.box is not None
    assert np.abs(np.subtract(facts.box, (0, 83, 1280, 783))).max() <= 1
    assert (facts.height, facts.width) == (867, 1280)
    assert np.array_equal(look.pixels, prepare(content, size, 3, "cover", facts.box).pixels)
    inside = facts_of(Bench(None).look(encoded(letterboxed(0, 0), "JPEG", quality=92)))
    assert distance(facts.hash, inside.hash) <= 4
    assert facts.brightness == pytest.approx(inside.brightness, abs=1)
    with Image.open(io.BytesIO(look.thumbnail)) as thumbnail:
        assert thumbnail.size == (160, 108)
        assert max(thumbnail.getpixel((80, 2))) < 20  # the bar above


def test_bars_may_be_kept_but_are_told() -> None:
    content = encoded(letterboxed(80, 80))
    look = Bench(ImageSize(64, 64), fit="stretch", keep_bars=True).look(content)
    assert facts_of(look).box == Box(0, 80, 1280, 780)
    assert np.array_equal(look.pixels, prepare(content, ImageSize(64, 64), 3, "stretch").pixels)


def test_a_given_box_is_believed() -> None:
    picture = np.array(china)
    look = Bench(ImageSize(16, 16)).look(picture, Box(10, 20, 26, 36))
    assert facts_of(look).box == Box(10, 20, 26, 36)
    assert np.array_equal(look.pixels, picture[20:36, 10:26])


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", encoded(noise(0, 99, 99), "JPEG")[:-100], encoded(noise(0))[:60]],
)
def test_faults_come_back_instead_of_being_raised(content: bytes) -> None:
    look = Bench(ImageSize(16, 16)).look(content)
    assert look.fault is not None and look.fault.reason
    assert (look.facts, look.thumbnail, look.pixels) == (None, b"", None)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 1), (700, 1, 3), (2, 3, 1), (11, 12, 3)])
def test_the_smallest_pictures_are_looked_at(shape: tuple[int, int, int]) -> None:
    facts = facts_of(Bench(ImageSize(8, 8)).look(np.full(shape, 90, np.uint8)))
    assert (facts.height, facts.width, facts.kind) == (*shape[:2], "array")
    assert (facts.brightness, facts.contrast, facts.sharpness) == (90, 0, 0)
    assert facts.colourless and (facts.hash, facts.mirrored_hash) == (0, 0)


def test_a_drawing_is_looked_at_as_it_is_drawn() -> None:
    look = Bench(ImageSize(28, 28), channels=1).look(cross)
    facts = facts_of(look)
    assert (facts.kind, facts.mode, facts.frames, facts.box) == ("drawing", "strokes", 1, None)
    assert facts.colourless and facts.contrast == 255 and facts.sharpness > 0.5
    assert look.pixels is not None and look.pixels[14, 14] == 255 and look.pixels[14, 2] == 0
    longer = Drawing((np.concatenate([cross.strokes[0], cross.strokes[1][:2]], 1),))
    assert facts_of(Bench(None).look(longer)).sha256 != facts.sha256


@pytest.mark.parametrize("size", [(500, 300), (90, 1000), (60, 40), (160, 160)])
def test_thumbnails_show_the_whole_picture_upright(size: tuple[int, int]) -> None:
    content = encoded(china.resize(size).convert("CMYK"), "TIFF")
    with Image.open(io.BytesIO(Bench(None).look(content).thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.mode) == ("JPEG", "RGB")
        scale = min(1, THUMBNAIL_PX / max(size))
        assert thumbnail.size == tuple(round(side * scale) for side in size)


def test_facts_survive_json_and_benches_travel_to_workers() -> None:
    content = encoded(letterboxed(80, 80))
    for facts in (facts_of(Bench(None).look(c)) for c in (content, encoded(china), cross)):
        assert Facts.from_json(json.loads(json.dumps(asdict(facts)))) == facts
    bench = Bench(ImageSize(8, 9), 1, "contain", True)
    assert pickle.loads(pickle.dumps(bench)) == bench
    look = bench.look(content)
    assert pickle.loads(pickle.dumps(look)).facts == look.facts


def test_workers_start_without_torch() -> None:
    code = "import sys, maquette.data.pictures.looking; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
