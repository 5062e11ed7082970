"""What a file is that is no picture we read: the reason a person is given."""

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


def name_of_stranger(content: bytes) -> str:
    """A few words about bytes in which no known picture format was recognised."""
    for start, reason in _STARTS.items():
        if content.startswith(start):
            return reason
    if content[4:8] == b"ftyp":
        if content[8:12] in _HEIC:
            return "a HEIC picture, which is not read; save it as JPEG"
        return "a video, not a picture"
    return _name_of_text(content[:4096])


def _name_of_text(start: bytes) -> str:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing, which has no pixels; save it as PNG"
    if text.startswith((b"<!doctype html", b"<html")) or b"<html" in text or b"<head" in text:
        return "a web page, not a picture"
    printable = sum(byte >= 32 or byte in b"\t\r\n" for byte in start)
    if b"\0" not in start and printable >= 0.97 * len(start) and _is_utf8(start):
        return "text, not a picture"
    return "not a picture in a known format"


def _is_utf8(start: bytes) -> bool:
    try:
        start[: max(1, len(start) - 3)].decode()
    except UnicodeDecodeError as problem:
        return problem.start >= len(start) - 6  # a letter cut in two by our own limit
    return True
