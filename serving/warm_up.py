"""The first calls of a model, before it is served: they show that it answers, and are slow."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import prediction_log_pb2

from serving.columns import Column
from serving.engine import Arrays, Engine, Signature, first_line
from serving.errors import Code, ModelLoadError, ServingError
from trainer.signatures import SERVING_SIGNATURE

_WARM_UP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_MOST_REQUESTS = 1000
"""As in TensorFlow Serving."""


def load_engine(model_dir: Path, columns: Mapping[str, Column]) -> Engine:
    """Loads a model and warms it up, in the quickest way in which it works.

    Args:
        model_dir: Folder of the SavedModel. It may hold requests to warm up by, in TensorFlow
            Serving's form: a TFRecord file of PredictionLog messages.
        columns: What is known of the raw columns; examples of theirs are the requests where the
            model brings none.

    Raises:
        ModelLoadError: If it cannot be loaded, or fails.
    """
    engine = Engine(model_dir)
    try:
        warm_up(engine, model_dir, columns)
    except ModelLoadError:
        engine.close()
    else:
        return engine
    # The executor of one thread knows no control flow of TensorFlow 1.
    engine = Engine(model_dir, in_parallel=True)
    try:
        warm_up(engine, model_dir, columns)
    except ModelLoadError:
        engine.close()
        raise
    return engine


def warm_up(engine: Engine, model_dir: Path, columns: Mapping[str, Column]) -> None:
    """Asks a model whatever is known to be worth asking.

    Raises:
        ModelLoadError: If it fails. To refuse a made-up example of serialized bytes is no failure.
    """
    path = model_dir / _WARM_UP_FILE
    if path.exists():
        for signature, inputs in _read_requests(engine, path):
            _ask(engine, model_dir, signature, inputs)
        return
    for signature in engine.signatures.values():
        if signature.is_batched:
            inputs = {name: _example(signature, name, columns) for name in signature.inputs}
            _ask(engine, model_dir, signature, inputs, is_made_up=True)


def _ask(
    engine: Engine,
    model_dir: Path,
    signature: Signature,
    inputs: Arrays,
    *,
    is_made_up: bool = False,
) -> None:
    try:
        signature.check(inputs)
        engine.run(signature, inputs)
    except ServingError as error:
        if not (is_made_up and error.code == Code.INVALID_ARGUMENT):
            raise ModelLoadError(
                f"{model_dir}: failed its warm-up by signature {signature.name}: {error.message}"
            ) from None


def _example(signature: Signature, name: str, columns: Mapping[str, Column]) -> NDArray[Any]:
    """Makes a batch of one: an example of the column, or zero."""
    tensor = signature.inputs[name]
    shape = [size or 1 for size in tensor.shape or ()]
    if signature.name == SERVING_SIGNATURE and name in columns:
        example = columns[name].example
        value = example.encode() if isinstance(example, str) else example
        return np.full(shape, value, tensor.numpy_dtype)
    return np.full(shape, b"" if tensor.dtype == tf.string else 0, tensor.numpy_dtype)


def _read_requests(engine: Engine, path: Path) -> Iterator[tuple[Signature, Arrays]]:
    """Reads the requests of a warm-up file; only Predict is of use here."""
    try:
        for n_read, record in enumerate(tf.compat.v1.io.tf_record_iterator(str(path))):
            if n_read == _MOST_REQUESTS:
                return
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.WhichOneof("log_type") != "predict_log":
                continue
            request = log.predict_log.request
            name = request.model_spec.signature_name or SERVING_SIGNATURE
            if name not in engine.signatures:
                raise ModelLoadError(f"{path}: asks for signature {name}, which is not there")
            inputs = {key: tf.make_ndarray(proto) for key, proto in request.inputs.items()}
            yield engine.signatures[name], inputs
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise ModelLoadError(f"{path}: cannot be read: {first_line(error)}") from None
