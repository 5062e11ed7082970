"""Colours as a screen shows them: embedded ICC profiles followed to sRGB, everything to L or RGB.

Phones save pictures in Display P3 and presses in CMYK; without their profile such pictures are dull
or garish. Profiles that are broken or do not fit are ignored.
"""

import io
from functools import lru_cache

from PIL import Image, ImageCms

LARGEST_PROFILE_BYTES = 4 * 2**20  # the largest in use, of presses, have half of it

_COLOUR_SPACES = {"RGB": "RGB ", "CMYK": "CMYK"}  # Pillow's modes by their names in profiles


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in mode L or RGB; `profile` is what its file says about its colours."""
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")
    small = profile is not None and len(profile) <= LARGEST_PROFILE_BYTES
    transform = _transform(profile, image.mode) if profile and small else None
    if transform is not None:
        return transform.apply(image)
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None where there is nothing to do (grey, sRGB), or the profile cannot be used."""
    if mode not in _COLOUR_SPACES:
        return None
    try:
        stored = ImageCms.getOpenProfile(io.BytesIO(profile))
        if stored.profile.xcolor_space != _COLOUR_SPACES[mode]:
            return None
        if "sRGB" in ImageCms.getProfileDescription(stored):
            return None
        return ImageCms.buildTransform(stored, _srgb(), mode, "RGB")
    except Exception:  # PyCMSError, and what damaged profiles make of it
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
