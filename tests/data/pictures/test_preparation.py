"""One picture: its colours, its orientation, its place in the frame, and what is not a picture."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import encoded, noise
from PIL import Image, ImageOps

from maquette.data.pictures.preparation import PictureError, prepare
from maquette.data.sizes import ImageSize

small = ImageSize(16, 16)
fits = st.sampled_from(["cover", "contain", "stretch"])
sides = st.integers(1, 90)


def colour_of(content: bytes, channels: int = 3) -> list[int]:
    """The colour in the middle of the prepared picture."""
    return prepare(content, small, channels, "cover").pixels[8, 8].tolist()


@given(
    height=sides, width=sides, target=st.tuples(st.integers(8, 40), st.integers(8, 40)), fit=fits
)
def test_any_picture_takes_the_size_asked_for(
    height: int, width: int, target: tuple[int, int], fit: str
) -> None:
    grey = np.full((height, width, 1), 100, np.uint8)
    for channels in (1, 3):
        prepared = prepare(grey, ImageSize(*target), channels, fit)
        assert prepared.pixels.shape == (*target, channels)
        assert (prepared.original_height, prepared.original_width) == (height, width)
        if fit != "contain":
            assert (prepared.pixels == 100).all()


@given(height=sides, width=sides)
def test_contain_shows_everything_centred_on_white(height: int, width: int) -> None:
    black = np.zeros((height, width, 1), np.uint8)
    pixels = prepare(black, ImageSize(32, 48), 1, "contain").pixels[..., 0]
    rows, columns = np.nonzero(pixels == 0)
    top, left = rows.min(), columns.min()
    inside_height, inside_width = rows.max() - top + 1, columns.max() - left + 1
    assert (pixels == 255).sum() == 32 * 48 - inside_height * inside_width
    assert inside_height == 32 or inside_width == 48
    assert abs(top - (32 - inside_height) // 2) == 0
    assert abs(left - (48 - inside_width) // 2) == 0
    scale = min(32 / height, 48 / width)
    assert abs(inside_height - height * scale) <= 1 and abs(inside_width - width * scale) <= 1


def test_cover_cuts_off_what_hangs_over_on_both_sides() -> None:
    stripes = np.zeros((16, 48, 1), np.uint8)
    stripes[:, 16:32] = 255
    assert (prepare(stripes, small, 1, "cover").pixels == 255).all()


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = noise(1, 16, 16)
    assert np.array_equal(prepare(encoded(picture), small, 3, "cover").pixels, picture)


def test_the_size_of_a_jpeg_is_the_one_before_drafting() -> None:
    content = encoded(noise(0, 600, 400), "JPEG")
    prepared = prepare(content, small, 3, "cover")
    assert (prepared.original_height, prepared.original_width) == (600, 400)


def test_a_drafted_jpeg_looks_like_the_full_one() -> None:
    ramp = np.linspace(0, 255, 800).astype(np.uint8)[None, :, None].repeat(640, 0).repeat(3, 2)
    prepared = prepare(encoded(ramp, "JPEG", quality=95), small, 3, "stretch").pixels
    exact = np.asarray(Image.fromarray(ramp).resize((16, 16), Image.Resampling.LANCZOS))
    assert np.abs(prepared.astype(int) - exact).max() <= 3


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
    prepared = prepare(lossless_jpeg(300, 200), small, 1, "cover")
    assert (prepared.pixels == 128).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    picture = Image.fromarray(noise(3, 20, 30))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = ImageOps.exif_transpose(_tagged(picture, exif))
    prepared = prepare(encoded(picture, "PNG", exif=exif), ImageSize(20, 20), 3, "stretch")
    expected = np.asarray(upright.resize((20, 20), Image.Resampling.LANCZOS))
    assert np.array_equal(prepared.pixels, expected)
    assert (prepared.original_width, prepared.original_height) == upright.size


def _tagged(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    return Image.open(file)


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
    assert colour_of(encoded(ramp, kind), channels=1) == [128]


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
    assert colour_of(encoded(Image.fromarray(values), "TIFF"), channels=1) == [expected]


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


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"", "empty file"),
        (b"hello", "not a picture in a known format"),
        (b"<html></html>", "not a picture in a known format"),
        (encoded(noise(0, 99, 99), "JPEG")[:-600], "damaged picture"),
        (encoded(noise(0, 99, 99))[:-600], "damaged picture"),
    ],
)
def test_findings(content: bytes, finding: str) -> None:
    with pytest.raises(PictureError, match=finding):
        prepare(content, small, 3, "cover")


def test_a_flipped_bit_in_a_png_is_noticed() -> None:
    content = bytearray(encoded(noise(0, 99, 99)))
    content[len(content) // 2] ^= 1
    with pytest.raises(PictureError):
        prepare(bytes(content), small, 3, "cover")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 13_300, 60_000])
def test_decompression_bombs_are_refused_before_they_unfold(side: int) -> None:
    """A PNG of a few hundred bytes that promises up to 3,600 million pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
        )

    shape = side.to_bytes(4, "big") * 2
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", shape + bytes([8, 2, 0, 0, 0]))
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(PictureError, match="more than 89 million pixels"):
        prepare(bomb, small, 3, "cover")


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]))
    content = bytearray(encoded(noise(0, 24, 24), kind))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        prepared = prepare(bytes(content), small, 3, "cover")
    except PictureError as problem:
        assert str(problem)
    else:
        assert prepared.pixels.shape == (16, 16, 3)
