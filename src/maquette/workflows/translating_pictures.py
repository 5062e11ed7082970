"""One picture file translated: upright, in sRGB, transparency kept, written whole or not at all.

The network sees a transparent picture as it learnt: on white. The white is taken off again, so
that a translated cut-out has no pale fringe on another background.
"""

import io
import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps

from maquette.core.errors import DatasetError, RunError
from maquette.core.images import Pixels
from maquette.data.pictures.content import Raster
from maquette.data.pictures.decoding import FORMATS, decode
from maquette.data.pictures.faults import PictureError
from maquette.data.sources.source import LARGEST_FILE_BYTES
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_places import Errand

_JPEG_QUALITY = 95
Alpha = UInt8[np.ndarray, "height width"]


def translate_picture(errand: Errand, translator: PictureTranslator, wish: Wish) -> None:
    """DatasetError when the file is no picture or damaged, RunError when writing fails."""
    try:
        if errand.source.stat().st_size > LARGEST_FILE_BYTES:
            raise DatasetError(f"{errand.source} is too large for a picture")
        content = errand.source.read_bytes()
        image, alpha = decode(content, whole=True).image, _alpha_of(content)
    except PictureError as problem:
        raise DatasetError(f"{errand.source} cannot be translated: {problem}") from None
    except OSError as error:
        raise DatasetError(
            f"{errand.source} cannot be read ({(error.strerror or '').lower()})"
        ) from error
    image = image.convert("L" if translator.spec.channels == 1 else "RGB")
    if (size := reduced(image.size, wish.shorter_px)) != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
        alpha = alpha.resize(size, Image.Resampling.LANCZOS) if alpha else None
    _save(_translated(image, alpha, translator, wish), errand)


def reduced(size: tuple[int, int], shorter_px: int | None) -> tuple[int, int]:
    """Width and height with the shorter side brought down to so many pixels, never up."""
    scale = 1.0 if shorter_px is None else min(1.0, shorter_px / min(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def as_pixels(raster: Raster) -> Pixels:
    """One picture as a batch of one."""
    return torch.from_numpy(raster.copy()).permute(2, 0, 1)[None]


def _translated(
    image: Image.Image, alpha: Image.Image | None, translator: PictureTranslator, wish: Wish
) -> Image.Image:
    source = np.atleast_3d(np.asarray(image))
    made = translator(as_pixels(source))[0].permute(1, 2, 0).numpy()
    if alpha is not None:
        opaque = np.asarray(alpha)[..., None]
        made, source = (np.dstack([_off_white(x, opaque), opaque]) for x in (made, source))
    if wish.compare:
        made = np.hstack([source, made])
    return Image.fromarray(made[..., 0] if made.shape[2] == 1 else made)


def _off_white(pixels: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """What, drawn with this opacity on white, gives these pixels."""
    share = np.maximum(opaque, 1).astype(np.float32) / 255
    colours = (pixels.astype(np.float32) - 255 * (1 - share)) / share
    return np.where(opaque == 0, pixels, colours.round().clip(0, 255)).astype(np.uint8)


def _alpha_of(content: bytes) -> Image.Image | None:
    """The transparency of a picture that can be decoded, upright; None where it has none."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if not image.has_transparency_data:
            return None
        image.load()
        try:
            upright = ImageOps.exif_transpose(image)
        except Exception:  # damaged EXIF data raise nearly anything; they turn nothing
            upright = image
        plain = {"La": "LA", "RGBa": "RGBA"}.get(upright.mode, "RGBA")
        return upright.convert(plain).convert("RGBA").getchannel("A")


def _save(image: Image.Image, errand: Errand) -> None:
    out: Path = errand.out
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            if errand.kind == "JPEG":
                opaque = _on_white(image)
                opaque.save(temporary, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
            else:
                image.save(temporary, "PNG")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{out} cannot be written ({reason}): choose another --out") from error


def _on_white(image: Image.Image) -> Image.Image:
    """For a JPEG, asked for by an --out that ends so, which has no transparency."""
    if "A" not in image.mode:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
