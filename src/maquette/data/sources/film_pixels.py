"""From a film's frame to a picture as a viewer shows it: upright, square pixels, right colours."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from maquette.data.pictures.content import Raster
from maquette.data.pictures.decoding import LARGEST_PICTURE_PX

if TYPE_CHECKING:
    from av import VideoFrame

# How a picture is turned (ISO/IEC 14496-12, 6.2.2): (a, b, c, d) in x' = a x + c y, y' = b x + d y.
Turn = tuple[int, int, int, int]
UNTURNED: Turn = (1, 0, 0, 1)

_UNSPECIFIED = 2  # colour space, ITU-T H.273 table 4
_MOST_STRETCH = 8.0  # of pixels that are not square; a larger number is a mistake
_THUMBNAIL_COLUMNS, _THUMBNAIL_ROWS = 32, 18


def turn_of(frame: "VideoFrame") -> Turn:
    """From the frame's display matrix.

    Ask one frame only: whatever has been asked is part of a reference cycle, and frames are large.
    """
    from av.sidedata.sidedata import SideData

    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return UNTURNED
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    return a, b, c, d


def upright_pixels(
    frame: "VideoFrame", pixel_shape: float = 1, hd_colours: bool = False, turn: Turn = UNTURNED
) -> Raster:
    """RGB, with transparency on white.

    `pixel_shape` is a pixel's width over its height; `hd_colours` says that a film which is silent
    about its colours means ITU-R BT.709, else it is BT.601.
    """
    from av.video.reformatter import Colorspace, Interpolation

    has_alpha = any(component.is_alpha for component in frame.format.components)
    assumed = Colorspace.ITU709 if hd_colours and frame.colorspace == _UNSPECIFIED else None
    pixels = frame.reformat(
        width=_shown_width(frame, pixel_shape),
        format="rgba" if has_alpha else "rgb24",
        src_colorspace=assumed,
        # Without the latter two swscale is off by several levels and colours are blocky.
        interpolation=Interpolation.BILINEAR
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INT,
    ).to_ndarray()
    return _turned(_on_white(pixels) if has_alpha else pixels, turn)


def thumbnail(frame: "VideoFrame") -> Float32[np.ndarray, "rows columns 3"]:
    """A tiny copy of the frame as it is stored, 0..1."""
    from av.video.reformatter import Interpolation

    small = frame.reformat(
        _THUMBNAIL_COLUMNS, _THUMBNAIL_ROWS, "rgb24", interpolation=Interpolation.AREA
    )
    return small.to_ndarray().astype(np.float32) / 255


def _shown_width(frame: "VideoFrame", pixel_shape: float) -> int:
    """Of the frame with square pixels; its height stays."""
    if not 1 / _MOST_STRETCH <= pixel_shape <= _MOST_STRETCH:
        return frame.width
    width = max(1, round(frame.width * pixel_shape))
    return width if width * frame.height <= LARGEST_PICTURE_PX else frame.width


def _on_white(pixels: UInt8[np.ndarray, "height width 4"]) -> Raster:
    opaque = pixels[..., 3:].astype(np.uint16)
    blended = (pixels[..., :3] * opaque + 255 * (255 - opaque) + 127) // 255
    return blended.astype(np.uint8)


def _turned(pixels: Raster, turn: Turn) -> UInt8[np.ndarray, "rows columns 3"]:
    a, b, c, d = turn
    if abs(b) > abs(a):  # x and y change places
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(pixels)
