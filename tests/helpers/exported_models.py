"""Small SavedModels, exported by the trainer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.export import export_model
from trainer.model.model_fn import model_fn

CLASSES = ["house", "öde", "tower"]
COLUMNS: Mapping[str, tf.DType] = {"area": tf.float32, "rooms": tf.int64, "city": tf.string}
ROWS: list[dict[str, Any]] = [
    {"area": 5.1, "rooms": 3, "city": "bath"},
    {"area": 1.0 / 3, "rooms": -(2**53) - 1, "city": "zürich"},
    {"area": 1e-30, "rooms": 0, "city": ""},
]


def receive_columns() -> tf.estimator.export.ServingInputReceiver:
    """A model with signatures of raw columns of three types, and of examples."""
    serialized = tf.compat.v1.placeholder(tf.string, [None])
    spec = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in COLUMNS.items()}
    columns = tf.io.parse_example(serialized, spec)
    return tf.estimator.export.ServingInputReceiver(
        make_features(columns), columns, {"examples": {"examples": serialized}}
    )


def make_features(columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    buckets = tf.strings.to_hash_bucket_fast(columns["city"], 100)
    numbers = {**columns, "city": buckets}
    return {name: tf.cast(column, tf.float32)[:, None] for name, column in numbers.items()}


def export_classifier(folder: Path, seed: int = 1) -> Path:
    """Trains a classifier with the trainer's `model_fn` for one step, and exports it."""
    estimator = tf.estimator.Estimator(
        model_fn,
        str(folder / "checkpoints"),
        tf.estimator.RunConfig(tf_random_seed=seed),
        {
            "feature_columns": [tf.feature_column.numeric_column(name) for name in COLUMNS],
            "hidden_units": (4,),
            "n_classes": len(CLASSES),
            "classes": CLASSES,
            "optimizer": "adagrad",
            "learning_rate": 0.1,
        },
    )

    def input_fn() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensors((make_features(to_tensors(ROWS)), [0, 1, 2]))

    estimator.train(input_fn, max_steps=1)
    (folder / "classes").write_text("\n".join(CLASSES) + "\n", "utf-8")
    export_model(
        estimator,
        receive_columns,
        str(folder / "classes"),
        str(folder / "model"),
        estimator.latest_checkpoint(),
    )
    return folder / "model"


def to_tensors(rows: list[dict[str, Any]]) -> dict[str, tf.Tensor]:
    return {name: tf.constant([row[name] for row in rows], COLUMNS[name]) for name in COLUMNS}
