"""The section `data` of `pipeline_config.yaml`: the CSV files, their format and their splits."""

import codecs
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.numbers import NumberSettings
from tabular.csv.dialect import Dialect
from tabular.csv.file_patterns import SpanPath, has_placeholders
from trainer.settings.base import FiniteFloat, FrozenList, Section, SettingError
from trainer.settings.column_names import ColumnName

if TYPE_CHECKING:
    from tabular.csv.quarantine import Budget


class CsvSettings(Section):
    """The format of the CSV files."""

    separator: str = Field(",", description="Character between cells, such as `;` or `\\t`.")
    quote: str | None = Field(
        '"',
        description="Character around cells that hold separators or line ends, doubled inside"
        " them; null: none.",
    )
    header: bool = Field(True, description="Whether the first line names the columns.")
    names: Annotated[tuple[str, ...], FrozenList] | None = Field(
        None, min_length=1, description="Names of the columns of files without a header."
    )
    rename: dict[str, ColumnName] = Field(
        {},
        description="Title of a column in the header to the name that it has here, such as"
        " `{Width (cm): width}`; columns are found by their titles. Columns without a title"
        " get the name of the empty title and their place, such as `column_3`; if that is not"
        " here, the name that pandas gives them, such as `Unnamed: 2`.",
    )
    comment: str | None = Field(
        None, description="Character at the start of a comment line; null: no comments."
    )
    skip_lines: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Lines above the header, such as the title of a report, to leave out. Blank"
        " lines and a first line such as `sep=;` are left out anyway.",
    )
    null_values: Annotated[tuple[str, ...], FrozenList] = Field(
        (), description="Words that mean a missing value, such as `NA`, besides the empty cell."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal point of numbers.")
    numbers: dict[str, NumberSettings] = Field(
        {},
        description="Column, a feature or the label or weight, to how its numbers are written, if"
        " not as `-1234.5`.",
    )
    encoding: str = Field("utf-8", description="Encoding of the text, by Python's names.")

    @field_validator("separator", "quote", "comment")
    @classmethod
    def _is_one_character(cls, text: str | None) -> str | None:
        if text is not None and (len(text) != 1 or not text.isascii() or text in "\r\n\0"):
            raise ValueError(f"{text!r} must be one ASCII character other than a line end")
        return text

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            is_text = codecs.lookup(encoding)._is_text_encoding
        except LookupError:
            is_text = False
        if not is_text:
            raise ValueError(
                f"'{encoding}' is not an encoding that Python knows, such as utf-8 or latin-1"
            )
        return encoding

    @field_validator("rename")
    @classmethod
    def _names_differ(cls, rename: dict[str, str]) -> dict[str, str]:
        cls._differ(tuple(rename.values()))
        return rename

    @field_validator("names")
    @classmethod
    def _differ(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for index, name in enumerate(names or ()):
            if name in (names or ())[:index]:
                raise ValueError(f"'{name}' is listed twice")
        return names

    @model_validator(mode="after")
    def _fit(self) -> "CsvSettings":
        marks = [mark for mark in (self.separator, self.quote, self.comment) if mark is not None]
        if len(set(marks)) < len(marks):
            raise ValueError("separator, quote and comment must be different characters")
        if not self.header and self.names is None:
            raise SettingError(("names",), "must name the columns since there is no header")
        if self.header and self.names is not None:
            raise SettingError(
                ("names",),
                "is for files without a header, and would rename columns by their place: rename"
                " them by their titles in data.csv.rename",
            )
        if not self.header and self.rename:
            raise SettingError(
                ("rename",), "needs a header with the titles: name the columns in data.csv.names"
            )
        if self.decimal == self.separator and self.quote is None:
            raise SettingError(("decimal",), "is the separator too, and there are no quotes")
        for name, numbers in self.numbers.items():
            if numbers.thousands is not None and numbers.thousands == (
                numbers.decimal or self.decimal
            ):
                raise SettingError(
                    ("numbers", name, "thousands"),
                    "is the decimal point too: set decimal of the column to the other of . and ,",
                )
        return self

    @property
    def dialect(self) -> Dialect:
        """The settings in the form in which `tabular` takes them."""
        formats = {name: each.to_format(self.decimal) for name, each in self.numbers.items()}
        described = {**self.model_dump(), "rename": tuple(self.rename.items()), "numbers": formats}
        return Dialect(**described)


class SplitSettings(Section):
    """Shares of the rows in each split, which a hash chooses."""

    train: FiniteFloat = Field(2, gt=0, description="Share of the rows to train on.")
    eval: FiniteFloat = Field(
        1, gt=0, description="Share of the rows to evaluate each checkpoint on."
    )
    test: FiniteFloat = Field(
        0,
        ge=0,
        description="Share of the rows for the final evaluation of the model; 0: eval is used.",
    )
    by: ColumnName | None = Field(
        None,
        description="Column to hash, so that equal cells share a split; null: the whole row.",
    )

    @property
    def shares(self) -> dict[str, float]:
        """The shares above 0, by split."""
        return {
            name: share
            for name in ("train", "eval", "test")
            if (share := float(getattr(self, name))) > 0
        }


class FilesSettings(Section):
    """Files of each split, if the data is split already."""

    train: str = Field(min_length=1, description="CSV file or folder to train on.")
    eval: str = Field(min_length=1, description="CSV file or folder to evaluate checkpoints on.")
    test: str | None = Field(
        None,
        min_length=1,
        description="CSV file or folder for the final evaluation of the model; null: eval is used.",
    )

    @field_validator("train", "eval", "test")
    @classmethod
    def _have_no_marks(cls, path: str | None) -> str | None:
        if path is not None and has_placeholders(path):
            raise ValueError(
                f"'{path}' has a span ({{SPAN}} or a date), which only data.path may have"
            )
        return path


class QuarantineSettings(Section):
    """How many rows may be quarantined before a run stops."""

    max_rows: int = Field(
        0, ge=0, description="Rows that may be quarantined, which is to leave them out."
    )
    max_share: FiniteFloat = Field(
        0, ge=0, lt=1, description="The same as a share of all rows; the greater of the two holds."
    )

    @property
    def budget(self) -> "Budget":
        """The settings in the form in which `tabular` takes them."""
        from tabular.csv.quarantine import Budget  # imports PyArrow, which takes long

        return Budget(self.max_rows, float(self.max_share))


class DataSettings(Section):
    """The CSV files and their label, weight and splits."""

    path: str | None = Field(
        None,
        min_length=1,
        description="A CSV file, or a folder of them (`*.csv`, `*.csv.gz`). May hold `{SPAN}` and"
        " `{VERSION}`, or `{YYYY}`, `{MM}` and `{DD}`: the newest is taken.",
    )
    files: FilesSettings | None = Field(
        None, description="The files of each split, in place of `path`."
    )
    span: int | None = Field(
        None,
        ge=0,
        lt=2**31,
        description="Span of `path` to take, a date as days since 1970; null: the newest.",
    )
    csv: CsvSettings = CsvSettings()
    label: ColumnName = Field(description="Column to predict.")
    positive: str | None = Field(
        None,
        description="The positive class of a `binary` label; null: the last in order.",
    )
    unlabeled: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a row whose label is missing: `error`, a fault like any other;"
        " or `skip`, leave it out and count it.",
    )
    weight: ColumnName | None = Field(
        None, description="Column of the examples' weights; null: all weights are 1."
    )
    split: SplitSettings = SplitSettings()
    schema_path: str | None = Field(
        None,
        min_length=1,
        alias="schema",
        description="A reviewed schema (`schema.pbtxt`) to check the data against; null: one is"
        " inferred.",
    )
    quarantine: QuarantineSettings = QuarantineSettings()

    @field_validator("path")
    @classmethod
    def _marks_fit(cls, path: str | None) -> str | None:
        SpanPath(path or "")
        return path

    @model_validator(mode="after")
    def _fit(self) -> "DataSettings":
        if self.path is None and self.files is None:
            raise SettingError(("path",), "is missing: set either path or files")
        if self.path is not None and self.files is not None:
            raise SettingError(("files",), "is set as well as path: set one of them to null")
        if self.files is not None and self.split != SplitSettings():
            raise SettingError(("split",), "is for path only: files are split already")
        if self.span is not None and not has_placeholders(self.path or ""):
            raise SettingError(("span",), "needs {SPAN} or {YYYY}, {MM} and {DD} in data.path")
        if self.weight == self.label:
            raise SettingError(("weight",), "the label cannot be the weight")
        return self

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, in the order of training, evaluation and test."""
        if self.files is None:
            return tuple(self.split.shares)
        return ("train", "eval", *(["test"] if self.files.test else []))

    @property
    def judged_split(self) -> str:
        """The split of the final evaluation: test, else eval."""
        return self.splits[-1]
