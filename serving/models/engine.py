"""A SavedModel in a session of its own: its signatures, and calls of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, saved_model_pb2

from serving.errors import Code, ModelLoadError, ServingError, invalid

Arrays = Mapping[str, NDArray[Any]]
"""Input or output name to values; strings are objects of bytes."""

_FORBIDDEN_OPS = frozenset(
    {
        "EagerPyFunc",
        "FixedLengthRecordReaderV2",
        "MatchingFiles",
        "PrintV2",
        "PyFunc",
        "PyFuncStateless",
        "ReadFile",
        "TextLineReaderV2",
        "WholeFileReaderV2",
        "WriteFile",
    }
)
"""What reads or writes files of the server, or runs code that the model does not hold."""
# The first item in brackets, unless it is a value: a number, or nothing but a tensor's entries.
_ASSERTION = re.compile(r"assertion failed: \[([^\[\]\d-][^\[\]]*)?")


@dataclass(frozen=True)
class Tensor:
    """An input or output of a signature.

    Attributes:
        name: Its name in the graph.
        dtype: Its type.
        shape: Its sizes, None for one that is not fixed; None as a whole where the rank is not.
    """

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    @property
    def is_batch(self) -> bool:
        """Whether the first size is that of a batch."""
        return self.shape is not None and self.shape[:1] == (None,)

    @cached_property
    def numpy_dtype(self) -> np.dtype[Any]:
        """Its type in NumPy; strings are objects."""
        return np.dtype(object if self.dtype == tf.string else self.dtype.as_numpy_dtype)


@dataclass(frozen=True)
class Signature:
    """One way to ask a model.

    Attributes:
        name: Its name.
        method: TensorFlow Serving's method, as `tensorflow/serving/predict`.
        inputs: What it takes, by name.
        outputs: What it gives, by name.
    """

    name: str
    method: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @cached_property
    def is_batched(self) -> bool:
        """Whether requests may be merged: every tensor holds one entry per example."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(tensor.is_batch for tensor in tensors)

    @cached_property
    def has_free_sizes(self) -> bool:
        """Whether an input has a size beside the batch's that a request decides."""
        return any(None in tensor.shape[1:] for tensor in self.inputs.values() if tensor.shape)

    def check(self, inputs: Arrays) -> int:
        """Holds a request against the signature.

        Args:
            inputs: Values by input name, of the signature's types.

        Returns:
            The number of examples; 1 of a signature that takes no batches.

        Raises:
            ServingError: INVALID_ARGUMENT, if inputs are missing or unknown, of another type or
                shape, or of different numbers of examples.
        """
        if inputs.keys() != self.inputs.keys():
            extra = ",".join(sorted(inputs.keys() - self.inputs.keys()))
            missing = ",".join(sorted(self.inputs.keys() - inputs.keys()))
            raise invalid(
                f"inputs do not match signature {self.name}: {len(inputs)} were sent,"
                f" {len(self.inputs)} are expected. Sent extra: {{{extra}}}."
                f" Missing but required: {{{missing}}}.",
            )
        n_examples = None if self.is_batched else 1
        for name, tensor in self.inputs.items():
            values = inputs[name]
            if values.dtype != tensor.numpy_dtype:
                raise invalid(
                    f"input {name}: is of type {values.dtype}, expected {tensor.dtype.name}",
                )
            if not _fits(values.shape, tensor.shape):
                raise invalid(
                    f"input {name}: has shape {list(values.shape)}, expected"
                    f" {[-1 if size is None else size for size in tensor.shape or ()]}",
                )
            if self.is_batched:
                if n_examples not in (None, len(values)):
                    raise invalid(
                        f"input {name}: has {len(values)} examples, another one {n_examples}",
                    )
                n_examples = len(values)
        return n_examples or 0


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return True
    if len(shape) != len(expected):
        return False
    for own, size in zip(shape, expected, strict=True):  # all() would take four times as long
        if size is not None and size != own:
            return False
    return True


