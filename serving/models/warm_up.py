"""Loading and warm-up of a model: its first requests are slow, and show that it works."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import input_pb2, prediction_log_pb2

from serving.errors import Code, ModelLoadError, ServingError
from serving.models.columns import COLUMNS_FILE, Column
from serving.models.engine import Arrays, Engine, Signature, Tensor, first_line
from serving.models.examples import serialize_example
from trainer.signatures import SERVING_SIGNATURE

_WARM_UP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_MAX_REQUESTS = 1000
"""As in TensorFlow Serving."""
_BATCH_SIZE = 32
"""Minimum number of examples in the batch that tests merged requests."""

_Request = tuple[Signature, Arrays]


def load_engine(model_dir: Path, columns: Mapping[str, Column]) -> Engine:
    """Loads a model and warms it up.

    Args:
        model_dir: Folder of the SavedModel. It may hold warm-up requests in TensorFlow Serving's
            format, a TFRecord file of PredictionLog messages.
        columns: The raw columns. Their typical values make the requests if the file is missing.

    Raises:
        ModelLoadError: If it cannot be loaded or a request fails.
    """
    engine = Engine(model_dir)
    try:
        warm_up(engine, model_dir, columns)
    except ModelLoadError:
        engine.close()
        raise
    return engine


def warm_up(engine: Engine, model_dir: Path, columns: Mapping[str, Column]) -> None:
    """Runs warm-up requests, each as it is and each signature also on a batch.

    Raises:
        ModelLoadError: If a request fails. INVALID_ARGUMENT for a made-up request is accepted.
    """
    seen = set()
    for (signature, inputs), is_made_up in _requests(engine, model_dir, columns):
        try:
            n_examples = signature.check(inputs)
            engine.run(signature, inputs)
            if signature.is_batched and n_examples and signature.name not in seen:
                n_copies = -(-_BATCH_SIZE // n_examples)
                batch = {name: np.concatenate([v] * n_copies) for name, v in inputs.items()}
                engine.run(signature, batch)
            seen.add(signature.name)
        except ServingError as error:
            if not (is_made_up and error.code == Code.INVALID_ARGUMENT):
                raise ModelLoadError(
                    f"warm-up of signature {signature.name} failed: {error.message}"
                ) from None


def _requests(
    engine: Engine, model_dir: Path, columns: Mapping[str, Column]
) -> Iterator[tuple[_Request, bool]]:
    """Yields warm-up requests, and whether each is made up.

    They come from the model's warm-up file if it has one, else from the columns' typical values and
    zeros.
    """
    path = model_dir / _WARM_UP_FILE
    if path.exists():
        for request in _read_requests(engine, path):
            yield request, False
        return
    default = engine.signatures.get(SERVING_SIGNATURE)
    row = {}
    if default is not None and default.inputs.keys() <= columns.keys():
        row = {
            name: _column_example(name, columns[name], tensor)
            for name, tensor in default.inputs.items()
        }
        yield (default, row), False
    for signature in engine.signatures.values():
        if row and signature is default:
            continue
        inputs = {name: _zeros(tensor) for name, tensor in signature.inputs.items()}
        if row and [tensor.dtype for tensor in signature.inputs.values()] == [tf.string]:
            example = serialize_example(
                {name: values.ravel().tolist() for name, values in row.items()}
            )
            inputs = {name: np.array([example], object) for name in inputs}
        yield (signature, inputs), True


def _column_example(name: str, column: Column, tensor: Tensor) -> NDArray[Any]:
    """Makes a batch of one example from a column's typical value."""
    shape = [size or 1 for size in tensor.shape or ()]
    value: Any = column.example
    if isinstance(value, str) != (tensor.dtype == tf.string):
        raise ModelLoadError(f"{COLUMNS_FILE}: the example of {name} is not {tensor.dtype.name}")
    return np.full(shape, value.encode() if isinstance(value, str) else value, tensor.numpy_dtype)


def _zeros(tensor: Tensor) -> NDArray[Any]:
    shape = [size or 1 for size in tensor.shape or ()]
    return np.full(shape, b"" if tensor.dtype == tf.string else 0, tensor.numpy_dtype)


def _read_requests(engine: Engine, path: Path) -> Iterator[_Request]:
    """Reads the Predict, Classify and Regress requests of a warm-up file; skips others."""
    try:
        records = tf.data.TFRecordDataset(str(path)).take(_MAX_REQUESTS)
        for record in records.as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            kind = log.WhichOneof("log_type")
            if kind not in ("predict_log", "classify_log", "regress_log"):
                continue
            request = getattr(log, kind).request
            name = request.model_spec.signature_name or SERVING_SIGNATURE
            if name not in engine.signatures:
                raise ModelLoadError(f"{path.name}: the model has no signature {name}")
            signature = engine.signatures[name]
            if kind == "predict_log":
                yield signature, {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
            else:
                examples = _examples(request.input)
                yield signature, dict.fromkeys(signature.inputs, examples)
    except ModelLoadError:
        raise
    except Exception as error:  # TensorFlow's and protobuf's errors for a broken file
        message = first_line(error).replace(f"{path.parent}/", "")
        raise ModelLoadError(f"{path.name}: cannot be read: {message}") from None


def _examples(proto: input_pb2.Input) -> NDArray[Any]:
    """Serializes the examples of a Classify or Regress request, bytes `[n]`."""
    context = proto.example_list_with_context.context.SerializeToString()
    examples = proto.example_list.examples or proto.example_list_with_context.examples
    # Parsing concatenated messages merges them.
    return np.array([context + example.SerializeToString() for example in examples], object)
