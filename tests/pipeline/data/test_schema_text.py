"""Schemas as text and as descriptions of columns."""

from io import StringIO
from pathlib import Path

import pytest
from google.protobuf import text_format
from rich.console import Console
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.data.schema_text import (
    Column,
    describe_columns,
    differences,
    read_schema,
    schema_table,
    to_text,
)
from pipeline.errors import DataError

TEXT = """
feature { name: "width" type: FLOAT presence { min_fraction: 1 min_count: 1 } }
feature { name: "age" type: INT int_domain { min: 0 max: 120 } presence { min_fraction: 0.5 } }
feature { name: "rich" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
feature { name: "legs" type: INT bool_domain {} }
feature { name: "city" type: BYTES domain: "city" presence { min_count: 1 } }
feature { name: "share" type: FLOAT float_domain { max: 1 } }
string_domain { name: "city" value: "Köln" value: "Rom" }
"""


def parse(text: str) -> schema_pb2.Schema:
    return text_format.Parse(text, schema_pb2.Schema())


def test_describe_columns_says_what_each_may_hold() -> None:
    assert describe_columns(parse(TEXT)) == {
        "width": Column("numbers", "always", "any"),
        "age": Column("whole numbers", "in at least 0.5 of the rows", "0 to 120"),
        "rich": Column("words", "may be empty", "'yes', 'no'"),
        "legs": Column("whole numbers", "may be empty", "0, 1"),
        "city": Column("words", "may be empty", "'Köln', 'Rom'"),
        "share": Column("numbers", "may be empty", "any to 1"),
    }


def test_describe_columns_counts_words_beyond_ten() -> None:
    words = " ".join(f'value: "{index}"' for index in range(1012))
    schema = parse(f'feature {{ name: "x" type: BYTES string_domain {{ {words} }} }}')

    assert describe_columns(schema)["x"].values.endswith("'8', '9' and 1,002 more")


def test_schema_table_lists_every_column() -> None:
    stream = StringIO()

    Console(file=stream, width=200).print(schema_table(parse(TEXT)))

    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines[0] == ["column", "type", "presence", "values"]
    assert lines[1] == ["width", "numbers", "always", "any"]
    assert len(lines) == 7


def test_equal_schemas_have_no_differences() -> None:
    assert list(differences(parse(TEXT), parse(TEXT))) == []


def test_differences_are_said_column_by_column() -> None:
    reviewed = parse(
        """
        feature { name: "age" type: INT presence { min_fraction: 1 } int_domain { max: 9 } }
        feature { name: "city" type: BYTES domain: "city" }
        feature { name: "gone" type: BYTES }
        string_domain { name: "city" value: "a" value: "b" value: "c" }
        """
    )
    inferred = parse(
        """
        feature { name: "age" type: FLOAT }
        feature { name: "city" type: BYTES domain: "city" }
        feature { name: "new" type: BYTES }
        string_domain { name: "city" value: "c" value: "d" }
        """
    )

    assert list(differences(reviewed, inferred)) == [
        "age: type: whole numbers by the schema, numbers in the data",
        "age: presence: always by the schema, may be empty in the data",
        "age: values: any to 9 by the schema, any in the data",
        "city: values: in the schema only: 'a', 'b'",
        "city: values: in the data only: 'd'",
        "gone: in the schema, not in the data",
        "new: in the data, not in the schema",
    ]


def test_read_schema_reads_what_to_text_writes(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    path.write_text(to_text(parse(TEXT)), "utf-8")

    assert read_schema(path) == parse(TEXT)
    assert "Köln" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"name: iris\n", "is not a schema: "),
        (b"\xff\xfe", "is not a schema: "),
        (b"", "has no column"),
    ],
)
def test_read_schema_refuses_what_is_none(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "schema.pbtxt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match=message) as caught:
        read_schema(path)

    assert str(caught.value).startswith(f"{path}: ")


def test_read_schema_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read, Is a directory"):
        read_schema(tmp_path)
