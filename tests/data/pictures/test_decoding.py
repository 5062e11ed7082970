"""One picture decoded: its colours, its orientation, and what is not a picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from maquette.data.pictures.decoding import decode
from maquette.data.pictures.faults import FaultKind, PictureError
from maquette.data.sizes import ImageSize
from picture_files import encoded, noise


def colour_of(content: bytes) -> list[int]:
    """Of the middle."""
    image = decode(content).image.convert("RGB")
    return list(image.getpixel((image.width // 2, image.height // 2)))


@pytest.mark.parametrize(
    ("size", "reduced_to"),
    [(None, (600, 400)), (ImageSize(64, 64), (600, 400)), (ImageSize(200, 300), (1200, 800))],
)
def test_a_jpeg_is_reduced_as_far_as_is_harmless(
    size: ImageSize | None, reduced_to: tuple[int, int]
) -> None:
    content = encoded(Image.new("RGB", (2400, 1600)), "JPEG")
    decoded = decode(content, size)
    assert (decoded.width, decoded.height) == (2400, 1600)
    assert decoded.image.size == reduced_to and decoded.reduced
    assert decode(content, size, whole=True).image.size == (2400, 1600)


def lossless_jpeg(height: int, width: int) -> bytes:
    """A grey JPEG of process 14 (ITU-T T.81): every difference to the prediction is 0, one bit."""
    frame = bytes([8, *height.to_bytes(2, "big"), *width.to_bytes(2, "big"), 1, 1, 0x11, 0])
    codes = bytes([0, 1, *[0] * 15, 0])
    scan = bytes([1, 1, 0, 1, 0, 0])

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

    parts = [segment(0xC3, frame), segment(0xC4, codes), segment(0xDA, scan)]
    return b"\xff\xd8" + b"".join(parts) + bytes(-(-height * width // 8)) + b"\xff\xd9"


def test_a_lossless_jpeg_is_not_drafted() -> None:
    """Pillow 12.3 corrupts memory when it is."""
    decoded = decode(lossless_jpeg(3000, 2000), ImageSize(16, 16))
    assert decoded.image.getextrema() == (128, 128) and not decoded.reduced


def turned(image: Image.Image, orientation: int, kind: str) -> bytes:
    """A file whose picture is upright only when its EXIF orientation is followed."""
    backwards = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image.transpose(backwards[orientation]) if orientation > 1 else image
    return encoded(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    corners = np.array(
        [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [99, 99, 99], [255] * 3]]
    )
    picture = Image.fromarray(corners.astype(np.uint8)).resize(
        (1050, 700), Image.Resampling.NEAREST
    )
    decoded = decode(turned(picture, orientation, kind))
    assert (decoded.width, decoded.height, decoded.orientation) == (1050, 700, orientation)
    seen = np.asarray(decoded.image.resize((3, 2), Image.Resampling.NEAREST)).astype(int)
    assert np.abs(seen - corners).max() <= 4
    assert decoded.reduced == (kind in ("JPEG", "MPO"))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_do_not_cost_the_picture() -> None:
    content = encoded(noise(0), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08" + b"\xff" * 40)
    assert decode(content).orientation == 1


def test_the_second_picture_of_a_phone_is_no_animation() -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    decoded = decode(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert (decoded.kind, decoded.frames) == ("MPO", 1)
    assert decoded.image.getpixel((3, 3)) == pytest.approx((255, 0, 0), abs=4)


def test_transparency_lies_on_white() -> None:
    assert colour_of(encoded(Image.new("RGBA", (16, 16), (200, 0, 0, 0)))) == [255, 255, 255]
    half = colour_of(encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 128))))
    assert half == pytest.approx([127] * 3, abs=1)
    assert colour_of(encoded(Image.new("LA", (16, 16), (10, 0)))) == [255, 255, 255]


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = Image.new("P", (16, 16), 1)
    picture.putpalette([0, 0, 0, 9, 8, 7])
    assert colour_of(encoded(picture)) == [9, 8, 7]
    assert colour_of(encoded(picture, "PNG", transparency=1)) == [255, 255, 255]
    assert colour_of(encoded(picture, "GIF", transparency=1)) == [255, 255, 255]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    ramp = Image.fromarray(np.full((16, 16), 0x8080, np.uint16))
    assert colour_of(encoded(ramp, kind)) == [128] * 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((16, 16), 0.5, np.float32), 128),
        (np.full((16, 16), 77, np.float32), 77),
        (np.full((16, 16), 77, np.int32), 77),
        (np.full((16, 16), 0x4040, np.int32), 64),
        (np.full((16, 16), np.nan, np.float32), 0),
    ],
)
def test_wide_tiff_values_are_scaled(values: np.ndarray, expected: int) -> None:
    assert colour_of(encoded(Image.fromarray(values), "TIFF")) == [expected] * 3


def test_cmyk_becomes_rgb() -> None:
    cyan = colour_of(encoded(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG"))
    assert cyan == pytest.approx([0, 255, 255], abs=3)


def test_one_bit_pictures_are_black_and_white() -> None:
    assert colour_of(encoded(Image.new("1", (16, 16), 1))) == [255, 255, 255]


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "TIFF"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        assert colour_of(file.getvalue()) == pytest.approx([255, 0, 0], abs=4)
        assert decode(file.getvalue()).frames == 2


def test_a_wide_gamut_is_brought_to_srgb() -> None:
    """A profile whose red and green are swapped, which nobody can overlook."""
    swapped = _with_swapped_colorants(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    for kind in ("PNG", "JPEG"):
        content = encoded(Image.new("RGB", (16, 16), (200, 20, 20)), kind, icc_profile=swapped)
        red, green, blue = colour_of(content)
        assert green > 150 > 90 > red and blue < 90


def _with_swapped_colorants(profile: bytes) -> bytes:
    """Tags lie behind the header, twelve bytes each (ICC.1:2022, table 29)."""
    start = struct.unpack(">I", profile[128:132])
    table = profile[132 : 132 + 12 * start[0]]
    table = table.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")
    return (profile[:132] + table + profile[132 + len(table) :]).replace(
        b"s\0R\0G\0B", b"t\0e\0s\0t"
    )


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200, b"x" * (5 * 2**20)])
def test_broken_profiles_are_ignored(profile: bytes) -> None:
    content = encoded(Image.new("RGB", (16, 16), (9, 8, 7)), "TIFF", icc_profile=profile)
    assert colour_of(content) == [9, 8, 7]


def test_sixteen_bits_are_told_where_pillow_keeps_eight() -> None:
    assert decode(encoded(Image.fromarray(np.zeros((9, 9), np.uint16)))).mode == "I;16"
    assert decode(_png(9, 9, 16, 2, 6)).mode == "RGB;16"
    assert decode(_png(9, 9, 8, 2, 3)).mode == "RGB"


def _png(
    height: int, width: int, depth: int, colour: int, pixel_bytes: int, rows: int = 0
) -> bytes:
    """Black; with fewer `rows` than promised where these are given."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + width * pixel_bytes) * (rows or height)))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


