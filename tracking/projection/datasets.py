"""The data that went into a run, in the form of MLflow's datasets."""

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
    """A split of the data, its fields as MLflow's entity of the same name has them.

    Attributes:
        name: The file's or folder's name, and the split's.
        digest: Changes with the content of the files and with the split.
        source: Where it is, as JSON.
        schema: Column names and MLflow types, as JSON.
        profile: Number of rows, as JSON.
        context: What it was for: `training`, `evaluation`, or the split's name.
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
        fingerprint: Digest of the files' content.
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
