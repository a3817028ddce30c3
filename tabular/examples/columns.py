"""Keeps the columns and types of examples in a file beside them; no TensorFlow.

The examples do not tell: they lack the features of missing values.
"""

import json
import os
from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.io import fileio

_FILE = "column_types.json"
_DTYPES = {schema_pb2.FLOAT: "float32", schema_pb2.INT: "int64", schema_pb2.BYTES: "string"}

Columns = Mapping[str, str]
"""Column to the name of its TensorFlow type: `float32`, `int64` or `string`."""


def columns_of(schema: schema_pb2.Schema) -> Columns:
    """Lists the columns of a schema with their types."""
    return {feature.name: _DTYPES[feature.type] for feature in schema.feature}


def write_columns(folder: str, columns: Columns) -> None:
    """Writes the columns, sorted by name, to the folder of the examples."""
    with fileio.open(os.path.join(folder, _FILE), "w") as file:
        file.write(json.dumps(columns, indent=1, sort_keys=True))


def read_columns(folder: str) -> Columns:
    """Reads the file that `write_columns` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = os.path.join(folder, _FILE)
    if not fileio.exists(path):
        raise FileNotFoundError(f"{path}: there is no such file; CsvExampleGen writes it")
    with fileio.open(path) as file:
        columns: Columns = json.loads(file.read())
    return columns
