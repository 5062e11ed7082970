"""What is remembered of every item while a dataset is built: one line each in `items.jsonl`."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """An item without its content."""

    source: str
    origin: str  # the name of the SOURCE it came from
    folders: tuple[str, ...]
    stated_label: str | None
    sha256: str | None  # of the encoded bytes, or of an array's pixel bytes
    finding: str | None  # why it was skipped
    height: int | None = None  # pixels, as it was
    width: int | None = None  # pixels, as it was

    def line(self, row: int | None, split: str | None, label: str | None) -> bytes:
        """JSON for `items.jsonl`; row and split are None for skipped items."""
        entry = {
            "row": row,
            "source": self.source,
            "split": split,
            "label": label,
            "height": self.height,
            "width": self.width,
            "sha256": self.sha256,
            "finding": self.finding,
        }
        # Names on disk may hold lone surrogates; ASCII escapes carry them through.
        return json.dumps(entry, ensure_ascii=True).encode() + b"\n"
