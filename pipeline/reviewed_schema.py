"""What a reviewed schema says of the kinds of columns; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.errors import DataError


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


def read_schema(path: Path) -> Mapping[str, Said]:
    """Reads a schema.

    Args:
        path: A `schema.pbtxt`, text of a `tensorflow_metadata` Schema.

    Returns:
        Column to what is said of it; those of which nothing is said that decides are not there.

    Raises:
        DataError: If it is no schema.
        OSError: If it cannot be read.
    """
    try:
        schema = text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: is no schema: {error}; expected a schema.pbtxt: correct data.schema"
        ) from None
    said = {feature.name: _said(feature) for feature in schema.feature}
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
