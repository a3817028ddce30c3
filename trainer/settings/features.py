"""Settings of the features: how raw columns become model inputs; imports no TensorFlow."""

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, field_validator, model_validator

from trainer.settings.base import FiniteFloat, FrozenList
from trainer.settings.column_names import ALL_OTHERS
from trainer.settings.date_format import CODES, check_date_format
from trainer.settings.feature_base import BaseFeature, IdFeature, RawType
from trainer.settings.words import Tags, Text

DatePart = Literal[
    "year", "quarter", "month", "week", "day", "day_of_year", "weekday", "hour", "minute", "days"
]
_MAX_IDS = 10_000_000


class Numeric(BaseFeature):
    """A number."""

    kind: Literal["numeric"] = "numeric"
    scale: Literal["z_score", "min_max", "log1p", "raw"] = Field(
        "z_score",
        description="`z_score`: mean 0, variance 1; `min_max`: 0 to 1; `log1p`: z-score of"
        " log(1 + x), for x not below 0 (a negative x in a request counts as 0); `raw`: unchanged.",
    )
    fill: Literal["error", "mean"] | FiniteFloat = Field(
        "error",
        description="What replaces a missing value: the `mean` of the train split, or a given"
        " number. With `error`, data with missing values is refused, and a served request gets the"
        " mean.",
    )
    missing_indicator: bool = Field(
        False,
        description="Whether to add a feature that is 1 where the value is missing, else 0.",
    )
    clip: Annotated[tuple[FiniteFloat, FiniteFloat], FrozenList] | None = Field(
        None,
        description="Lowest and highest value; values beyond are moved to these bounds before"
        " scaling. Null: no bounds.",
    )

    @field_validator("clip")
    @classmethod
    def _check_order(cls, clip: tuple[float, float] | None) -> tuple[float, float] | None:
        if clip is not None and clip[0] >= clip[1]:
            raise ValueError(f"lowest value {clip[0]:g} is not below highest value {clip[1]:g}")
        return clip

    @property
    def raw_type(self) -> RawType:
        """Always float."""
        return "float"


