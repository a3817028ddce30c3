"""The settings of the features: how each raw column becomes what the model sees; no TensorFlow."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    field_validator,
    model_serializer,
    model_validator,
)

from trainer.settings.base import FiniteFloat, FrozenList, Section

RawType = Literal["float", "bytes"]
"""How a raw column reaches the model: a float32 whose gap is NaN, or words whose gap is empty."""
ALL_OTHERS = "*"
"""Among the features, stands for all columns that are not named."""
DatePart = Literal["year", "month", "day", "weekday", "hour", "minute"]
_MAX_IDS = 10_000_000


class _Feature(Section):
    """A feature of one raw column of the same name."""

    @property
    def raw_type(self) -> RawType | None:
        """How its column is read; None if it has none, or is not read."""
        return None

    @property
    def has_ids(self) -> bool:
        """Whether the transformed feature is a whole number out of a known range."""
        return False

    @model_serializer(mode="plain")
    def _write(self) -> str | dict[str, Any]:
        """Writes it as short as the YAML file may: what is not the default, or its kind alone."""
        fields: dict[str, Any] = dict(self)
        changed = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
            if name != "kind" and value != type(self).model_fields[name].default
        }
        return {"kind": fields["kind"], **changed} if changed else str(fields["kind"])


class Numeric(_Feature):
    """A number."""

    kind: Literal["numeric"] = "numeric"
    scale: Literal["z_score", "min_max", "log1p", "raw"] = Field(
        "z_score",
        description="`z_score`: mean 0, variance 1; `min_max`: 0 to 1; `log1p`: z-score of"
        " log(1 + x), x at least 0; `raw`: as it is.",
    )
    fill: Literal["error", "mean"] | FiniteFloat = Field(
        "error",
        description="What an empty cell is: `error`, refused in the data, and the mean when"
        " served; `mean`, or a number: taken in its place.",
    )
    missing_indicator: bool = Field(
        False, description="Whether a further feature says, 1 or 0, where the cell was empty."
    )
    clip: Annotated[tuple[FiniteFloat, FiniteFloat], FrozenList] | None = Field(
        None, description="Least and greatest value; what is beyond is moved there, before scaling."
    )

    @field_validator("clip")
    @classmethod
    def _rises(cls, clip: tuple[float, float] | None) -> tuple[float, float] | None:
        if clip is not None and clip[0] >= clip[1]:
            raise ValueError(f"least {clip[0]:g} is not below greatest {clip[1]:g}")
        return clip

    @property
    def raw_type(self) -> RawType:
        """A number."""
        return "float"


class _WithIds(_Feature):
    """A feature whose values are numbered; the model sees each id, not its size."""

    encode: Literal["one_hot", "embedding"] = Field(
        "one_hot", description="How the network sees it: `one_hot`, or a learned `embedding`."
    )
    dimension: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Width of the embedding; null is the fourth root of the number of ids.",
    )

    @model_validator(mode="after")
    def _dimension_is_of_embedding(self) -> "_WithIds":
        if self.dimension is not None and self.encode != "embedding":
            raise ValueError("dimension is that of an embedding: set encode to embedding")
        return self

    @property
    def has_ids(self) -> bool:
        """Has."""
        return True


class Bucketized(_WithIds):
    """A number, by the range it falls in; a gap is a range of its own."""

    kind: Literal["bucketized"] = "bucketized"
    buckets: int = Field(
        10, ge=2, le=10_000, description="Number of ranges, with as many examples in each."
    )
    boundaries: Annotated[tuple[FiniteFloat, ...], FrozenList] | None = Field(
        None, min_length=1, description="Where ranges begin, rising, in place of `buckets`."
    )

    @field_validator("boundaries")
    @classmethod
    def _rise(cls, boundaries: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for low, high in pairwise(boundaries or ()):
            if low >= high:
                raise ValueError(f"must rise: {high:g} follows {low:g}")
        return boundaries

    @property
    def raw_type(self) -> RawType:
        """A number."""
        return "float"


class Categorical(_WithIds):
    """A word, or a number that stands for one; a gap is a word of its own."""

    kind: Literal["categorical"] = "categorical"
    ids: Literal["vocabulary", "identity", "hash"] = Field(
        "vocabulary",
        description="What numbers the words: a `vocabulary` of the train split; `identity`, the"
        " column being whole numbers from 0 to `size` - 1; a `hash`.",
    )
    size: int | None = Field(
        None,
        ge=1,
        le=_MAX_IDS,
        description="Most frequent words kept in the vocabulary, null for all; the number of ids"
        " of `identity` and `hash`, which must be set.",
    )
    min_count: int = Field(
        1, ge=1, description="How often a word must come to be in the vocabulary."
    )
    oov_buckets: int = Field(
        1,
        ge=1,
        le=_MAX_IDS,
        description="Ids for words that are not in the vocabulary, spread by a hash.",
    )

    @model_validator(mode="after")
    def _settings_fit(self) -> "Categorical":
        if self.ids != "vocabulary":
            if self.size is None:
                raise ValueError(f"{self.ids} needs a size, the number of ids")
            for name in ("min_count", "oov_buckets"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name} is of a vocabulary, not of {self.ids}")
        return self

    @property
    def raw_type(self) -> RawType:
        """A word, but for whole numbers that are ids already."""
        return "float" if self.ids == "identity" else "bytes"


class Boolean(_WithIds):
    """Yes or no; a gap, or any other word, is neither."""

    kind: Literal["boolean"] = "boolean"
    true_words: Annotated[tuple[str, ...], FrozenList] = Field(
        ("true", "t", "yes", "y", "1", "1.0"),
        min_length=1,
        description="Words for yes, small and capital letters alike.",
    )
    false_words: Annotated[tuple[str, ...], FrozenList] = Field(
        ("false", "f", "no", "n", "0", "0.0"), min_length=1, description="Words for no."
    )

    @model_validator(mode="after")
    def _words_differ(self) -> "Boolean":
        both = {word.lower() for word in self.true_words} & {
            word.lower() for word in self.false_words
        }
        if both:
            raise ValueError(f"'{min(both)}' stands for both true and false")
        return self

    @property
    def raw_type(self) -> RawType:
        """A word."""
        return "bytes"


class Datetime(_Feature):
    """A date or time, as its parts, each numbered; what does not fit the format is a gap."""

    kind: Literal["datetime"] = "datetime"
    format: str = Field(
        "iso",
        min_length=1,
        description="`iso` (2024-05-01, with or without a time), `unix` (seconds since 1970), or"
        " a pattern of %Y %m %d %H %M %S.",
    )
    parts: Annotated[tuple[DatePart, ...], FrozenList] = Field(
        ("month", "weekday", "hour"),
        min_length=1,
        description="Parts, each one-hot, but `year`, a number; times are UTC.",
    )

    @field_validator("format")
    @classmethod
    def _is_known(cls, text: str) -> str:
        if text in ("iso", "unix"):
            return text
        codes = [text[index + 1 : index + 2] for index, mark in enumerate(text) if mark == "%"]
        if not codes or len(set(codes)) < len(codes) or not set(codes) <= set("YmdHMS"):
            raise ValueError(f"'{text}' must be iso, unix, or a pattern of %Y %m %d %H %M %S")
        if not set("Ymd") <= set(codes):
            raise ValueError(f"'{text}' must hold %Y, %m and %d")
        return text

    @field_validator("parts")
    @classmethod
    def _differ(cls, parts: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(parts)) < len(parts):
            raise ValueError("a part stands twice")
        return parts

    @property
    def raw_type(self) -> RawType:
        """Seconds are read as words too: float32 holds them to the minute only."""
        return "bytes"


class Crossed(_WithIds):
    """Several features with ids taken together, their combination hashed; it has no raw column."""

    kind: Literal["crossed"] = "crossed"
    columns: Annotated[tuple[str, ...], FrozenList] = Field(
        min_length=2, description="Names of the features, each of a kind that has ids."
    )
    size: int = Field(1000, ge=2, le=_MAX_IDS, description="Number of ids.")


class Ignore(_Feature):
    """A column that the model does not read."""

    kind: Literal["ignore"] = "ignore"


class Auto(_Feature):
    """A column whose kind is chosen by what stands in it."""

    kind: Literal["auto"] = "auto"


Feature = Annotated[
    Numeric | Bucketized | Categorical | Boolean | Datetime | Crossed | Ignore | Auto,
    Discriminator("kind"),
    BeforeValidator(lambda value: {"kind": value} if isinstance(value, str) else value),
]


def _as_mapping(value: Any) -> Any:
    return {ALL_OTHERS: value} if value == "auto" else value


Features = Annotated[dict[str, Feature], BeforeValidator(_as_mapping), Field(min_length=1)]


def indicator_name(name: str) -> str:
    """Names the feature that says where a column had a gap."""
    return f"{name}_missing"


def part_name(name: str, part: str) -> str:
    """Names the feature that is a part of a date."""
    return f"{name}_{part}"


def transformed_names(name: str, feature: _Feature) -> list[str]:
    """Names the features that are made of a column."""
    if isinstance(feature, Datetime):
        return [part_name(name, part) for part in feature.parts]
    if isinstance(feature, Numeric) and feature.missing_indicator:
        return [name, indicator_name(name)]
    return [name] if feature.raw_type is not None else []


def raw_types(features: Mapping[str, _Feature]) -> dict[str, RawType]:
    """Gives the raw columns that the model reads, and how each is read, in their order."""
    return {
        name: feature.raw_type for name, feature in features.items() if feature.raw_type is not None
    }
