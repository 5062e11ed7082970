"""Grids keep every pixel and their order; files appear whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from maquette.core.errors import MaquetteError
from maquette.core.pictures import animation, grid, save_png


def random_pixels(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), generator=random).byte()


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 11),
    columns=st.integers(1, 5),
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    gap_px=st.integers(0, 3),
    min_tile_px=st.integers(1, 30),
)
def test_every_tile_can_be_cut_out_again(
    count: int, columns: int, channels: int, height: int, width: int, gap_px: int, min_tile_px: int
) -> None:
    pixels = random_pixels(count, channels, height, width)
    picture = grid(pixels, columns, gap_px=gap_px, min_tile_px=min_tile_px)
    assert picture.mode == {1: "L", 3: "RGB"}[channels]

    rows = -(-count // columns)
    tile_height, tile_width = (picture.height - gap_px) // rows, (picture.width - gap_px) // columns
    scale = (tile_height - gap_px) // height
    assert min(height, width) * scale >= min_tile_px
    array = np.asarray(picture).reshape(picture.height, picture.width, channels)
    for i in range(count):
        top, left = i // columns * tile_height + gap_px, i % columns * tile_width + gap_px
        tile = array[top : top + height * scale, left : left + width * scale]
        enlarged = pixels[i].numpy().transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)
        assert (tile == enlarged).all()


def test_large_tiles_are_not_enlarged() -> None:
    assert grid(random_pixels(4, 3, 64, 80), 2, gap_px=2).size == (2 * 82 + 2, 2 * 66 + 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_row_names_stand_beside_their_rows(channels: int) -> None:
    pixels = random_pixels(6, channels, 32, 32)
    plain = grid(pixels, 3)
    named = grid(pixels, 3, row_names=["", "zebra"])
    strip_px = named.width - plain.width
    assert (np.asarray(named)[:, strip_px:] == np.asarray(plain)).all()
    darkest = np.asarray(named.convert("L"))[:, :strip_px].min(axis=1)
    assert darkest[: named.height // 2].min() > 200  # nothing beside the row without a name
    assert darkest[named.height // 2 :].min() < 150


def test_a_png_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "previews" / "100.png"
    first, second = (grid(random_pixels(n, 3, 8, 8), 2) for n in (2, 4))
    save_png(first, path)

    def half_written(_: Image.Image, target: Path, *__: object, **___: object) -> None:
        target.write_bytes(b"\x89PNG")
        raise OSError("No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr(Image.Image, "save", half_written)
        save_png(second, path)
    assert Image.open(path).size == first.size
    save_png(second, path)
    assert (np.asarray(Image.open(path)) == np.asarray(second)).all()
    assert [p.name for p in path.parent.iterdir()] == ["100.png"]


def smooth_frames(folder: Path, count: int, mode: str) -> list[Path]:
    """Colourful gradients that turn with time."""
    y, x = np.mgrid[0:96, 0:128] / 128
    paths = []
    for i in range(count):
        turned = np.stack([x * i / count, y, 1 - x + y * i / count], axis=2).clip(0, 1) * 255
        path = folder / f"{i:06}.png"
        Image.fromarray(turned.astype(np.uint8)).convert(mode).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize(("mode", "mean_error"), [("L", 0), ("RGB", 5)])
def test_an_animation_shows_every_frame_and_holds_the_last(
    tmp_path: Path, mode: str, mean_error: float
) -> None:
    paths = smooth_frames(tmp_path, 5, mode)
    animation(paths, tmp_path / "progress.gif", seconds_a_frame=0.2, hold_seconds=1.5)
    with Image.open(tmp_path / "progress.gif") as gif:
        assert gif.info["loop"] == 0
        shown = [(f.convert(mode), f.info["duration"]) for f in ImageSequence.Iterator(gif)]
    assert [milliseconds for _, milliseconds in shown] == [200, 200, 200, 200, 1500]
    for path, (frame, _) in zip(paths, shown, strict=True):
        original = np.asarray(Image.open(path)).astype(float)
        assert np.abs(original - np.asarray(frame)).mean() <= mean_error


def test_frames_of_other_shapes_get_bars(tmp_path: Path) -> None:
    for name, size in (("1.png", (40, 80)), ("2.png", (120, 60))):
        Image.new("RGB", size, (200, 0, 0)).save(tmp_path / name)
    animation([tmp_path / "1.png", tmp_path / "2.png"], tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as gif:
        first, last = (frame.convert("RGB") for frame in ImageSequence.Iterator(gif))
    assert first.size == last.size == (120, 60)
    assert first.getpixel((60, 30)) == last.getpixel((5, 30)) == (200, 0, 0)
    assert first.getpixel((5, 30)) == (250, 250, 250)


def test_many_frames_are_thinned_to_the_first_the_last_and_some_between(tmp_path: Path) -> None:
    paths = []
    for i in range(50):
        paths.append(tmp_path / f"{i}.png")
        Image.new("L", (8, 8), i * 5).save(paths[-1])
    animation(paths, tmp_path / "out.gif", most_frames=8)
    with Image.open(tmp_path / "out.gif") as gif:
        shades = [f.convert("L").getpixel((0, 0)) for f in ImageSequence.Iterator(gif)]
    assert len(shades) == 8
    assert (shades[0], shades[-1]) == (0, 245)


def test_nothing_to_animate_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MaquetteError, match="no picture to animate"):
        animation([], tmp_path / "out.gif")
