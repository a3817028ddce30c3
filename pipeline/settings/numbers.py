"""The section `data.csv.numbers` of `pipeline_config.yaml`: how a column's numbers are written."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, field_validator

from tabular.csv.number_format import NumberFormat
from trainer.settings.base import FrozenList, Section


def _as_texts(value: Any) -> Any:
    """Makes a list of a single text."""
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], FrozenList, BeforeValidator(_as_texts)]
Thousands = Literal[",", ".", " ", "'", "_"]
Negative = Literal["sign", "brackets", "trailing"]


class NumberSettings(Section):
    """How the numbers of a column are written, if not as `-1234.5`."""

    prefix: Texts = Field(
        (),
        description="What stands before each number, such as `$`: a text, or a list of them; an"
        " empty text in the list: may be absent.",
    )
    suffix: Texts = Field(
        (),
        description="What stands behind each number, such as `kg`, likewise. A percent sign is one:"
        " `45%` is 45.",
    )
    thousands: Thousands | None = Field(
        None,
        description="Separator of thousands; a blank is a no-break blank too, an apostrophe a"
        " typographic one too; null: none.",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal point of this column; null: that of `data.csv.decimal`."
    )
    negative: Negative = Field(
        "sign",
        description="How negative numbers are written, besides a sign in front: `brackets` as"
        " `(5)`, `trailing` as `5-`.",
    )
    null_values: Texts = Field(
        (), description="Words that mean a missing value in this column only, such as `T`."
    )
    infinite: Literal["error", "missing"] = Field(
        "error",
        description="What `inf` and numbers beyond 3.4e38 are: an error in their row, or a missing"
        " value.",
    )

    @field_validator("prefix")
    @classmethod
    def _ends_before_digits(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return _apart_from_digits(texts, -1, "end")

    @field_validator("suffix")
    @classmethod
    def _begins_after_digits(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return _apart_from_digits(texts, 0, "begin")

    @property
    def may_be_missing(self) -> bool:
        """Whether some cells mean a missing value in this column only."""
        return bool(self.null_values) or self.infinite == "missing"

    def compact(self) -> dict[str, Any]:
        """Gives the settings that differ from the defaults; a list of one text as that text."""
        return {
            name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
            for name, value in self.model_dump(exclude_defaults=True).items()
        }

    def to_format(self, decimal: str) -> NumberFormat:
        """Gives the settings in the form in which `tabular` takes them.

        Args:
            decimal: Decimal point of the columns that have none of their own.
        """
        return NumberFormat(**{**self.model_dump(), "decimal": self.decimal or decimal})


def _apart_from_digits(texts: tuple[str, ...], place: int, what: str) -> tuple[str, ...]:
    for text in texts:
        if text and (text[place].isdigit() or text[place] in ".,"):
            raise ValueError(f"{text!r} must not {what} with a digit or a decimal point")
    return texts


def from_format(number_format: NumberFormat, decimal: str) -> NumberSettings:
    """Makes the settings of a format.

    Args:
        number_format: The format.
        decimal: Decimal point of the table, which is left out.
    """
    described = asdict(number_format)
    if number_format.decimal == decimal:
        del described["decimal"]
    return NumberSettings.model_validate(described)


def as_yaml(number_format: NumberFormat, decimal: str) -> str:
    """Writes the settings of a format as a line of YAML, with the arguments of `from_format`."""
    described = from_format(number_format, decimal).compact()
    text: str = yaml.safe_dump(described, default_flow_style=True, allow_unicode=True, width=1000)
    return text.strip()
