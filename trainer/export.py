"""Exports a SavedModel that maps raw columns to predictions, with fixed signature names."""

import json
import os
from collections.abc import Callable

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from trainer.classes import CLASSES_FILE
from trainer.features.raw_columns import parse_raw, transform_raw
from trainer.settings.train import TrainerSettings
from trainer.signatures import EXAMPLES_SIGNATURE, SERVING_SIGNATURE, SIGNATURE_FILE

_SERIALIZED = (tf.saved_model.CLASSIFY_METHOD_NAME, tf.saved_model.REGRESS_METHOD_NAME)
"""Methods of TensorFlow Serving that take serialized examples only."""


def make_serving_input_receiver_fn(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput
) -> Callable[[], tf.estimator.export.ServingInputReceiver]:
    """Makes the serving input receiver, which transforms raw columns or examples that hold them.

    Args:
        settings: The features, which name the raw columns that the model reads.
        transform_output: Transform's output.

    Returns:
        The `serving_input_receiver_fn` for `Estimator.export_saved_model`.
    """

    def serving_input_receiver_fn() -> tf.estimator.export.ServingInputReceiver:
        serialized = tf.compat.v1.placeholder(tf.string, [None], name="examples")
        columns = parse_raw(serialized, settings)
        return tf.estimator.export.ServingInputReceiver(
            transform_raw(columns, transform_output),
            receiver_tensors=columns,
            receiver_tensors_alternatives={EXAMPLES_SIGNATURE: {"examples": serialized}},
        )

    return serving_input_receiver_fn


def export_model(
    estimator: tf.estimator.Estimator,
    serving_input_receiver_fn: Callable[[], tf.estimator.export.ServingInputReceiver],
    classes_path: str | None,
    export_dir: str,
    checkpoint_path: str,
) -> None:
    """Exports a checkpoint as a SavedModel with the signatures of `trainer.signatures`.

    Args:
        estimator: The trained Estimator.
        serving_input_receiver_fn: What `make_serving_input_receiver_fn` returned.
        classes_path: The list of classes, copied to `assets.extra/classes`; None for a regression.
        export_dir: Folder of the SavedModel, made if absent; it also gets a `SIGNATURE_FILE`.
        checkpoint_path: The checkpoint to export.
    """
    timestamped_dir = estimator.export_saved_model(
        os.path.join(export_dir, "export"),
        serving_input_receiver_fn,
        assets_extra=None if classes_path is None else {CLASSES_FILE: classes_path},
        checkpoint_path=checkpoint_path,
    ).decode()
    signatures = _rename_signatures(
        os.path.join(timestamped_dir, tf.saved_model.SAVED_MODEL_FILENAME_PB)
    )
    _write_description(
        signatures[SERVING_SIGNATURE], os.path.join(timestamped_dir, "assets.extra", SIGNATURE_FILE)
    )
    move_children(timestamped_dir, export_dir)
    tf.io.gfile.rmtree(os.path.dirname(timestamped_dir))


def move_children(source_dir: str, target_dir: str) -> None:
    """Moves all entries of `source_dir` to `target_dir`, which is made if absent."""
    tf.io.gfile.makedirs(target_dir)
    for name in tf.io.gfile.listdir(source_dir):
        name = name.rstrip("/")
        tf.io.gfile.rename(os.path.join(source_dir, name), os.path.join(target_dir, name))


def _rename_signatures(path: str) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Renames the signatures in a `saved_model.pb` to the names of `trainer.signatures`.

    Estimator exports each output of the `model_fn` twice: as `<name>` for raw columns, and as
    `examples:<name>` for serialized examples. Of the latter, the default signature becomes
    `examples`; one that works on examples only becomes `<name>`; the others stay as they are.

    Returns:
        The signatures by their new names.
    """
    saved_model = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    signatures = saved_model.meta_graphs[0].signature_def
    for exported in [name for name in signatures if name.startswith(f"{EXAMPLES_SIGNATURE}:")]:
        name = exported.partition(":")[2]
        if name == SERVING_SIGNATURE:
            name = EXAMPLES_SIGNATURE
        elif name in signatures and signatures[exported].method_name not in _SERIALIZED:
            continue
        signatures[name].CopyFrom(signatures[exported])
        del signatures[exported]
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(saved_model.SerializeToString(deterministic=True))
    return dict(signatures)


def _write_description(signature: meta_graph_pb2.SignatureDef, path: str) -> None:
    """Writes a signature's inputs and outputs as `SIGNATURE_FILE`; -1 is an unknown dimension."""
    description = {
        side: {
            name: {
                "dtype": tf.as_dtype(info.dtype).name,
                "shape": [dim.size for dim in info.tensor_shape.dim],
            }
            for name, info in tensors.items()
        }
        for side, tensors in (("inputs", signature.inputs), ("outputs", signature.outputs))
    }
    tf.io.gfile.makedirs(os.path.dirname(path))  # absent if there are no classes
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(description, indent=2, sort_keys=True) + "\n")
