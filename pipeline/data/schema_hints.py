"""Reads hints about the kinds of columns from a reviewed schema; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.data.schema_text import read_schema


@dataclass(frozen=True)
class SchemaHint:
    """The kind of a column by the schema.

    Attributes:
        kind: The kind of its values; a boolean is yes or no.
        true: The word for yes; empty if the schema has none.
        false: The word for no; empty if the schema has none.
    """

    kind: Literal["number", "words", "boolean"]
    true: str = ""
    false: str = ""


def read_schema_hints(path: Path) -> Mapping[str, SchemaHint]:
    """Reads the hints of a schema.

    Args:
        path: A `schema.pbtxt`, text of a `tensorflow_metadata` Schema.

    Returns:
        Column to its hint; without the columns whose kind the schema leaves open.

    Raises:
        DataError: If the file does not exist, or is not a schema.
    """
    hints = {feature.name: _hint_of(feature) for feature in read_schema(path).feature}
    return {name: hint for name, hint in hints.items() if hint is not None}


def _hint_of(feature: schema_pb2.Feature) -> SchemaHint | None:
    domain = feature.WhichOneof("domain_info")
    if domain == "bool_domain":
        return SchemaHint(
            "boolean", feature.bool_domain.true_value, feature.bool_domain.false_value
        )
    if feature.type == schema_pb2.FLOAT:
        return SchemaHint("number")
    is_categorical = domain == "int_domain" and feature.int_domain.is_categorical
    if is_categorical or domain in ("string_domain", "domain"):
        return SchemaHint("words")
    return None
