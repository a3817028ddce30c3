"""Small transformed datasets in TFX's layout: one with two classes, one with a number as label."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.transformed_files import write_transformed
from trainer.features.target_scaling import analyze_target
from trainer.preprocessing import preprocessing_fn

FEATURES = ("area", "age")
SETTINGS: dict[str, Any] = {
    "label": "label",
    "features": dict.fromkeys(FEATURES, "numeric"),
    "train": {"steps": 60, "batch_size": 16, "eval_every_steps": 60, "summary_every_steps": 10},
}
WORDS = (b"cheap", b"dear")

Columns = dict[str, np.ndarray[Any, Any]]


def make_columns(n_rows: int, seed: int) -> Columns:
    """Makes houses: area, age, price, and whether that is cheap or dear, each `[n_rows, 1]`."""
    source = np.random.default_rng(seed)
    area = source.uniform(50, 150, size=(n_rows, 1))
    age = source.uniform(0, 80, size=(n_rows, 1))
    price = 100_000 + 3_000 * area - 500 * age + source.normal(size=(n_rows, 1), scale=3_000)
    word = np.where(price > 380_000, WORDS[1], WORDS[0])
    numbers = {"area": area, "age": age, "price": price}
    return {**{name: value.astype(np.float32) for name, value in numbers.items()}, "word": word}


def task_rows(task: str, columns: Columns) -> list[dict[str, Any]]:
    label = columns["price" if task == "regression" else "word"]
    return [
        {**{name: columns[name][index] for name in FEATURES}, "label": label[index]}
        for index in range(len(label))
    ]


def _preprocess(task: str, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    if task != "regression":
        settings = {**SETTINGS, "task": task}
        return preprocessing_fn(dict(inputs), {"settings": settings})
    analyze_target(inputs["label"])
    outputs = {name: tft.scale_to_z_score(inputs[name]) for name in FEATURES}
    return {**outputs, "label": inputs["label"]}


def write_task_data(task: str, data_dir: Path) -> None:
    """Writes Transform's outputs: `graph`, and both splits in `examples`."""
    dtype = tf.float32 if task == "regression" else tf.string
    spec = {name: tf.io.FixedLenFeature([1], tf.float32) for name in FEATURES}
    spec["label"] = tf.io.FixedLenFeature([1], dtype)
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    splits = {"train": make_columns(120, seed=1), "eval": make_columns(40, seed=2)}
    with tft_beam.Context(temp_dir=str(data_dir / "temp")):
        transform_fn = (task_rows(task, splits["train"]), metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: _preprocess(task, inputs)
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(data_dir / "graph"))
    metadata_io.write_metadata(metadata, str(data_dir / "graph" / "metadata"))
    output = tft.TFTransformOutput(str(data_dir / "graph"))
    layer = output.transform_features_layer()
    for split, columns in splits.items():
        label = columns["price" if task == "regression" else "word"]
        raw = {name: tf.constant(columns[name]) for name in FEATURES}
        write_transformed(
            data_dir / "examples" / split / "examples-0.parquet",
            output.transformed_feature_spec(),
            layer({**raw, "label": tf.constant(label)}),
        )


def task_args(data_dir: Path, folder: Path, task: str, **model: Any) -> FnArgs:
    """Makes the arguments that TFX passes to a Trainer."""
    return FnArgs(
        train_files=[str(data_dir / "examples" / "train" / "*")],
        eval_files=[str(data_dir / "examples" / "eval" / "*")],
        transform_output=str(data_dir / "graph"),
        serving_model_dir=str(folder / "model" / "7" / "Format-Serving"),
        model_run_dir=str(folder / "model_run" / "7"),
        custom_config={"settings": {**SETTINGS, "task": task, "model": model}},
    )
