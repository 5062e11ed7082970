"""What a person chose for a dataset, and what came of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from maquette.core.errors import DatasetError, unknown_name
from maquette.core.images import ImageSpec
from maquette.data.building.label_columns import ColumnSummary, LabelColumn, own_columns
from maquette.data.building.label_table import LabelTable, UselessRows
from maquette.data.findings.finding import Finding
from maquette.data.findings.surveying import Checking, check_drops
from maquette.data.pictures.preparation import Fit
from maquette.data.sources.source import Reading

Colour = Literal["auto", "rgb", "grey"]
Labels = Literal["auto", "folders", "sources", "none"]


@dataclass(frozen=True)
class Choices:
    """What a person chose for a dataset, beside its sources and size."""

    fit: Fit = "cover"
    colour: Colour = "auto"  # auto is grey when every source has pictures of one channel
    labels: Labels = "auto"  # see labelling
    label_table: LabelTable | None = None  # replaces `labels`
    label_columns: tuple[LabelColumn, ...] = ()  # replace both; the first is taken unless told
    holdout: float = 0.1  # share of the pictures kept from training, 0 to 0.5
    seed: int = 0
    keep_bars: bool = False
    stroke_channels: bool = False  # of drawings: ink, order and progress instead of a colour
    drop: tuple[str, ...] = ()  # kinds of findings whose pictures are left out
    reading: Reading = field(default_factory=Reading)
    checking: Checking = field(default_factory=Checking)

    def check(self) -> None:
        """DatasetError for a value that is not one of those known."""
        choices = [
            ("fit", self.fit, Fit),
            ("colour", self.colour, Colour),
            ("way to label", self.labels, Labels),
        ]
        for kind, value, known in choices:
            if value not in get_args(known):
                raise DatasetError(unknown_name(kind, value, list(get_args(known))))
        if self.label_columns and (self.label_table is not None or self.labels != "auto"):
            raise DatasetError("label columns take the place of other labels: give --label alone")
        if not 0 <= self.holdout <= 0.5:
            raise DatasetError(
                f"a holdout share of {self.holdout} is out of range: it must be 0 to 0.5"
            )
        if self.stroke_channels and self.colour != "auto":
            raise DatasetError("stroke channels take the place of colours: leave one of them away")
        check_drops(self.drop)

    @property
    def reading_columns(self) -> Reading:
        """How sources are read so that all label columns of their own tables come along."""
        wanted = own_columns(self.label_columns)
        return self.reading.model_copy(update={"class_features": wanted})

    @property
    def dropped(self) -> tuple[str, ...]:
        """Kinds of findings that are left out; showing what is unwanted means not wanting it."""
        return (*self.drop, *(["unlike"] if self.checking.unlike else []))


@dataclass(frozen=True)
class BuildSummary:
    """What came of a build."""

    folder: Path
    spec: ImageSpec
    counts: dict[str, int]  # pictures in "train" and "holdout", items "skipped"
    left_out: dict[str, str]  # source of an item -> why
    reasons: dict[str, int]  # kind of fault or finding -> items left out for it, most first
    findings: tuple[Finding, ...]
    columns: tuple[ColumnSummary, ...]  # of labels; none where there is one kind of label at most
    rows: UselessRows | None  # of the table that gave the only labels
    resumed: int  # items that an interrupted earlier build had looked at
