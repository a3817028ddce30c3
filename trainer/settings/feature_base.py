"""Base classes of the feature kinds; imports no TensorFlow."""

from typing import Any, Literal

from pydantic import Field, model_serializer, model_validator

from trainer.settings.base import Section

RawType = Literal["float", "bytes"]
"""Type of a raw column: float32, NaN if missing; or string, empty if missing."""


class BaseFeature(Section):
    """A feature made from the raw column of the same name."""

    @property
    def raw_type(self) -> RawType | None:
        """Type of the raw column; None if the feature has none or the model does not read it."""
        return None

    @property
    def has_ids(self) -> bool:
        """Whether the transformed feature is an integer id from a known range."""
        return False

    def for_transform(self) -> "BaseFeature":
        """Drops the settings that Transform does not read, so that it does not run again."""
        return self

    @model_serializer(mode="plain")
    def _write(self) -> str | dict[str, Any]:
        """Writes the shortest form that YAML allows: the kind, and settings that are not defaults.

        Without such settings, it is the kind alone.
        """
        fields: dict[str, Any] = dict(self)
        changed = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
            if name != "kind" and value != type(self).model_fields[name].default
        }
        return {"kind": fields["kind"], **changed} if changed else str(fields["kind"])


class IdFeature(BaseFeature):
    """A feature whose values are numbered; an id names a value and has no magnitude."""

    encode: Literal["one_hot", "embedding"] = Field(
        "one_hot",
        description="How a network sees the ids: `one_hot`, or a learned `embedding`.",
    )
    dimension: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Width of the embedding; null: the fourth root of the number of ids.",
    )

    @model_validator(mode="after")
    def _dimension_needs_embedding(self) -> "IdFeature":
        if self.dimension is not None and self.encode != "embedding":
            raise ValueError("dimension needs encode: embedding")
        return self

    @property
    def has_ids(self) -> bool:
        """Always true for these kinds."""
        return True

    def for_transform(self) -> "IdFeature":
        """Drops the encoding, which only the Trainer reads."""
        return self.model_copy(update={"encode": "one_hot", "dimension": None})