class Engine:
    """A loaded model, for any number of threads at a time."""

    def __init__(self, model_dir: Path) -> None:
        """Loads a model.

        Args:
            model_dir: Folder of the SavedModel.

        Raises:
            ModelLoadError: If it cannot be loaded, or might reach beyond itself; its text names no
                folder above the model's.
        """
        self._prefix = f"{model_dir}/"
        self.model_dir = model_dir
        meta_graph = _read_meta_graph(model_dir)
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = dict(
            meta_graph.signature_def
        )
        # Ops run in the thread that calls: to wake another takes longer than the call. Threads of
        # the session's own would undo that, and SINGLE_THREADED_EXECUTOR, a quarter quicker still,
        # refuses control flow of TensorFlow 1.
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1,
            inter_op_parallelism_threads=-1,
            device_count={"GPU": 0},
        )
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            with self._session.graph.as_default():
                tf.compat.v1.saved_model.load(
                    self._session, [tf.saved_model.SERVING], str(model_dir)
                )
            self.signatures = {
                name: Signature(
                    name, proto.method_name, _tensors_of(proto.inputs), _tensors_of(proto.outputs)
                )
                for name, proto in self.signature_defs.items()
                if not name.startswith("__")
            }
            self._callables = {
                name: self._make_callable(signature) for name, signature in self.signatures.items()
            }
        except Exception as error:  # whatever a broken file makes TensorFlow raise
            self._session.close()
            raise ModelLoadError(f"cannot be loaded: {self._say(error)}") from error

    def run(self, signature: Signature, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Calls a signature.

        Args:
            signature: One of this model's.
            inputs: Values that `Signature.check` lets pass.

        Returns:
            All outputs by name.

        Raises:
            ServingError: With the code that TensorFlow gives it.
        """
        try:
            values = self._callables[signature.name](*(inputs[name] for name in signature.inputs))
        except tf.errors.OpError as error:
            raise ServingError(Code(error.error_code), self._say(error)) from None
        except UnicodeDecodeError:  # of TensorFlow's message, which quotes the input
            raise invalid("an input cannot be parsed") from None
        except (TypeError, ValueError) as error:  # what is no string, and the like
            raise invalid(self._say(error)) from None
        return dict(zip(signature.outputs, values, strict=True))

    def close(self) -> None:
        """Frees the model; it must not be called any more."""
        self._callables.clear()
        self._session.close()

    def _say(self, error: BaseException) -> str:
        return first_line(error).replace(self._prefix, "")

    def _make_callable(self, signature: Signature) -> Any:
        options = config_pb2.CallableOptions()
        options.feed.extend(tensor.name for tensor in signature.inputs.values())
        options.fetch.extend(tensor.name for tensor in signature.outputs.values())
        # Session.make_callable wraps Session.run where there are feeds, which takes twice the time.
        return self._session._make_callable_from_options(options)


def first_line(error: BaseException, longest: int = 400) -> str:
    """Gives what an error says without what TensorFlow adds: node names, tracebacks, values."""
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    line = text.strip().split("\n")[0]
    assertion = _ASSERTION.match(line)
    if assertion:  # its own words, then the values that it does not hold for
        line = f"assertion failed: {assertion[1] or 'see the model'}"
    line = line.partition("[[")[0].partition(", value: ")[0].strip()
    return (line or type(error).__name__)[:longest]


def _read_meta_graph(model_dir: Path) -> meta_graph_pb2.MetaGraphDef:
    """Reads the graph to serve from `saved_model.pb`, and what it is made of."""
    file = tf.saved_model.SAVED_MODEL_FILENAME_PB
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString((model_dir / file).read_bytes())
    except OSError as error:
        raise ModelLoadError(f"{file}: cannot be read: {error.strerror}") from None
    except Exception:  # protobuf's own error, which has another name in each of its versions
        raise ModelLoadError(f"{file}: is no SavedModel") from None
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            break
    else:
        raise ModelLoadError(f"{file}: has no graph with the tag '{tf.saved_model.SERVING}'")
    functions = [node for f in meta_graph.graph_def.library.function for node in f.node_def]
    forbidden = _FORBIDDEN_OPS & {node.op for node in [*meta_graph.graph_def.node, *functions]}
    if forbidden:
        raise ModelLoadError(
            f"{file}: holds {', '.join(sorted(forbidden))}, which reach beyond the model"
        )
    return meta_graph


def _tensors_of(infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, Tensor]:
    return {name: _tensor_of(infos[name]) for name in sorted(infos)}


def _tensor_of(info: meta_graph_pb2.TensorInfo) -> Tensor:
    shape = None
    if not info.tensor_shape.unknown_rank:
        shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return Tensor(info.name, tf.as_dtype(info.dtype), shape)
