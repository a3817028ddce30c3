"""Trains the Estimator of TFX's taxi template, as the template does, on the rows of a run here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.trainer.fn_args_utils import DataAccessor, FnArgs
from tfx.experimental.templates.taxi.models import features
from tfx.experimental.templates.taxi.models.estimator_model import model
from tfx.experimental.templates.taxi.models.preprocessing import preprocessing_fn
from tfx.experimental.templates.taxi.pipeline import configs
from tfx.utils import io_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.public import tfxio

AS_IT_SHIPS: Mapping[str, Any] = {}
"""No changes: the template reads three features."""
ALL_FEATURES: Mapping[str, Any] = {
    "DENSE_FLOAT_FEATURE_KEYS": ["trip_miles", "fare", "trip_seconds"],
    "BUCKET_FEATURE_KEYS": [
        "pickup_latitude",
        "pickup_longitude",
        "dropoff_latitude",
        "dropoff_longitude",
    ],
    "BUCKET_FEATURE_BUCKET_COUNT": [10, 10, 10, 10],
    "CATEGORICAL_FEATURE_KEYS": ["trip_start_hour", "trip_start_day", "trip_start_month"],
    "CATEGORICAL_FEATURE_MAX_VALUES": [24, 31, 12],
    "VOCAB_FEATURE_KEYS": ["payment_type", "company"],
}
"""The twelve features that a comment in its `features.py` suggests."""


def train_template(
    examples_dir: Path,
    schema_path: Path,
    rows: Sequence[bytes],
    choice: Mapping[str, Any],
    folder: Path,
) -> NDArray[np.float32]:
    """Trains the template's Estimator.

    Args:
        examples_dir: The output of CsvExampleGen.
        schema_path: The output of SchemaGen.
        rows: Serialized raw examples to predict for.
        choice: Names in the template's module `features`, with values that replace theirs.
        folder: A folder for intermediate files.

    Returns:
        The probability of a big tip for each row, `[n_rows]`.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in choice.items():
            patch.setattr(features, name, value)
        schema = io_utils.parse_pbtxt_file(str(schema_path), schema_pb2.Schema())
        _transform(examples_dir, schema, folder)
        fn_args = FnArgs(
            train_files=[str(folder / "train*")],
            eval_files=[str(folder / "eval*")],
            train_steps=configs.TRAIN_NUM_STEPS,
            eval_steps=configs.EVAL_NUM_STEPS,
            schema_file=str(schema_path),
            transform_output=str(folder / "graph"),
            serving_model_dir=str(folder / "model"),
            data_accessor=DataAccessor(_make_dataset, None, None),
        )
        tf.keras.utils.set_random_seed(1)
        # The same as its run_fn, without the export of an EvalSavedModel.
        specs = model._create_train_and_eval_spec(fn_args, schema)
        tf.estimator.train_and_evaluate(specs["estimator"], specs["train_spec"], specs["eval_spec"])
        return _predict(folder / "model" / "export" / "chicago-taxi", rows)


def _transform(examples_dir: Path, schema: schema_pb2.Schema, folder: Path) -> None:
    """Analyzes train, and transforms both splits."""
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(folder / "temp")):
        splits = {}
        for split in ("train", "eval"):
            source = tfxio.TFExampleRecord(
                str(examples_dir / f"Split-{split}" / "*"), schema=schema
            )
            batches = pipeline | f"Read {split}" >> source.BeamSource()
            splits[split] = (batches, source.TensorAdapterConfig())
        transform_fn = splits["train"] | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
        encoder = RecordBatchToExamplesEncoder()
        for split, dataset in splits.items():
            batches, _ = (
                dataset,
                transform_fn,
            ) | f"Transform {split}" >> tft_beam.TransformDataset(output_record_batches=True)
            _ = (
                batches
                | f"Encode {split}" >> beam.FlatMap(lambda batch: encoder.encode(batch[0]))
                | f"Write {split}"
                >> beam.io.WriteToTFRecord(str(folder / split), file_name_suffix=".gz")
            )


def _make_dataset(
    patterns: Sequence[str], options: tfxio.TensorFlowDatasetOptions, schema: schema_pb2.Schema
) -> tf.data.Dataset:
    """Reads transformed examples as TFX's Trainer does, in the same order each time."""
    seeded = options._replace(shuffle_seed=1)
    return tfxio.TFExampleRecord(list(patterns), schema=schema).TensorFlowDataset(seeded)


def _predict(export_dir: Path, rows: Sequence[bytes]) -> NDArray[np.float32]:
    (version,) = export_dir.iterdir()
    predict = tf.saved_model.load(str(version)).signatures["predict"]
    probabilities: NDArray[np.float32] = predict(tf.constant(rows))["logistic"].numpy()
    return probabilities[:, 0]
