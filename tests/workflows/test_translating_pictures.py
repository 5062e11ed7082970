"""`translate` of pictures: upright, right colours, transparency, names, and never over a source."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import maquette
from maquette.workflows import translating_networks
from translators import translating_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return translating_run(tmp_path_factory.mktemp("pictures"))


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(columns / (9 + c)) * np.cos(rows / (7 + c)) for c in range(channels)]
    return (np.stack(waves, -1) * 100 + 128).astype(np.uint8)


def saved(file: Path, pixels: np.ndarray, **options: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, **options)
    return file


def pixels_of(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 31), (64, 48), (129, 16)])
def test_any_size_comes_back(run, tmp_path, size):
    file = saved(tmp_path / "in.png", smooth(*size))
    done = maquette.translate(run, file, tmp_path / "out.png")
    assert done.pictures == (tmp_path / "out.png",) and done.direction == "day-to-night"
    assert pixels_of(tmp_path / "out.png").shape == (*size, 3)


def test_strength_blends_with_the_source(run, tmp_path):
    file = saved(tmp_path / "in.png", smooth(40, 50))
    for strength in (0, 0.5, 1):
        maquette.translate(run, file, tmp_path / f"{strength}.png", strength=strength)
    source, half, full = (pixels_of(tmp_path / f"{s}.png") for s in (0, 0.5, 1))
    assert np.array_equal(source, smooth(40, 50))
    assert apart(full, source) > 10
    assert apart(half, (source.astype(int) + full) / 2) < 1


def test_directions_by_letter_and_by_name(run, tmp_path):
    file = saved(tmp_path / "in.png", smooth(24, 24))
    names = ("a-to-b", "day-to-night", "a_to_b", "b-to-a", "night-to-day", "NIGHT-TO-DAY")
    found = {}
    for name in names:
        done = maquette.translate(run, file, tmp_path / "out.png", direction=name)
        found[name] = (done.direction, pixels_of(tmp_path / "out.png").tobytes())
    assert found["a-to-b"] == found["day-to-night"] == found["a_to_b"]
    assert found["b-to-a"] == found["night-to-day"] == found["NIGHT-TO-DAY"]
    assert found["a-to-b"] != found["b-to-a"]
    with pytest.raises(maquette.MaquetteError, match="did you mean 'day-to-night'"):
        maquette.translate(run, file, tmp_path / "x.png", direction="dai-to-night")


def test_a_one_sided_family_has_one_direction(tmp_path):
    run, file = translating_run(tmp_path, "cut"), saved(tmp_path / "in.png", smooth(24, 24))
    done = maquette.translate(run, file, tmp_path / "out.png")
    assert done.direction == "day-to-night"
    with pytest.raises(maquette.MaquetteError, match=r"only day-to-night.*domains=\[night,day\]"):
        maquette.translate(run, file, tmp_path / "x.png", direction="b-to-a")


def test_upright_and_in_srgb(run, tmp_path):
    pixels = smooth(40, 60)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees to the right
    file = saved(tmp_path / "in.jpg", pixels, exif=exif, quality=98, subsampling=0)
    maquette.translate(run, file, tmp_path / "out.jpg", strength=0)
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.format == "JPEG" and image.size == (40, 60)
        assert image.getexif().get(0x0112, 1) == 1
        assert apart(np.asarray(image), np.rot90(pixels, -1)) < 3
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    file = saved(tmp_path / "p.png", pixels, icc_profile=lab.tobytes())
    maquette.translate(run, file, tmp_path / "p-out.png", strength=0)
    assert apart(pixels_of(tmp_path / "p-out.png"), pixels) < 1


def test_transparency_is_kept_and_has_no_fringe(run, tmp_path):
    colours = np.full((32, 32, 3), (200, 40, 40), np.uint8)
    alpha = np.clip(np.mgrid[:32, :32][1] * 10, 0, 255).astype(np.uint8)[..., None]
    file = saved(tmp_path / "in.webp", np.dstack([colours, alpha]), lossless=True, exact=True)
    done = maquette.translate(run, file, tmp_path / "out", strength=0)
    (out,) = done.pictures
    assert out.name == "in.webp.png"
    made = pixels_of(out)
    assert np.array_equal(made[..., 3:], alpha)
    seen = alpha[..., 0] > 60
    assert np.abs(made[..., :3].astype(int) - colours)[seen].max() <= 4
    maquette.translate(run, file, tmp_path / "flat.jpg", strength=0)
    assert pixels_of(tmp_path / "flat.jpg")[16, 0].min() > 250  # a JPEG has white there instead
    maquette.translate(run, file, tmp_path / "full.png")
    assert np.array_equal(pixels_of(tmp_path / "full.png")[..., 3:], alpha)


def test_compare_and_size(run, tmp_path):
    file = saved(tmp_path / "in.png", smooth(60, 80))
    maquette.translate(run, file, tmp_path / "out.png", size=30, compare=True)
    made = pixels_of(tmp_path / "out.png")
    assert made.shape == (30, 80, 3)
    assert apart(made[:, :40], smooth(60, 80)[::2, ::2]) < 12
    assert apart(made[:, :40], made[:, 40:]) > 10
    maquette.translate(run, file, tmp_path / "same.png", size=400)
    assert pixels_of(tmp_path / "same.png").shape == (60, 80, 3)


def test_a_folder_keeps_its_tree(run, tmp_path):
    photos = tmp_path / "photos"
    saved(photos / "a.jpg", smooth(20, 20))
    saved(photos / "deep" / "er" / "b.png", smooth(20, 24, 4))
    saved(photos / "deep" / "c.bmp", smooth(20, 24))
    saved(photos / "deep" / "c.png", smooth(20, 24))
    saved(photos / "wrong.jpg", smooth(20, 24), format="PNG")
    saved(photos / ".hidden" / "d.png", smooth(20, 24))
    (photos / "notes.txt").write_text("nothing to see")
    (photos / "cut.jpg").write_bytes((photos / "a.jpg").read_bytes()[:300])
    before = {p: p.read_bytes() for p in photos.rglob("*") if p.is_file()}
    done = maquette.translate(run, photos, photos / "out")
    made = {p.relative_to(photos / "out").as_posix() for p in (photos / "out").rglob("*.*")}
    assert made == {"a.jpg", "deep/er/b.png", "deep/c.bmp.png", "deep/c.png", "wrong.jpg.png"}
    assert len(done.remarks) == 2 and "cut.jpg" in done.remarks[0]
    assert "notes.txt" in done.remarks[1]
    assert all(p.read_bytes() == content for p, content in before.items())
    again = maquette.translate(run, photos, photos / "out")  # its own results are no sources
    assert len(again.pictures) == 5


def test_an_interrupted_folder_goes_on(run, tmp_path):
    for i in range(5):
        saved(tmp_path / "in" / f"{i}.png", smooth(20, 20 + i))

    def stop(_stage: str, done: int, _total: int | None) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        maquette.translate(run, tmp_path / "in", tmp_path / "out", report=stop)
    done = maquette.translate(run, tmp_path / "in", tmp_path / "out")
    assert [p.name for p in done.earlier] == ["0.png", "1.png", "2.png"]
    assert [p.name for p in done.pictures] == ["3.png", "4.png"]
    with pytest.raises(KeyboardInterrupt):
        maquette.translate(run, tmp_path / "in", tmp_path / "out", report=stop)
    other = maquette.translate(run, tmp_path / "in", tmp_path / "out", strength=0.5)
    assert not other.earlier and len(other.pictures) == 5
    assert not list((tmp_path / "out").glob(".*"))


def test_a_source_is_never_overwritten(run, tmp_path):
    file = saved(tmp_path / "in.png", smooth(20, 20))
    content = file.read_bytes()
    for out in (file, tmp_path):
        with pytest.raises(maquette.MaquetteError, match="would be overwritten"):
            maquette.translate(run, file, out)
    saved(tmp_path / "photos" / "a.png", smooth(20, 20))
    with pytest.raises(maquette.MaquetteError, match="would be overwritten"):
        maquette.translate(run, tmp_path / "photos", tmp_path / "photos")
    assert file.read_bytes() == content


def test_too_large_for_memory_is_done_in_tiles(run, tmp_path, monkeypatch):
    file = saved(tmp_path / "in.png", smooth(300, 500))
    maquette.translate(run, file, tmp_path / "whole.png")
    monkeypatch.setattr(translating_networks, "largest_at_once", lambda *_: 256 * 256)
    maquette.translate(run, file, tmp_path / "tiles.png")
    assert apart(pixels_of(tmp_path / "whole.png"), pixels_of(tmp_path / "tiles.png")) < 6


def test_every_awkward_picture_is_translated_or_explained(run, tmp_path, real_data):
    done = maquette.translate(run, real_data / "awkward_images", tmp_path / "out", size=16)
    assert len(done.pictures) > 100
    assert all(len(remark) < 400 and "\n" not in remark for remark in done.remarks)


def test_grey_pictures_and_transparency_by_palette(run, tmp_path):
    grey = saved(tmp_path / "grey.png", smooth(20, 24)[..., 0])
    maquette.translate(run, grey, tmp_path / "out.png")
    assert pixels_of(tmp_path / "out.png").shape == (20, 24, 3)
    palette = Image.fromarray(smooth(20, 24)).quantize(8)
    palette.info["transparency"] = 0
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    (tmp_path / "p.png").write_bytes(buffer.getvalue())
    maquette.translate(run, tmp_path / "p.png", tmp_path / "p-out.png")
    assert pixels_of(tmp_path / "p-out.png").shape == (20, 24, 4)
