"""One picture: decoded safely, measured, cropped and brought to size."""
