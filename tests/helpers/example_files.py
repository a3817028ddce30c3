"""Artifacts of examples in several files, as ExampleGen makes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx.types import Artifact, artifact_utils, standard_artifacts

from tabular.examples.columns import write_columns
from tests.helpers.evaluated import to_feature

Row = Mapping[str, Any]

OWN_WORKERS = [
    "--runner=FnApiRunner",
    "--sdk_container_image=none",
    "--direct_running_mode=multi_threading",
    "--direct_num_workers=2",
]
"""Options of Beam with workers of its own."""

SPEC = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "gaps": tf.io.VarLenFeature(tf.float32),
    "word": tf.io.VarLenFeature(tf.string),
    "label": tf.io.FixedLenFeature([1], tf.int64),
}
COLUMNS = {"x": "float32", "gaps": "float32", "word": "string", "label": "int64"}
ROWS: list[Row] = [
    {
        "x": index / 8,
        **({"gaps": index * 1.5} if index % 3 else {}),
        **({"word": ["ant", "bee", "Ä"][index % 3]} if index % 5 else {}),
        "label": index % 2,
    }
    for index in range(40)
]
SHARDS: list[Sequence[Row]] = [ROWS[:25], [], ROWS[25:]]
"""Of numbers and words with gaps, one file being empty."""


def make_schema() -> schema_pb2.Schema:
    return schema_utils.schema_from_feature_spec(SPEC)


def serialize(row: Row) -> bytes:
    feature = {
        name: tf.train.Feature() if value is None else to_feature(value)
        for name, value in row.items()
    }
    serialized: bytes = tf.train.Example(
        features=tf.train.Features(feature=feature)
    ).SerializeToString()
    return serialized


def write_files(folder: Path, splits: Mapping[str, Sequence[Sequence[Row]]]) -> Artifact:
    for split, shards in splits.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        for index, rows in enumerate(shards):
            path = folder / f"Split-{split}" / f"data-{index:05d}-of-{len(shards):05d}.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for row in rows:
                    writer.write(serialize(row))
    write_columns(str(folder), COLUMNS)
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    return examples


def cut(path: Path, n_bytes: int = 20) -> None:
    """Takes bytes off the end of a file."""
    path.write_bytes(path.read_bytes()[:-n_bytes])