_PICTURES = {
    kind: encoded(noise(0, 99, 99), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP")
}


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "empty", "empty file"),
        (b"hello\n", "not-a-picture", "text, not a picture"),
        ("grüße ".encode() * 2000, "not-a-picture", "text, not a picture"),
        (bytes(99), "not-a-picture", "not a picture in a known format"),
        (b"\n<!DOCTYPE html><p>", "not-a-picture", "a web page, not a picture"),
        (b"<html></html>", "not-a-picture", "a web page, not a picture"),
        (b'<?xml version="1.0"?><svg/>', "not-a-picture", "an SVG drawing"),
        (b"%PDF-1.4", "not-a-picture", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0", "not-a-picture", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0", "not-a-picture", "a video"),
        (b"RIFF\0\1\0\0AVI LIST", "not-a-picture", "a video"),
        (b"\0\0\0\x18ftypavif" + bytes(30), "damaged", "rare kind"),
        *((_PICTURES[kind][:-600], "damaged", "cut short") for kind in _PICTURES),
        (_PICTURES["JPEG"][:-2], "damaged", "cut short"),
        (_PICTURES["PNG"][:30], "damaged", "cut short|rare kind"),
        (flipped(_PICTURES["PNG"], 1000), "damaged", "^damaged: "),
        (flipped(_PICTURES["PNG"], 18), "damaged", "rare kind"),
        (b"P3 9000 9000 255 " + b"1 " * 4_000_000, "bomb", "8 MB of numbers"),
    ],
)
def test_faults(content: bytes, kind: FaultKind, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as caught:
        decode(content)
    assert caught.value.fault.kind == kind


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 13_300, 60_000])
def test_decompression_bombs_are_refused_before_they_unfold(side: int) -> None:
    """A PNG of a few hundred bytes that promises up to 3,600 million pixels."""
    with pytest.raises(PictureError, match="more than 89 million pixels") as caught:
        decode(_png(side, side, 8, 2, 3, rows=1))
    assert caught.value.fault.kind == "bomb"


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    """Each costs a few bytes and a walk through all pixels."""
    content = encoded(Image.new("L", (9000, 9000)), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    assert decode(content).width == 9000
    with pytest.raises(PictureError, match="scans of 81 million pixels") as caught:
        decode(content[:last] + 50 * content[last:-2] + b"\xff\xd9")
    assert caught.value.fault.kind == "bomb"


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"]))
    content = bytearray(encoded(noise(0, 24, 24), kind))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        decoded = decode(bytes(content))
    except PictureError as problem:
        assert str(problem) and "\n" not in str(problem)
    else:
        assert decoded.image.mode in ("L", "RGB")
