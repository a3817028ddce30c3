"""Reads and writes schemas as text, and describes what each column may hold."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from google.protobuf import text_format
from rich.table import Table
from rich.text import Text
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data_gate.anomaly_text import domain_words
from pipeline.errors import DataError

_TYPES = {"BYTES": "words", "INT": "whole numbers", "FLOAT": "numbers"}
_WORDS_SHOWN = 10


@dataclass(frozen=True)
class Column:
    """A description of what a column may hold."""

    type: str
    presence: str
    values: str


def read_schema(path: Path) -> schema_pb2.Schema:
    """Reads a schema.

    Args:
        path: A `schema.pbtxt`.

    Raises:
        DataError: If the file does not exist, or is not a schema.
    """
    try:
        schema = text_format.Parse(path.read_text("utf-8"), schema_pb2.Schema())
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read, {error.strerror}") from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: is not a schema: {error}; expected a schema.pbtxt, as pipeline schema write"
            " writes it"
        ) from None
    if not schema.feature:
        raise DataError(
            f"{path}: has no column; expected a schema.pbtxt, as pipeline schema write writes it"
        )
    return schema


def to_text(schema: schema_pb2.Schema) -> str:
    """Formats a schema as text to review."""
    text: str = text_format.MessageToString(schema, as_utf8=True)
    return text


def describe_columns(schema: schema_pb2.Schema) -> dict[str, Column]:
    """Describes what each column may hold."""
    return {
        feature.name: Column(
            _type(feature), _presence(feature), _values(feature, domain_words(feature, schema))
        )
        for feature in schema.feature
    }


def schema_table(schema: schema_pb2.Schema) -> Table:
    """Makes a table of the columns of a schema, a row each."""
    table = Table("column", *(field.name for field in fields(Column)), box=None)
    for name, column in describe_columns(schema).items():
        table.add_row(Text(name, overflow="fold"), *map(Text, astuple(column)))
    return table


def differences(reviewed: schema_pb2.Schema, inferred: schema_pb2.Schema) -> Iterator[str]:
    """Describes the differences of a reviewed schema from that of the data.

    Yields:
        A line for each difference of a column, in the order of the reviewed schema.
    """
    expected, found = describe_columns(reviewed), describe_columns(inferred)
    words = {
        feature.name: (domain_words(feature, reviewed), domain_words(other, inferred))
        for feature in reviewed.feature
        for other in inferred.feature
        if feature.name == other.name
    }
    for name, column in expected.items():
        if name not in found:
            yield f"{name}: in the schema, not in the data"
            continue
        for field in fields(Column):
            here, there = getattr(column, field.name), getattr(found[name], field.name)
            in_schema, in_data = words[name]
            if field.name == "values" and in_schema and in_data:
                yield from _word_differences(name, in_schema, in_data)
            elif here != there:
                yield f"{name}: {field.name}: {here} by the schema, {there} in the data"
    for name in found.keys() - expected.keys():
        yield f"{name}: in the data, not in the schema"


def _word_differences(name: str, in_schema: Sequence[str], in_data: Sequence[str]) -> Iterator[str]:
    for here, there, place in (
        (in_schema, in_data, "in the schema only"),
        (in_data, in_schema, "in the data only"),
    ):
        if only := [word for word in here if word not in there]:
            yield f"{name}: values: {place}: {_list(only)}"


def _type(feature: schema_pb2.Feature) -> str:
    name: str = schema_pb2.FeatureType.Name(feature.type)
    return _TYPES.get(name, name)


def _presence(feature: schema_pb2.Feature) -> str:
    share = feature.presence.min_fraction
    if share >= 1:
        return "always"
    return f"in at least {share:.4g} of the rows" if share > 0 else "may be empty"


def _values(feature: schema_pb2.Feature, words: Sequence[str]) -> str:
    if words:
        return _list(words)
    if feature.HasField("bool_domain"):
        return "0, 1"
    for kind in ("int_domain", "float_domain"):
        if feature.HasField(kind):
            domain = getattr(feature, kind)
            low = f"{domain.min:g}" if domain.HasField("min") else "any"
            high = f"{domain.max:g}" if domain.HasField("max") else "any"
            return "any" if low == high == "any" else f"{low} to {high}"
    return "any"


def _list(words: Sequence[str]) -> str:
    more = len(words) - _WORDS_SHOWN
    return ", ".join(map(repr, words[:_WORDS_SHOWN])) + (f" and {more:,} more" if more > 0 else "")
