"""What a check of CSV files has found that those who read them again need; no TensorFlow."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tabular.csv.types import ColumnType

_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class CheckedFiles:
    """CSV files that have been read whole.

    Attributes:
        rows: Number of their rows, those that cannot be used among them.
        types: Column to the type of its values: `INT`, `FLOAT`, `BYTES`, or `UNKNOWN` where all
            are missing.
        digests: Path to the sha256 of the file's bytes, in hex.
    """

    rows: int
    types: Mapping[str, ColumnType]
    digests: Mapping[str, str]

    def to_json(self) -> str:
        """Writes it as a property of an execution."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "CheckedFiles":
        """Reads what `to_json` writes."""
        fields = json.loads(text)
        types = {name: ColumnType(number) for name, number in fields.pop("types").items()}
        return cls(types=types, **fields)


def digest_file(path: str) -> str:
    """Gives the sha256 of a file's bytes in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class ChangedFileError(Exception):
    """A file is not what it was when it was checked."""

    def __init__(self, path: str) -> None:
        """Says which one."""
        super().__init__(f"{path}: has changed since the run began: run again")
