"""Reads the files that TFDV writes for each split."""

from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.types import artifact_utils


def read_statistics(
    statistics: types.Artifact, split: str
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Reads the statistics of a split."""
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(
        read_split(statistics, split, "FeatureStats.pb")
    )


def read_split(artifact: types.Artifact, split: str, name: str) -> bytes:
    """Reads a file of a split."""
    return Path(artifact_utils.get_split_uri([artifact], split), name).read_bytes()
