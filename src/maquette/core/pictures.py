"""Pictures for people: a grid of tiles, a PNG that is never half written, an animation of previews.

Grey stays grey: a grid of one-channel pictures is an "L" image, which a GIF keeps exactly.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from maquette.core.errors import MaquetteError
from maquette.core.images import Pixels

_PAPER, _INK = 250, 70  # grey levels around and beside the tiles
_MOVING_PX = 128  # the least a shorter side of a moving picture has


def grid(
    pixels: Pixels,
    columns: int,
    *,
    gap_px: int = 2,
    row_names: Sequence[str] = (),
    min_tile_px: int = 64,
) -> Image.Image:
    """Grey or RGB pictures in rows of `columns`, in reading order, gaps also around the edge.

    Pictures whose shorter side is below `min_tile_px` are enlarged by a whole factor, every pixel a
    square, so that small ones are comfortable to look at. `row_names` caption the rows at the left.
    """
    count, channels, height, width = pixels.shape
    scale = max(1, -(-min_tile_px // min(height, width)))
    tiles = pixels.cpu().numpy().repeat(scale, axis=2).repeat(scale, axis=3).transpose(0, 2, 3, 1)
    row_px, column_px = height * scale + gap_px, width * scale + gap_px
    canvas = np.full(
        (-(-count // columns) * row_px + gap_px, columns * column_px + gap_px, channels),
        _PAPER,
        dtype=np.uint8,
    )
    for i, tile in enumerate(tiles):
        top, left = i // columns * row_px + gap_px, i % columns * column_px + gap_px
        canvas[top : top + height * scale, left : left + width * scale] = tile
    picture = Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)
    return _captioned(picture, row_names, row_px) if row_names else picture


def save_png(image: Image.Image, path: Path) -> None:
    """Write a PNG whole or not at all; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, lambda temporary: image.save(temporary, "PNG", optimize=True))


def animation(
    frames: Iterable[Path],
    out: Path,
    *,
    seconds_a_frame: float = 0.3,
    hold_seconds: float = 2.0,
    most_frames: int = 24,
) -> None:
    """An endless GIF of picture files in the given order, the last one held, written whole or not.

    Each frame gets its own 256 colours, so that early noise costs the last picture none. Frames are
    fitted into the size of the last one with bars where the shape differs. More than `most_frames`
    are thinned evenly, first and last kept. Raises MaquetteError when there is no frame.
    """
    paths = list(frames)
    if not paths:
        raise MaquetteError(f"there is no picture to animate for {out.name}: save a preview first")
    kept = np.linspace(0, len(paths) - 1, min(most_frames, len(paths))).round().astype(int)
    pictures = [_opened(paths[i]) for i in kept]
    first, *others = [_fitted(picture, pictures[-1].size) for picture in pictures]
    milliseconds = [round(seconds_a_frame * 1000)] * len(others) + [round(hold_seconds * 1000)]
    out.parent.mkdir(parents=True, exist_ok=True)
    _replace(
        out,
        lambda temporary: first.save(
            temporary, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0
        ),
    )


def moving(pixels: Pixels, out: Path, *, seconds_a_frame: float) -> None:
    """An endless GIF of these pictures, every one with 256 colours of its own, whole or not at all.

    Small ones are enlarged by a whole factor until their shorter side is 128 px or more.
    """
    tiles = [grid(one[None], 1, gap_px=0, min_tile_px=_MOVING_PX) for one in pixels]
    first, *others = [_fitted(tile, tile.size) for tile in tiles]
    out.parent.mkdir(parents=True, exist_ok=True)
    _replace(
        out,
        lambda temporary: first.save(
            temporary,
            "GIF",
            save_all=True,
            append_images=others,
            duration=round(seconds_a_frame * 1000),
            loop=0,
        ),
    )


def _captioned(picture: Image.Image, row_names: Sequence[str], row_px: int) -> Image.Image:
    """The picture with a strip of names at its left, each centred on its row."""
    font = ImageFont.load_default(min(16, max(9, row_px // 4)))
    margin = 8
    strip_px = round(max(font.getlength(name) for name in row_names)) + 2 * margin
    paper = _PAPER if picture.mode == "L" else (_PAPER,) * 3
    ink = _INK if picture.mode == "L" else (_INK,) * 3
    canvas = Image.new(picture.mode, (picture.width + strip_px, picture.height), paper)
    canvas.paste(picture, (strip_px, 0))
    draw = ImageDraw.Draw(canvas)
    for row, name in enumerate(row_names):
        middle = row * row_px + row_px // 2
        draw.text((strip_px - margin, middle), name, ink, font, anchor="rm")
    return canvas


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture within `size` with bars where its shape differs, reduced to 256 colours."""
    if picture.size != size:
        bars = _PAPER if picture.mode == "L" else (_PAPER,) * 3
        picture = ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color=bars)
    if picture.mode == "L":
        return picture
    # Colours are chosen from a sample of the pixels: four times as fast, and no eye can tell.
    sample = picture.resize([min(side, 160) for side in picture.size], Image.Resampling.NEAREST)
    colours = sample.quantize(256, Image.Quantize.MEDIANCUT)
    return picture.quantize(palette=colours, dither=Image.Dither.NONE)


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary sibling, then put it in place in one move."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