class Bucketized(IdFeature):
    """A number, replaced by the range it falls in; missing values get a range of their own."""

    kind: Literal["bucketized"] = "bucketized"
    buckets: int = Field(
        10,
        ge=2,
        le=10_000,
        description="Number of ranges, chosen so that each holds about as many examples.",
    )
    boundaries: Annotated[tuple[FiniteFloat, ...], FrozenList] | None = Field(
        None,
        min_length=1,
        description="Increasing numbers at which a new range begins; replaces `buckets`.",
    )

    @field_validator("boundaries")
    @classmethod
    def _check_order(cls, boundaries: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for low, high in pairwise(boundaries or ()):
            if low >= high:
                raise ValueError(f"must increase: {high:g} follows {low:g}")
        return boundaries

    @property
    def raw_type(self) -> RawType:
        """Always float."""
        return "float"


class Categorical(IdFeature):
    """A category: a word, or a number used as one; missing values are a category of their own."""

    kind: Literal["categorical"] = "categorical"
    ids: Literal["vocabulary", "identity", "hash"] = Field(
        "vocabulary",
        description="How words become ids: by a `vocabulary` of the train split; by their `hash`;"
        " or `identity`, if the column already holds whole numbers from 0 to `size` - 1.",
    )
    size: int | None = Field(
        None,
        ge=1,
        le=_MAX_IDS,
        description="With `vocabulary`: how many of the most frequent words to keep, null for all."
        " With `identity` and `hash`: the number of ids, required.",
    )
    min_count: int = Field(
        1,
        ge=1,
        description="How many examples must have a word for it to be in the vocabulary.",
    )
    oov_buckets: int = Field(
        1,
        ge=1,
        le=_MAX_IDS,
        description="Number of ids shared by the words outside the vocabulary, which are assigned"
        " by a hash.",
    )

    @model_validator(mode="after")
    def _check_ids(self) -> "Categorical":
        if self.ids != "vocabulary":
            if self.size is None:
                raise ValueError(f"{self.ids} needs a size, the number of ids")
            for name in ("min_count", "oov_buckets"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name} needs ids: vocabulary, not {self.ids}")
        return self

    @property
    def raw_type(self) -> RawType:
        """Float if the column already holds ids, else bytes."""
        return "float" if self.ids == "identity" else "bytes"


class Boolean(IdFeature):
    """True or false; missing values and all other words have a third id."""

    kind: Literal["boolean"] = "boolean"
    true_words: Annotated[tuple[str, ...], FrozenList] = Field(
        ("true", "t", "yes", "y", "1", "1.0"),
        min_length=1,
        description="Words that mean true; upper and lower case count as the same.",
    )
    false_words: Annotated[tuple[str, ...], FrozenList] = Field(
        ("false", "f", "no", "n", "0", "0.0"),
        min_length=1,
        description="Words that mean false; upper and lower case count as the same.",
    )

    @model_validator(mode="after")
    def _check_words_differ(self) -> "Boolean":
        both = {word.lower() for word in self.true_words} & {
            word.lower() for word in self.false_words
        }
        if both:
            raise ValueError(f"'{min(both)}' stands for both true and false")
        return self

    @property
    def raw_type(self) -> RawType:
        """Always bytes."""
        return "bytes"


class Datetime(BaseFeature):
    """A date or time, split into parts; text that does not match the format counts as missing."""

    kind: Literal["datetime"] = "datetime"
    format: str = Field(
        "iso",
        min_length=1,
        description="`iso` (2024-05-01, with or without a time), `unix` (seconds since 1970; also"
        f" `unix_ms`, `unix_us` and `unix_ns`), or a pattern of {CODES}.",
    )
    parts: Annotated[tuple[DatePart, ...], FrozenList] = Field(
        ("month", "weekday", "hour"),
        min_length=1,
        description="Parts to use, in UTC. `year`, `day_of_year` and `days` (since the day of"
        " `since`, with the time as a fraction) are numbers; each other part is one-hot encoded."
        " `week` is that of ISO 8601.",
    )
    since: str = Field("1970-01-01", description="The day from which `days` are counted.")

    @field_validator("format")
    @classmethod
    def _check_format(cls, text: str) -> str:
        return check_date_format(text)

    @field_validator("since", mode="before")
    @classmethod
    def _check_day(cls, day: Any) -> str:
        try:  # YAML reads 2020-01-31 as a date
            return date.fromisoformat(str(day)).isoformat()
        except ValueError:
            raise ValueError(f"'{day}' is not a day, such as 2020-01-31") from None

    @field_validator("parts")
    @classmethod
    def _check_parts_differ(cls, parts: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(parts)) < len(parts):
            raise ValueError("a part is listed twice")
        return parts

    @model_validator(mode="after")
    def _since_needs_days(self) -> "Datetime":
        if "days" not in self.parts and self.since != type(self).model_fields["since"].default:
            raise ValueError("since needs days among the parts")
        return self

    @property
    def raw_type(self) -> RawType:
        """Always bytes, for `unix` too: float32 holds such seconds only to the minute."""
        return "bytes"


class Crossed(IdFeature):
    """A combination of several features with ids, hashed; it reads no raw column of its own."""

    kind: Literal["crossed"] = "crossed"
    columns: Annotated[tuple[str, ...], FrozenList] = Field(
        min_length=2,
        description="Names of the features to combine; each must be of a kind that has ids.",
    )
    size: int = Field(
        1000, ge=2, le=_MAX_IDS, description="Number of ids that combinations are hashed to."
    )


class Ignore(BaseFeature):
    """A column that the model does not read."""

    kind: Literal["ignore"] = "ignore"


class Auto(BaseFeature):
    """A column whose kind is chosen from its values before the run."""

    kind: Literal["auto"] = "auto"


Feature = Annotated[
    Numeric | Bucketized | Categorical | Boolean | Datetime | Tags | Text | Crossed | Ignore | Auto,
    Discriminator("kind"),
    BeforeValidator(lambda value: {"kind": value} if isinstance(value, str) else value),
]


def _as_mapping(value: Any) -> Any:
    return {ALL_OTHERS: value} if value == "auto" else value


Features = Annotated[dict[str, Feature], BeforeValidator(_as_mapping), Field(min_length=1)]
