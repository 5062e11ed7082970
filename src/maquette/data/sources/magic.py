"""Whether bytes begin like an encoded picture."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*")


def starts_as_picture(data: bytes) -> bool:
    """JPEG, PNG, GIF, TIFF, WEBP or BMP, by the first 26 bytes."""
    if data.startswith(_MAGIC):
        return True
    if data.startswith(b"RIFF"):
        return data[8:12] == b"WEBP"
    # Two letters are too few to be sure: a BMP also has four reserved bytes, all zero.
    return data.startswith(b"BM") and len(data) >= 26 and data[6:10] == bytes(4)
