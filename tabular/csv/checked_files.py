"""Keeps the findings of a check of CSV files for the nodes that read them again; no TensorFlow."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tabular.csv.types import ColumnType

_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class CheckedFiles:
    """Rows, column types and digests of CSV files that were read to their end.

    Attributes:
        rows: Number of rows in all files, including those that cannot be used.
        types: Column to the type of its values: `INT`, `FLOAT`, `BYTES`, or `UNKNOWN` if all
            values are missing. In the order of the columns in the first file.
        digests: Path to the sha256 of the file's bytes, in hex.
    """

    rows: int
    types: Mapping[str, ColumnType]
    digests: Mapping[str, str]

    def to_json(self) -> str:
        """Serializes the findings for an execution property."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "CheckedFiles":
        """Parses the output of `to_json`."""
        fields = json.loads(text)
        types = {name: ColumnType(number) for name, number in fields.pop("types").items()}
        return cls(types=types, **fields)


def digest_file(path: str) -> str:
    """Computes the sha256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class ChangedFileError(Exception):
    """Raised if a file has changed since it was checked."""

    def __init__(self, path: str) -> None:
        """Makes the message.

        Args:
            path: The file that has changed.
        """
        super().__init__(f"{path}: has changed since the run began: run again")
