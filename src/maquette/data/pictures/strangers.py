"""What a file is that is no picture we read: the reason a person is given."""

from maquette.data.pictures.faults import Fault

_STARTS = {
    b"%PDF": "a PDF document, not a picture",
    b"PK\x03\x04": "a zip archive, not a picture",
    b"\x1f\x8b": "a gzip archive, not a picture",
    b"8BPS": "a Photoshop file, which is not read; save it as PNG",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture, which is not read; save it as PNG",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture, which is not read; save it as PNG",
    b"\xff\x0a": "a JPEG XL picture, which is not read; save it as PNG",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture, which is not read; save it as PNG",
    b"\x1aE\xdf\xa3": "a video, not a picture",
    b"\x00\x01\x00\x00\x00": "a font, not a picture",
    b"OTTO": "a font, not a picture",
}
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_READ = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")


def fault_of_stranger(content: bytes) -> Fault:
    """A few words about bytes in which Pillow recognised no picture."""
    named = _by_start(content) or _by_brand(content) or _by_text(content[:4096])
    if named:
        return Fault("not-a-picture", named)
    if content.startswith(_READ) or content[8:12] == b"WEBP" or content[4:11] == b"ftypavi":
        return Fault("damaged", "damaged, or of a rare kind")
    return Fault("not-a-picture", "not a picture in a known format")


def _by_start(content: bytes) -> str | None:
    return next((reason for start, reason in _STARTS.items() if content.startswith(start)), None)


def _by_brand(content: bytes) -> str | None:
    """Of ISO base media files and RIFF files."""
    container, brand = content[4:8], content[8:12]
    if container == b"ftyp" and brand in _HEIC:
        return "a HEIC picture, which is not read; save it as JPEG"
    if (container == b"ftyp" and brand[:3] != b"avi") or content[:4] + brand == b"RIFFAVI ":
        return "a video, not a picture"
    return None


def _by_text(start: bytes) -> str | None:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing, which has no pixels; save it as PNG"
    if text.startswith(b"<!doctype html") or b"<html" in text or b"<head" in text:
        return "a web page, not a picture"
    readable = sum(byte >= 32 or byte in b"\t\r\n" for byte in start) >= 0.97 * len(start)
    return "text, not a picture" if readable and b"\0" not in start and _is_utf8(start) else None


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as problem:
        return problem.start >= len(start) - 3  # a letter cut in two by our own limit
    return True
