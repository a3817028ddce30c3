"""`preprocessing_fn` and `run_fn` of the stock pipeline: a custom Estimator without tuning."""

import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx_bsl.public import tfxio

_LABEL = "species"
_V1 = tf.compat.v1


def preprocessing_fn(inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    outputs = {_LABEL: inputs[_LABEL]}
    for name, values in inputs.items():
        if values.dtype == tf.string:
            outputs[name] = tft.compute_and_apply_vocabulary(
                values, num_oov_buckets=1, vocab_filename=name
            )
        elif name != _LABEL:
            outputs[name] = tft.scale_to_z_score(values)
    return outputs


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> tf.estimator.EstimatorSpec:
    columns = [
        _one_hot(name, params["sizes"][name])
        if name in params["sizes"]
        else tf.feature_column.numeric_column(name)
        for name in features
    ]
    layer = _V1.feature_column.input_layer(features, columns)
    for units in (10, 10):
        layer = _V1.layers.dense(layer, units, tf.nn.relu)
    logits = _V1.layers.dense(layer, 3)
    predicted = tf.argmax(logits, 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        predictions = {"class_ids": predicted, "probabilities": tf.nn.softmax(logits)}
        output = tf.estimator.export.PredictOutput(predictions)
        return tf.estimator.EstimatorSpec(
            mode, predictions, export_outputs={"serving_default": output}
        )
    loss = _V1.losses.sparse_softmax_cross_entropy(labels, logits)
    accuracy = _V1.metrics.accuracy(labels, predicted)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"accuracy": accuracy})
    _V1.summary.scalar("accuracy", accuracy[1])
    step = _V1.train.get_or_create_global_step()
    train_op = _V1.train.AdagradOptimizer(0.1).minimize(loss, global_step=step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _one_hot(name: str, n_words: int) -> Any:
    ids = tf.feature_column.categorical_column_with_identity(name, n_words + 1)
    return tf.feature_column.indicator_column(ids)


def run_fn(fn_args: FnArgs) -> None:
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    schema = transform_output.transformed_metadata.schema

    def read(files: list[str], n_epochs: int | None) -> tf.data.Dataset:
        options = tfxio.TensorFlowDatasetOptions(32, label_key=_LABEL, num_epochs=n_epochs)
        dataset = fn_args.data_accessor.tf_dataset_factory(files, options, schema)
        return dataset.map(lambda features, labels: (features, tf.reshape(labels, [-1])))

    sizes = {
        name: transform_output.vocabulary_size_by_name(name)
        for name, spec in transform_output.raw_feature_spec().items()
        if spec.dtype == tf.string
    }
    estimator = tf.estimator.Estimator(model_fn, fn_args.model_run_dir, params={"sizes": sizes})
    estimator.train(lambda: read(fn_args.train_files, None), steps=fn_args.train_steps)
    estimator.evaluate(lambda: read(fn_args.eval_files, 1))

    def receive() -> tf.estimator.export.ServingInputReceiver:
        spec = transform_output.raw_feature_spec()
        del spec[_LABEL]
        serialized = _V1.placeholder(tf.string, [None])
        features = transform_output.transform_raw_features(tf.io.parse_example(serialized, spec))
        return tf.estimator.export.ServingInputReceiver(features, {"examples": serialized})

    exported = estimator.export_saved_model(fn_args.serving_model_dir, receive).decode()
    for name in os.listdir(exported):
        os.rename(os.path.join(exported, name), os.path.join(fn_args.serving_model_dir, name))
    os.rmdir(exported)
