"""Describes the data of a run in the form of MLflow's datasets."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

_CONTEXTS = {"train": "training", "eval": "evaluation"}
_TYPES = {schema_pb2.INT: "long", schema_pb2.FLOAT: "double", schema_pb2.BYTES: "string"}
_DIGEST_CHARS = 16


@dataclass(frozen=True)
class Dataset:
    """A split of the data, with the fields of MLflow's entity `Dataset`.

    Attributes:
        name: Name of the file or folder, with the name of the split.
        digest: Digest of the content of the files and of the split.
        source: Path of the file or folder, as JSON.
        schema: Column names and MLflow types, as JSON.
        profile: Number of rows, as JSON.
        context: Use of the split: `training`, `evaluation`, or the name of the split.
    """

    name: str
    digest: str
    source: str
    schema: str
    profile: str
    context: str


def make_datasets(
    data_path: str,
    fingerprint: str,
    schema: schema_pb2.Schema,
    statistics: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList],
) -> Iterator[Dataset]:
    """Describes each split.

    Args:
        data_path: The CSV file or folder.
        fingerprint: Digest of the content of the files.
        schema: Schema of the examples.
        statistics: TFDV's statistics by split.

    Yields:
        A dataset for each split.
    """
    columns = [
        {
            "name": feature.name,
            "type": _TYPES.get(feature.type, "string"),
            "required": feature.presence.min_fraction == 1,
        }
        for feature in schema.feature
    ]
    for split, measured in statistics.items():
        rows = int(measured.datasets[0].num_examples)
        content = f"{fingerprint} {split} {rows}"
        yield Dataset(
            name=f"{Path(data_path).name} ({split})",
            digest=hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_CHARS],
            source=json.dumps({"uri": data_path}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": rows}),
            context=_CONTEXTS.get(split, split),
        )
