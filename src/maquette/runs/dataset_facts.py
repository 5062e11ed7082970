"""What a run's dataset says of itself, while it is still there and still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from maquette.core.errors import DatasetError
from maquette.data.findings.finding import Severity
from maquette.data.manifest import FINDINGS, read_manifest


@dataclass(frozen=True)
class FoundKind:
    """One kind of finding, without the single pictures."""

    title: str
    severity: Severity
    meaning: str
    action: str
    remark: str
    count: int


@dataclass(frozen=True)
class DatasetFacts:
    """Counts by split, how pictures were prepared, and what the checks found."""

    counts: dict[str, int]  # "train", "holdout", "skipped"
    preparation: str
    findings: tuple[FoundKind, ...] | None  # None where they cannot be read


@dataclass(frozen=True)
class _Listing:
    findings: tuple[FoundKind, ...]


def dataset_facts(dataset: Mapping[str, Any]) -> DatasetFacts | None:
    """By what run.json says of the dataset; None when it is gone, changed or damaged."""
    folder = Path(dataset.get("path", ""))
    try:
        manifest, fingerprint = read_manifest(folder)
    except DatasetError:
        return None
    if fingerprint != dataset.get("fingerprint"):
        return None
    policy = manifest.policy
    words = f"fit {policy.fit}, {policy.colour}, bars {policy.bars}, {policy.resampling} resampling"
    dropped = f"; left out by choice: {', '.join(policy.dropped)}" if policy.dropped else ""
    return DatasetFacts(manifest.counts, words + dropped, _findings(folder))


def _findings(folder: Path) -> tuple[FoundKind, ...] | None:
    try:
        content = (folder / FINDINGS).read_bytes()
        return TypeAdapter(_Listing).validate_json(content).findings
    except (OSError, ValueError):
        return None
