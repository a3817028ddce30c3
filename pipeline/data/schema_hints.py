"""What a reviewed schema says of the kinds of columns; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.data.schema_text import read_schema


@dataclass(frozen=True)
class Said:
    """What is said of a column.

    Attributes:
        kind: Whether it is a number, words, or yes and no.
        true: The word for yes, where one is named.
        false: The word for no.
    """

    kind: Literal["number", "words", "boolean"]
    true: str = ""
    false: str = ""


def read_kinds(path: Path) -> Mapping[str, Said]:
    """Reads what a schema says.

    Args:
        path: A `schema.pbtxt`, text of a `tensorflow_metadata` Schema.

    Returns:
        Column to what is said of it; those of which nothing is said that decides are not there.

    Raises:
        DataError: If it is not there, or is no schema.
    """
    said = {feature.name: _said(feature) for feature in read_schema(path).feature}
    return {name: what for name, what in said.items() if what is not None}


def _said(feature: schema_pb2.Feature) -> Said | None:
    domain = feature.WhichOneof("domain_info")
    if domain == "bool_domain":
        return Said("boolean", feature.bool_domain.true_value, feature.bool_domain.false_value)
    if feature.type == schema_pb2.FLOAT:
        return Said("number")
    is_categorical = domain == "int_domain" and feature.int_domain.is_categorical
    if is_categorical or domain in ("string_domain", "domain"):
        return Said("words")
    return None
