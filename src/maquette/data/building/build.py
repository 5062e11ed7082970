"""Builds a dataset folder out of sources: look at every item, check all, lay out what is kept.

The same sources and choices give the same bytes. Memory holds a few pictures at a time, and the
facts of all; a build that was stopped goes on when it is called again.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from maquette.core.errors import DatasetError
from maquette.core.images import ImageSpec
from maquette.data.building import layout
from maquette.data.building.choices import BuildSummary, Choices
from maquette.data.building.journal import POINTS, PREPARED, Journal
from maquette.data.building.label_columns import summary_of
from maquette.data.building.labelling import classes_of, column_of, without_label
from maquette.data.building.outcome import Outcome, copies_in, item_lines, outcome
from maquette.data.building.overview import Report, identity, look_over, silent, survey_of
from maquette.data.building.quarantine import Quarantine
from maquette.data.building.records import Record
from maquette.data.building.splitting import together
from maquette.data.building.strokes import write_strokes
from maquette.data.building.workers import default_workers
from maquette.data.building.writing import Unfinished, whole_or_nothing, write_hashed
from maquette.data.findings.finding import Finding, Survey
from maquette.data.findings.listing import listed, to_text
from maquette.data.findings.surveying import find
from maquette.data.manifest import (
    FINDINGS,
    FORMAT,
    ITEMS,
    MANIFEST,
    Manifest,
    Policy,
    StoredSpec,
)
from maquette.data.pictures.looking import Bench, Look
from maquette.data.sizes import ImageSize
from maquette.data.sources.opening import open_source
from maquette.data.sources.source import Item, Source

FEWEST_PICTURES = 2
WORTH_KEEPING = 1000  # items looked at, when something can be mended only afterwards


def build(
    sources: Sequence[str],
    out: Path,
    size: ImageSize,
    choices: Choices | None = None,
    *,
    workers: int | None = None,
    report: Report = silent,
) -> BuildSummary:
    """Write the dataset folder `out`; DatasetError in one sentence when it cannot be done.

    `workers` processes look at pictures, one for each core if not given. `report` hears of every
    item. Nothing is left under `out` unless the build succeeds; stopped by Ctrl-C or a kill, it
    leaves a hidden sibling of `out` from which the same call goes on.
    """
    choices = choices or Choices()
    if not sources:
        raise DatasetError("no source was given; name a folder, a file or builtin:digits")
    choices.check()
    opened = [open_source(source, choices.reading_columns) for source in sources]
    grey = choices.colour == "grey" or (choices.colour == "auto" and all(s.grey for s in opened))
    channels = 1 if grey and not choices.stroke_channels else 3
    bench = Bench(size, channels, choices.fit, choices.keep_bars, choices.stroke_channels)
    with whole_or_nothing(out) as folder:
        site = _Site(folder, size, bench, choices, opened)
        site.look(workers or default_workers(), report)
        try:
            return site.lay_out(out, sources, report)
        except DatasetError as problem:
            if len(site.journal.records) < WORTH_KEEPING:
                raise
            kept = "what was looked at is kept, and a corrected command goes on from it"
            raise Unfinished(f"{problem}; {kept}") from None


class _Site:
    """Where one dataset is built: the half-made folder, and the journal in it."""

    def __init__(
        self,
        folder: Path,
        size: ImageSize,
        bench: Bench,
        choices: Choices,
        sources: Sequence[Source],
    ):
        self.folder, self.size, self.bench = folder, size, bench
        self.choices, self.sources = choices, sources
        row_bytes = size.height * size.width * bench.channels
        self.journal = Journal(folder, identity(sources, choices.reading_columns, bench), row_bytes)
        self.quarantine = Quarantine(folder, resumed=self.journal.resumed > 0)
        for file in folder.glob("*.npy"):  # of a laying out that was stopped
            file.unlink()

    def look(self, workers: int, report: Report) -> None:
        with self.journal as journal:
            look_over(self.sources, self.bench, journal, workers, report, self._hear)

    def _hear(self, number: int, item: Item, look: Look) -> None:
        """Of every look, before it is written down."""
        if self.bench.stroke_channels and look.facts is not None and look.strokes is None:
            raise DatasetError(
                f"{item.source} is a picture without strokes, and stroke channels are made of "
                "strokes: give drawings (.ndjson) alone, or leave --stroke-channels away"
            )
        self.quarantine.hear(number, item, look)

    def lay_out(self, out: Path, named: Sequence[str], report: Report) -> BuildSummary:
        """Check everything, and write what is kept."""
        records, drop = self.journal.records, self.choices.dropped
        _refuse_too_few([r for r in records if r.facts is not None], records, named)
        labels = classes_of(records, self.choices, len(self.sources))
        survey = survey_of(self.journal, labels, self.size)
        checks = self.choices.checking.checks(drop)
        findings = find(survey, checks, partial(report, "checking"))
        result = outcome(records, findings, drop, without_label(records, labels, self.choices))
        _refuse_too_few([records[n] for n in result.kept], records, named, drop)
        plan = self._plan(findings, result, labels, self._columns(result))
        spec = ImageSpec(self.bench.channels, self.size.height, self.size.width, plan.classes)
        manifest = self._write(survey, findings, result, plan, spec)
        self.journal.remove()
        return BuildSummary(
            folder=out,
            spec=spec,
            counts=dict(manifest.counts),
            left_out={records[n].source: why.reason for n, why in result.left_out.items()},
            reasons=dict(Counter(why.kind for why in result.left_out.values()).most_common()),
            findings=tuple(findings),
            columns=tuple(
                summary_of(column, plan.columns[column.name])
                for column in self.choices.label_columns
            ),
            rows=None if (table := self.choices.label_table) is None else table.useless(),
            resumed=self.journal.resumed,
        )

    def _columns(self, result: Outcome) -> dict[str, list[str | None]]:
        """The labels of kept pictures by column; DatasetError for fewer than two classes."""
        columns: dict[str, list[str | None]] = {}
        for column in self.choices.label_columns:
            labels = column_of(self.journal.records, column, len(self.sources))
            kept = columns[column.name] = [labels[number] for number in result.kept]
            if len({label for label in kept if label is not None}) < 2:
                raise DatasetError(
                    f"dropping {', '.join(self.choices.dropped)} leaves the label column "
                    f"{column.name} of {_name(self.sources)} fewer than two classes: drop less, or "
                    "leave out this --label"
                )
        return columns

    def _plan(
        self,
        findings: Sequence[Finding],
        result: Outcome,
        labels: Sequence[str | None],
        columns: Mapping[str, Sequence[str | None]],
    ) -> layout.Layout:
        kept = [(n, record) for n in result.kept if (record := self.journal.records[n]).facts]
        hashes = [record.facts.sha256 for _, record in kept if record.facts is not None]
        copies = [copies_in(finding) for finding in findings]
        groups = [[groups.get(n) for n, _ in kept] for groups in copies if groups]
        keys = together(hashes, [record.group for _, record in kept], *groups)
        named = [labels[n] for n in result.kept]
        rows = [result.prepared[n] for n in result.kept]
        return layout.plan(rows, keys, named, self.choices.holdout, self.choices.seed, columns)

    def _write(
        self,
        survey: Survey,
        findings: Sequence[Finding],
        result: Outcome,
        plan: layout.Layout,
        spec: ImageSpec,
    ) -> Manifest:
        """Every file of the dataset, the manifest last."""
        folder, records = self.folder, self.journal.records
        self.quarantine.fill(records, result, layout.prepared_rows(folder / PREPARED, spec))
        shards, sha256 = layout.write_rows(folder, folder / PREPARED, plan, spec)
        strokes, strokes_sha256 = write_strokes(folder, folder / POINTS, records, plan)
        columns, columns_sha256 = layout.write_columns(folder, plan)
        sha256 |= strokes_sha256 | columns_sha256
        lines = item_lines(records, result, plan)
        sha256[ITEMS] = write_hashed(folder / ITEMS, lines)
        text = to_text(listed(findings, survey))
        sha256[FINDINGS] = write_hashed(folder / FINDINGS, [text.encode()])
        kept = len(plan.order)
        counts = {"train": plan.train, "holdout": kept - plan.train}
        manifest = Manifest(
            format=FORMAT,
            name=_name(self.sources),
            spec=StoredSpec(**asdict(spec)),
            counts={**counts, "skipped": len(records) - kept},
            splits={"train": (0, plan.train), "holdout": (plan.train, kept)},
            shards=shards,
            columns=columns,
            strokes=strokes,
            sha256=sha256,
            policy=self._policy(),
        )
        text = json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
        write_hashed(folder / MANIFEST, [text.encode()])
        return manifest

    def _policy(self) -> Policy:
        choices = self.choices
        return Policy(
            fit=choices.fit,
            colour=self._colour(),
            labels=_where_labels_are_from(choices),
            holdout=choices.holdout,
            seed=choices.seed,
            bars="kept" if choices.keep_bars else "cropped",
            dropped=choices.dropped,
            stroke_channels=choices.stroke_channels,
        )

    def _colour(self) -> str:
        if self.bench.stroke_channels:
            return "strokes"
        return "grey" if self.bench.channels == 1 else "rgb"


def _where_labels_are_from(choices: Choices) -> str:
    if choices.label_columns:
        return "columns"
    return "table" if choices.label_table is not None else choices.labels


def _refuse_too_few(
    kept: Sequence[Record],
    records: Sequence[Record],
    sources: Sequence[str],
    dropped: Sequence[str] = (),
) -> None:
    if len(kept) >= FEWEST_PICTURES:
        return
    where, needed = " and ".join(sources), f"at least {FEWEST_PICTURES} are needed"
    if not records:
        raise DatasetError(f"{where} is empty: put pictures there; {needed}")
    held = "only one picture" if kept else "no picture"
    if dropped and any(record.facts for record in records):
        raise DatasetError(f"dropping {', '.join(dropped)} leaves {held} of {where}; {needed}")
    skipped = next((r for r in records if r.fault is not None), None)
    example = (
        f", first {skipped.source}: {skipped.fault.reason}" if skipped and skipped.fault else ""
    )
    files = "1 item" if len(records) == 1 else f"{len(records)} items"
    raise DatasetError(f"{where} holds {held} that can be read ({files}{example}); {needed}")


def _name(sources: Sequence[Source]) -> str:
    """The same wherever the dataset is written, so that its bytes are."""
    names = [source.name for source in sources]
    return " + ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more"
