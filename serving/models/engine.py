"""A loaded SavedModel: its signatures, and running them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from numpy.typing import NDArray
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, saved_model_pb2

from serving.errors import Code, ModelLoadError, ServingError, invalid
from serving.models.example_inputs import ExampleInputs, are_parsable
from serving.models.feeds import Feeds

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by input or output name; strings are objects of bytes."""

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
"""Ops that read or write files of the server, or run code that is not part of the model."""
# The first item in brackets is the assertion's message, unless it is a number or a list of values.
_ASSERTION = re.compile(r"assertion failed: \[([^\[\]\d-][^\[\]]*)?")


@dataclass(frozen=True)
class Tensor:
    """An input or output of a signature.

    Attributes:
        name: Name of the tensor in the graph.
        dtype: Type of its values.
        shape: Sizes, None for one that is not fixed; None instead of a tuple if the rank is not
            fixed.
        message: What the graph parses the values as, if they are serialized messages.
    """

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...] | None
    message: type[Message] | None = None

    @property
    def is_batch(self) -> bool:
        """Whether the first dimension is the batch, of any size."""
        return self.shape is not None and self.shape[:1] == (None,)

    @cached_property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy type of its values; strings are objects."""
        return np.dtype(object if self.dtype == tf.string else self.dtype.as_numpy_dtype)


@dataclass(frozen=True)
class Signature:
    """A signature of a model.

    Attributes:
        name: Name of the signature.
        method: TensorFlow Serving's name of the method, for instance `tensorflow/serving/predict`.
        inputs: Inputs by name.
        outputs: Outputs by name.
    """

    name: str
    method: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @cached_property
    def is_batched(self) -> bool:
        """Whether requests can be merged: all inputs and outputs have one entry per example."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(tensor.is_batch for tensor in tensors)

    @cached_property
    def names_by_type(self) -> Mapping[tf.DType, tuple[str, ...]]:
        """Names of the inputs of each type, in the order of `inputs`."""
        names: dict[tf.DType, list[str]] = {}
        for name, tensor in self.inputs.items():
            names.setdefault(tensor.dtype, []).append(name)
        return {dtype: tuple(of_type) for dtype, of_type in names.items()}

    @cached_property
    def has_free_sizes(self) -> bool:
        """Whether an input has another size, besides the batch's, that is not fixed."""
        return any(None in tensor.shape[1:] for tensor in self.inputs.values() if tensor.shape)

    def check(self, inputs: Arrays) -> int:
        """Checks that the inputs of a request match the signature.

        Args:
            inputs: Values by input name.

        Returns:
            The number of examples; 1 for a signature without batches.

        Raises:
            ServingError: INVALID_ARGUMENT, if inputs are missing or unknown, have another type or
                shape, differ in their number of examples, or hold serialized examples that cannot
                be parsed.
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
        checked: tuple[Any, ...] = ()
        for name, tensor in self.inputs.items():
            values = inputs[name]
            kinds = (values.shape, values.dtype, tensor.shape, tensor.dtype)
            if kinds == checked:  # as the column before; there may be hundreds
                continue
            if values.dtype != tensor.numpy_dtype:
                raise invalid(
                    f"input {name}: has type {values.dtype}, expected {tensor.dtype.name}",
                )
            if not _fits(values.shape, tensor.shape):
                raise invalid(
                    f"input {name}: has shape {list(values.shape)}, expected"
                    f" {[-1 if size is None else size for size in tensor.shape or ()]}",
                )
            if tensor.message and not are_parsable(tensor.message, values.flat):
                raise invalid(f"input {name}: Could not parse example input")
            if self.is_batched:
                if n_examples not in (None, len(values)):
                    raise invalid(
                        f"input {name}: has {len(values)} examples, another input {n_examples}",
                    )
                n_examples = len(values)
            checked = () if tensor.message else kinds
        return n_examples or 0


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return True
    if len(shape) != len(expected):
        return False
    for size, expected_size in zip(shape, expected, strict=True):  # all() takes four times as long
        if expected_size is not None and expected_size != size:
            return False
    return True


class Engine:
    """A loaded SavedModel; its methods are thread-safe, except `close`.

    Attributes:
        model_dir: Folder of the SavedModel.
        signature_defs: Signatures by name, as the SavedModel holds them.
        signatures: Signatures by name, without those that only the loader uses.
    """

    def __init__(self, model_dir: Path) -> None:
        """Loads a model.

        Args:
            model_dir: Folder of the SavedModel.

        Raises:
            ModelLoadError: If it cannot be loaded or holds a forbidden op. The text contains no
                path outside of the model's folder.
        """
        self._prefix = f"{model_dir}/"
        self.model_dir = model_dir
        meta_graph = _read_meta_graph(model_dir)
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = dict(
            meta_graph.signature_def
        )
        # Runs ops in the calling thread: waking another one takes longer than the ops. A session
        # with its own threads would not do so. SINGLE_THREADED_EXECUTOR is a quarter faster still
        # but does not support the control flow of TensorFlow 1.
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1,
            inter_op_parallelism_threads=-1,
            device_count={"GPU": 0},
        )
        # The transformation is a function of all columns; a call takes longer than its ops.
        config.graph_options.optimizer_options.do_function_inlining = True
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            with self._session.graph.as_default():
                tf.compat.v1.saved_model.load(
                    self._session, [tf.saved_model.SERVING], str(model_dir)
                )
            parsed = ExampleInputs(meta_graph)
            self.signatures = {
                name: Signature(
                    name,
                    proto.method_name,
                    _inputs_of(proto.inputs, parsed),
                    _tensors_of(proto.outputs),
                )
                for name, proto in self.signature_defs.items()
                if not name.startswith("__")
            }
            self._feeds = {name: self._make_feeds(each) for name, each in self.signatures.items()}
            self._callables = {
                name: self._make_callable(signature) for name, signature in self.signatures.items()
            }
        except Exception as error:  # TensorFlow raises various errors for broken files
            self._session.close()
            raise ModelLoadError(f"cannot be loaded: {self._say(error)}") from error

    def run(self, signature: Signature, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Runs a signature.

        Args:
            signature: One of this model's signatures.
            inputs: Values that `Signature.check` has accepted.

        Returns:
            All outputs by name.

        Raises:
            ServingError: With the code of TensorFlow's error.
        """
        try:
            feeds = self._feeds[signature.name].arrange(inputs)
            values = self._callables[signature.name](*feeds)
        except tf.errors.OpError as error:
            raise ServingError(Code(error.error_code), self._say(error)) from None
        except UnicodeDecodeError:  # TensorFlow's message quotes an input that is not UTF-8
            raise invalid("an input cannot be parsed") from None
        except (TypeError, ValueError) as error:  # for instance an object that is not a string
            raise invalid(self._say(error)) from None
        return dict(zip(signature.outputs, values, strict=True))

    def close(self) -> None:
        """Frees the model; `run` must not be called afterwards."""
        self._callables.clear()
        self._session.close()

    def _say(self, error: BaseException) -> str:
        return first_line(error).replace(self._prefix, "")

    def _make_feeds(self, signature: Signature) -> Feeds:
        return Feeds(
            self._session.graph,
            {name: tensor.name for name, tensor in signature.inputs.items()},
            [tensor.name for tensor in signature.outputs.values()],
            is_batched=signature.is_batched,
        )

    def _make_callable(self, signature: Signature) -> Any:
        options = config_pb2.CallableOptions()
        options.feed.extend(self._feeds[signature.name].tensors)
        options.fetch.extend(tensor.name for tensor in signature.outputs.values())
        # Session.make_callable with feeds wraps Session.run, which takes twice as long.
        return self._session._make_callable_from_options(options)


