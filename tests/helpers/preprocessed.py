"""Runs Transform on a table, and computes the same features as the exported model does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from trainer.export import make_serving_input_receiver_fn
from trainer.preprocessing import preprocessing_fn
from trainer.settings.train import TrainerSettings

Table = dict[str, np.ndarray[Any, Any]]


def analyze(
    columns: Mapping[str, Sequence[Any]], settings: Mapping[str, Any], folder: Path
) -> tuple[Table, tft.TFTransformOutput]:
    """Analyzes and transforms a table in batches of two rows.

    Args:
        columns: Cells by column, None if missing; a column without missing values is dense in the
            schema.
        settings: A `TrainerSettings` as a dict.
        folder: Folder for the files of Transform.

    Returns:
        The transformed features, and Transform's output.
    """
    rows = [
        {name: [] if cell is None else [cell] for name, cell in zip(columns, cells, strict=True)}
        for cells in zip(*columns.values(), strict=True)
    ]
    spec = {name: _spec_of(cells) for name, cells in columns.items()}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with tft_beam.Context(temp_dir=str(folder / "temp"), desired_batch_size=2):
        (transformed, _), transform_fn = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, {"settings": dict(settings)})
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))
    table = {name: _stack([row[name] for row in transformed]) for name in transformed[0]}
    return table, tft.TFTransformOutput(str(folder / "graph"))


def _stack(rows: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Stacks rows; those of different lengths stay arrays of their own."""
    if len({np.shape(row) for row in rows}) == 1:
        return np.stack(rows)
    stacked = np.empty(len(rows), object)
    stacked[:] = rows
    return stacked


def _spec_of(cells: Sequence[Any]) -> tf.io.FixedLenFeature | tf.io.VarLenFeature:
    known = [cell for cell in cells if cell is not None]
    types = {float: tf.float32, int: tf.int64, bytes: tf.string}
    dtype = types[type(known[0])] if known else tf.float32
    return (
        tf.io.FixedLenFeature([1], dtype)
        if len(known) == len(cells)
        else tf.io.VarLenFeature(dtype)
    )


def serve(
    columns: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Any],
    output: tft.TFTransformOutput,
) -> Table:
    """Computes the features of the exported model for rows, which it gets as examples."""
    receiver_fn = make_serving_input_receiver_fn(TrainerSettings.model_validate(settings), output)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        receiver = receiver_fn()
        session.run(tf.compat.v1.tables_initializer())
        examples = receiver.receiver_tensors_alternatives["examples"]["examples"]
        table: Table = session.run(receiver.features, {examples: to_examples(columns)})
    return table


def to_examples(columns: Mapping[str, Sequence[Any]]) -> list[bytes]:
    """Serializes rows; a missing value is an absent feature in some and an empty one in others."""
    examples = []
    for index, cells in enumerate(zip(*columns.values(), strict=True)):
        example = tf.train.Example()
        for name, cell in zip(columns, cells, strict=True):
            known = [each for each in columns[name] if each is not None]
            if known and (cell is not None or index % 2):
                feature = example.features.feature[name]
                values = feature.float_list if type(known[0]) is float else feature.bytes_list
                values.value.extend([] if cell is None else [cell])
                values.SetInParent()
        examples.append(example.SerializeToString())
    return examples
