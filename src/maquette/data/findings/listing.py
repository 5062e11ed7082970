"""`findings.json`: what the checks found, for programs and for `data show`."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from maquette.data.findings.finding import Finding, Survey, Surveyed


def listed(findings: Iterable[Finding], survey: Survey) -> dict[str, Any]:
    """Plain values: every finding with every picture it names."""
    pictures = survey.pictures
    return {
        "pictures": len(pictures),
        "readable": sum(picture.facts is not None for picture in pictures),
        "findings": [_listed(finding, pictures) for finding in findings],
    }


def to_text(content: dict[str, Any]) -> str:
    """JSON; names on disk may hold lone surrogates, which ASCII escapes carry through."""
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _listed(finding: Finding, pictures: Sequence[Surveyed]) -> dict[str, Any]:
    kind = finding.kind
    return {
        "kind": kind.name,
        "severity": kind.severity,
        "title": kind.title,
        "meaning": kind.meaning,
        "action": kind.action,
        "remark": finding.remark,
        "count": len(finding.marks),
        "pictures": [
            {
                "source": pictures[mark.picture].source,
                "detail": mark.detail,
                "group": mark.group,
                "spare": mark.spare,
            }
            for mark in finding.marks
        ],
    }
