"""From the cells of an Arrow table to pictures; needs pyarrow.

Three kinds of columns hold pictures: encoded bytes, Hugging Face's struct of bytes and path, and
lists of pixels, which may be nested (rows, channels).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from maquette.data.pictures.content import Content, Raster
from maquette.data.pictures.faults import Fault
from maquette.data.sources.magic import starts_as_picture
from maquette.data.sources.source import LARGEST_FILE_BYTES, too_large

LEAST_VALUES = 64  # 8x8: shorter lists of bytes are rather boxes, colours or words
_NOTHING = Fault("empty", "no picture in this row")
ONLY_A_PATH = Fault("unreadable", "only a path: the picture itself was not saved in the table")
_RAGGED = Fault("damaged", "rows of pixels of unequal length")


def can_name_classes(kind: Any) -> bool:
    """Whether an Arrow type is text, whole numbers or truth values."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(text or types.is_integer(kind) or types.is_boolean(kind))


def can_hold_pictures(kind: Any) -> bool:
    """Whether an Arrow type is one that `contents` understands."""
    leaf, depth = _leaf(kind)
    return _is_bytes(kind) or _is_struct_of_bytes(kind) or (depth > 0 and _is_integer(leaf))


def holds_pictures(column: Any, shape: tuple[int, ...] | None) -> bool:
    """Whether the first rows of a column do, by a look at their content."""
    if not can_hold_pictures(column.type) or not _is_of_bytes(column.type):
        return False
    faults = set()
    for content in contents(column, shape):
        if isinstance(content, bytes) and starts_as_picture(content):
            return True
        if isinstance(content, np.ndarray) and content.size >= LEAST_VALUES:
            return True
        faults.add(content if isinstance(content, Fault) else None)
    # A column of paths is meant to: each row will tell why it does not.
    return ONLY_A_PATH in faults and faults <= {ONLY_A_PATH, _NOTHING}


def holds_long_lists(column: Any) -> bool:
    """Whether these may be the pixels of pictures of which only the shape is not known."""
    from pyarrow import types

    flat = _leaf(column.type)[1] == 1 and types.is_uint8(_leaf(column.type)[0])
    return bool(flat and any(c.is_valid and len(c.values) >= LEAST_VALUES for c in column))


def nesting(kind: Any) -> int:
    """How deep the lists of an Arrow type are nested; 0 for one that is no list."""
    return _leaf(kind)[1]


def contents(column: Any, shape: tuple[int, ...] | None) -> Iterator[Content | Fault]:
    """What each cell of an array holds; `shape` is that of flat lists, square ones when None."""
    column = column.storage if _is_extension(column.type) else column
    if _is_struct_of_bytes(column.type):
        place = column.type.get_field_index("path")
        fields = column.flatten()  # with the gaps of the struct itself
        paths = fields[place] if place >= 0 else [None] * len(column)
        for encoded, path in zip(fields[column.type.get_field_index("bytes")], paths, strict=True):
            has_path = path is not None and path.is_valid
            yield _encoded(encoded, ONLY_A_PATH if has_path else _NOTHING)
    elif _is_bytes(column.type):
        yield from (_encoded(cell, _NOTHING) for cell in column)
    else:
        yield from (_pixels(cell, shape) for cell in column)


def class_cells(column: Any) -> list[object]:
    """The cells of a column of classes; text as bytes, because it need not be valid."""
    import pyarrow

    column = column.dictionary_decode() if pyarrow.types.is_dictionary(column.type) else column
    is_text = pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type)
    return list((column.cast(pyarrow.large_binary()) if is_text else column).to_pylist())


def _encoded(cell: Any, missing: Fault) -> Content | Fault:
    if not cell.is_valid:
        return missing
    content: bytes = cell.as_py()
    return too_large() if len(content) > LARGEST_FILE_BYTES else content


def _pixels(cell: Any, shape: tuple[int, ...] | None) -> Content | Fault:
    import pyarrow.compute as compute

    if not cell.is_valid:
        return _NOTHING
    values, lengths = cell.values, [len(cell.values)]
    while _leaf(values.type)[1]:
        inner = compute.list_value_length(values).unique().to_pylist()
        if len(inner) != 1 or inner[0] is None:
            return _RAGGED
        values = values.flatten()
        lengths.append(inner[0])
    if values.null_count:
        return Fault("damaged", "pixels are missing")
    return _raster(values.to_numpy(zero_copy_only=False).reshape(lengths), shape)


def _raster(pixels: np.ndarray, shape: tuple[int, ...] | None) -> Raster | Fault:
    """Channels last, out of one, two or three dimensions."""
    if not pixels.size:
        return Fault("empty", "a picture of no pixels")
    if pixels.dtype != np.uint8 and (pixels.min() < 0 or pixels.max() > 255):
        return Fault("not-a-picture", "values that are not 0 to 255")
    if pixels.ndim == 1:
        side = math.isqrt(pixels.size)
        shape = shape or (side, side)
        if math.prod(shape) != pixels.size:
            return Fault("not-a-picture", f"{pixels.size} values, which are not {_times(shape)}")
        pixels = pixels.reshape(shape)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif pixels.ndim == 3 and pixels.shape[-1] not in (1, 3) and pixels.shape[0] in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3):
        return Fault("not-a-picture", f"values of {_times(pixels.shape)}, which is no picture")
    return np.array(pixels, np.uint8, order="C")  # a copy: Arrow's memory is not for writing


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape)


def _leaf(kind: Any) -> tuple[Any, int]:
    """The innermost type of nested lists, and how deep it is; the type itself and 0 for others."""
    from pyarrow import types

    depth = 0
    kind = kind.storage_type if _is_extension(kind) else kind
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind, depth = kind.value_type, depth + 1
    return kind, depth


def _is_integer(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind))


def _is_extension(kind: Any) -> bool:
    import pyarrow

    return isinstance(kind, pyarrow.BaseExtensionType)


def _is_of_bytes(kind: Any) -> bool:
    """Lists of other numbers may hold pictures too, but only where a person says so."""
    from pyarrow import types

    leaf, depth = _leaf(kind)
    return depth == 0 or bool(types.is_uint8(leaf))


def _is_bytes(kind: Any) -> bool:
    from pyarrow import types

    fixed = types.is_fixed_size_binary(kind)
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or fixed or types.is_binary_view(kind)
    )


def _is_struct_of_bytes(kind: Any) -> bool:
    from pyarrow import types

    if not types.is_struct(kind):
        return False
    place = kind.get_field_index("bytes")
    return place >= 0 and _is_bytes(kind.field(place).type)
