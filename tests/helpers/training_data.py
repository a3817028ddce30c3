"""A small transformed dataset in TFX's layout, and what trainings on it leave."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.transformed_files import write_transformed
from trainer.preprocessing import preprocessing_fn

# Names that TensorFlow must keep unchanged: with a slash, a hyphen, a leading dot.
FEATURES = ["width", ".top/left-x"]
LABEL = "animal"
CLASSES = ["ant", "bee", "cow"]
SPEC = {
    **{name: tf.io.FixedLenFeature([1], tf.float32) for name in FEATURES},
    LABEL: tf.io.FixedLenFeature([1], tf.string),
}
SETTINGS: dict[str, Any] = {
    "label": LABEL,
    "features": dict.fromkeys(FEATURES, "numeric"),
    "model": {"hidden_units": [8], "optimizer": "adagrad", "learning_rate": 0.5, "seed": 1},
    "train": {"steps": 40, "batch_size": 16, "eval_every_steps": 20, "summary_every_steps": 10},
}
Row = dict[str, Any]
Weights = dict[str, np.ndarray[Any, Any]]
MakeArgs = Callable[..., FnArgs]


def make_rows(n_rows: int, seed: int) -> list[Row]:
    """Makes rows of three classes, scattered around three points."""
    source = np.random.default_rng(seed)
    centers = np.array([[0, 10], [8, 10], [4, 60]])
    class_ids = np.arange(n_rows) % 3
    values = centers[class_ids] + source.normal(size=(n_rows, 2)) * [1, 5]
    return [
        {FEATURES[0]: [row[0]], FEATURES[1]: [row[1]], LABEL: [CLASSES[class_id].encode()]}
        for row, class_id in zip(values, class_ids, strict=True)
    ]


def write_data(data_dir: Path) -> None:
    """Writes Transform's outputs: `graph`, and both splits in `examples`."""
    splits = {"train": make_rows(90, seed=1), "eval": make_rows(30, seed=2)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(SPEC))
    settings = {name: SETTINGS[name] for name in ("label", "features")}
    with tft_beam.Context(temp_dir=str(data_dir / "temp")):
        transform_fn = (splits["train"], metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, {"settings": settings})
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(data_dir / "graph"))
    metadata_io.write_metadata(metadata, str(data_dir / "graph" / "metadata"))
    output = tft.TFTransformOutput(str(data_dir / "graph"))
    layer = output.transform_features_layer()
    for split, rows in splits.items():
        raw = {name: tf.constant([row[name] for row in rows]) for name in SPEC}
        raw = {name: tf.cast(raw[name], SPEC[name].dtype) for name in SPEC}
        path = data_dir / f"examples/Split-{split}/transformed_examples-00000-of-00001.parquet"
        write_transformed(path, output.transformed_feature_spec(), layer(raw))


def fn_args(
    data_dir: Path, folder: Path, settings: Mapping[str, Any], execution: str = "7"
) -> FnArgs:
    """Makes TFX's arguments of an execution, whose outputs are in `model_run` and `model`."""
    return FnArgs(
        train_files=[str(data_dir / "examples" / "Split-train" / "*")],
        eval_files=[str(data_dir / "examples" / "Split-eval" / "*")],
        transform_output=str(data_dir / "graph"),
        serving_model_dir=str(folder / "model" / execution / "Format-Serving"),
        model_run_dir=str(folder / "model_run" / execution),
        custom_config={"settings": dict(settings)},
    )


def scalars(event_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """Reads the points of all event files in a folder: step and value, by tag."""
    points: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(event_dir.glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
    return points


def checkpoint_weights(path: str) -> Weights:
    """Reads the variables of a checkpoint or SavedModel, without the step and the optimizer's."""
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name != "global_step" and not name.endswith("/Adagrad")
    }


def saved_weights(args: FnArgs) -> Weights:
    """Reads the weights of the exported model."""
    return checkpoint_weights(f"{args.serving_model_dir}/variables/variables")


def assert_same_weights(found: Weights, expected: Weights) -> None:
    assert set(found) == set(expected)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6, err_msg=name)