def first_line(error: BaseException, max_length: int = 400) -> str:
    """Returns the message of an error without TensorFlow's node names, tracebacks and values."""
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    line = text.strip().split("\n")[0]
    assertion = _ASSERTION.match(line)
    if assertion:  # keeps its message but not the values that failed
        line = f"assertion failed: {assertion[1] or 'see the model'}"
    line = line.partition("[[")[0].partition(", value: ")[0].strip()
    return (line or type(error).__name__)[:max_length]


def _read_meta_graph(model_dir: Path) -> meta_graph_pb2.MetaGraphDef:
    """Reads the graph to serve from `saved_model.pb` and checks its ops.

    Raises:
        ModelLoadError: If it cannot be read, has no graph to serve, or holds a forbidden op.
    """
    file = tf.saved_model.SAVED_MODEL_FILENAME_PB
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString((model_dir / file).read_bytes())
    except OSError as error:
        raise ModelLoadError(f"{file}: cannot be read: {error.strerror}") from None
    except Exception:  # protobuf's error class differs between its versions
        raise ModelLoadError(f"{file}: is not a SavedModel") from None
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            break
    else:
        raise ModelLoadError(f"{file}: has no graph with the tag '{tf.saved_model.SERVING}'")
    functions = [node for f in meta_graph.graph_def.library.function for node in f.node_def]
    forbidden = _FORBIDDEN_OPS & {node.op for node in [*meta_graph.graph_def.node, *functions]}
    if forbidden:
        raise ModelLoadError(
            f"{file}: holds ops that access files or run Python: {', '.join(sorted(forbidden))}"
        )
    return meta_graph


def _tensors_of(infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, Tensor]:
    return {name: _tensor_of(infos[name]) for name in sorted(infos)}


def _inputs_of(
    infos: Mapping[str, meta_graph_pb2.TensorInfo], parsed: ExampleInputs
) -> dict[str, Tensor]:
    return {
        name: replace(tensor, message=parsed.message_of(tensor.name))
        for name, tensor in _tensors_of(infos).items()
    }


def _tensor_of(info: meta_graph_pb2.TensorInfo) -> Tensor:
    shape = None
    if not info.tensor_shape.unknown_rank:
        shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return Tensor(info.name, tf.as_dtype(info.dtype), shape)
