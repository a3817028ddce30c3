"""Statistics, schemas and anomalies as the data nodes write them, made by TFDV."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.types import Artifact, artifact_utils, standard_artifacts

Columns = Mapping[str, list[Any]]


def measure(columns: Columns, categories: str = "label") -> Any:
    """Computes statistics like StatisticsGen; whole numbers in one column are categories."""
    category = schema_pb2.Feature(
        name=categories,
        type=schema_pb2.INT,
        int_domain=schema_pb2.IntDomain(is_categorical=True),
    )
    options = tfdv.StatsOptions(
        schema=schema_pb2.Schema(feature=[category]), num_quantiles_histogram_buckets=100
    )
    return tfdv.generate_statistics_from_dataframe(pd.DataFrame(columns), options, n_jobs=1)


def make_schema(text: str) -> schema_pb2.Schema:
    return text_format.Parse(text, schema_pb2.Schema())


def write_statistics(folder: Path, span: int = 0, **splits: Columns) -> Artifact:
    """Writes the statistics of the splits like StatisticsGen."""
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri, artifact.span = str(folder), span
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    for split, columns in splits.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        content = measure(columns).SerializeToString()
        (folder / f"Split-{split}" / "FeatureStats.pb").write_bytes(content)
    return artifact


def read_statistics(path: Path) -> statistics_pb2.DatasetFeatureStatisticsList:
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())


def write_schema(folder: Path, schema: schema_pb2.Schema) -> Artifact:
    """Writes a schema like SchemaGen."""
    artifact = standard_artifacts.Schema()
    artifact.uri = str(folder)
    folder.mkdir(parents=True)
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema))
    return artifact


def write_anomalies(folder: Path, statistics: Artifact, schema: schema_pb2.Schema) -> Artifact:
    """Writes anomalies like ExampleValidator."""
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri, artifact.split_names = str(folder), statistics.split_names
    for split in artifact_utils.decode_split_names(statistics.split_names):
        measured = read_statistics(Path(statistics.uri, f"Split-{split}", "FeatureStats.pb"))
        found = tfdv.validate_statistics(measured, schema)
        (folder / f"Split-{split}").mkdir(parents=True)
        (folder / f"Split-{split}" / "SchemaDiff.pb").write_bytes(found.SerializeToString())
    return artifact
