"""JSON to tensors and back, by the rules of TensorFlow Serving's Predict.

Source: tensorflow/serving, tensorflow_serving/util/json_tensor.h
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.engine import Arrays, Signature, Tensor
from serving.errors import Code, ServingError

_MOST_LEVELS = 254
"""Of a tensor in TensorFlow; NumPy's limit below it is met first."""
_JSON_TYPES = {
    bool: "Bool",
    dict: "Object",
    float: "Decimal number",
    int: "Integer",
    list: "Array",
    str: "String",
    type(None): "Null",
}
_FLOATS = frozenset({tf.bfloat16, tf.float16, tf.float32, tf.float64})
_INTS = frozenset(
    {tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64}
)
_GREATEST_INT = {tf.bfloat16: 2**8 - 1, tf.float16: 2**11 - 1, tf.float32: 2**24 - 1}
"""Greatest integer up to which a type of float holds all; as TensorFlow Serving has it."""


def read_predict(request: Mapping[str, Any], signature: Signature) -> tuple[Arrays, bool]:
    """Reads the inputs of a request, in either format.

    Args:
        request: The request; it has `instances`, a row for each example, or `inputs`, a column for
            each input.
        signature: Which inputs there are, and of what types. Shapes are left to its `check`.

    Returns:
        The inputs by name, and whether they came by row.

    Raises:
        ServingError: INVALID_ARGUMENT, if it does not hold the inputs; UNIMPLEMENTED, if JSON has
            no values of an input's type.
    """
    is_by_row = "instances" in request
    if is_by_row == ("inputs" in request):
        what = (
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            if is_by_row
            else "Missing 'inputs' or 'instances' key"
        )
        raise _invalid(what)
    if not signature.inputs:
        raise _invalid(f"Failed to get input map for signature: {signature.name}")
    if is_by_row:
        columns = _columns_of_rows(request["instances"], signature)
    else:
        columns = _columns_of(request["inputs"], signature)
    return {
        name: read_tensor(columns[name], tensor, name) for name, tensor in signature.inputs.items()
    }, is_by_row


def write_predict(outputs: Arrays, *, by_row: bool) -> dict[str, Any]:
    """Makes the reply to a request.

    Args:
        outputs: Values by output name; the name is left out where there is one only.
        by_row: Whether it is `predictions`, by row, or `outputs`, by column.

    Returns:
        What `json_text.dump` takes.

    Raises:
        ServingError: INVALID_ARGUMENT, if the outputs have no rows, or different numbers of them;
            UNIMPLEMENTED, if JSON has no values of an output's type.
    """
    if not by_row:
        columns = {name: write_tensor(values, name) for name, values in outputs.items()}
        return {"outputs": columns if len(columns) != 1 else next(iter(columns.values()))}
    n_rows = None
    for name, values in outputs.items():
        if not np.ndim(values):
            raise _invalid(f"Tensor name: {name} has no shape information")
        if n_rows not in (None, len(values)):
            raise _invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(values)}"
                f" expecting: {n_rows}"
            )
        n_rows = len(values)
    lists = [write_tensor(values, name) for name, values in outputs.items()]
    if len(lists) == 1:
        return {"predictions": lists[0]}
    return {"predictions": [dict(zip(outputs, row)) for row in zip(*lists)]}  # noqa: B905 checked


def read_tensor(value: Any, tensor: Tensor, name: str) -> NDArray[Any]:
    """Makes an array of a number, a word, or lists of them.

    Integers become floats, as long as the type holds all integers up to there; never the reverse.
    A word becomes its UTF-8, `{"b64": "..."}` the bytes that it stands for.

    Args:
        value: JSON.
        tensor: Its type counts.
        name: Name of the input, for messages.

    Raises:
        ServingError: INVALID_ARGUMENT, if a value is of another type or out of the type's range,
            or if lists of one level have different lengths; UNIMPLEMENTED, if JSON has no values of
            this type.
    """
    shape: list[int] = []
    values = [value]
    while values and type(values[0]) is list:
        size = len(values[0])
        for inner in values:
            if type(inner) is not list or len(inner) != size:
                raise _invalid(f"input {name}: Encountered list at unexpected size or level")
        shape.append(size)
        values = values[0] if len(values) == 1 else list(chain.from_iterable(values))
    array = _read_values(values, tensor, name)
    if len(shape) == 1:
        return array
    try:
        return array.reshape(shape)
    except ValueError:
        raise _invalid(f"input {name}: has {len(shape)} levels of lists") from None


def write_tensor(values: NDArray[Any], name: str) -> Any:
    """Makes what `json_text.dump` takes of an array: a list of its entries, a scalar of itself.

    Bytes become words, or `{"b64": "..."}` if the name ends in `_bytes` or they are no UTF-8.

    Raises:
        ServingError: UNIMPLEMENTED, if JSON has no values of this type.
    """
    if isinstance(values, bytes):  # what TensorFlow gives for a string without a shape
        values = np.array(values, object)
    kind = values.dtype.kind
    if kind == "O":
        return _write_strings(values, as_bytes=name.endswith("_bytes"))
    if values.dtype == tf.bfloat16.as_numpy_dtype:
        values = values.astype(np.float32)
    elif kind not in "fiub":
        raise ServingError(
            Code.UNIMPLEMENTED, f"Failed to write JSON value for tensor type: {values.dtype}"
        )
    return list(values) if np.ndim(values) else values[()]


def decode_base64(value: dict[str, Any], name: str) -> bytes:
    """Gives the bytes of `{"b64": "..."}`; the padding at its end may be missing.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is anything else.
    """
    if not is_base64(value):
        raise _invalid(f"input {name}: not formatted correctly for base64 data")
    text = value["b64"]
    try:
        return base64.b64decode(
            text if text[-1:] == "=" else text + -len(text) % 4 * "=", None, True
        )
    except (binascii.Error, ValueError):
        raise _invalid(f"input {name}: Unable to base64 decode") from None


def is_base64(value: Any) -> bool:
    """Whether it stands for bytes."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def json_type(value: Any) -> str:
    """Names the type of a value, for messages."""
    return _JSON_TYPES[type(value)]


def encode_text(text: str, name: str) -> bytes:
    """Gives the UTF-8 of a word.

    Raises:
        ServingError: INVALID_ARGUMENT, if it has none, as half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _invalid(f"input {name}: is no text in Unicode") from None


def _columns_of_rows(rows: Any, signature: Signature) -> Mapping[str, Any]:
    if type(rows) is not list:
        raise _invalid("Excepting 'instances' to be an list/array")
    if not rows:
        raise _invalid("No values in 'instances' array")
    names = signature.inputs
    if not _is_object(rows[0]):
        if len(names) > 1:
            raise _invalid(
                "instances is a plain list, but expecting list of objects as multiple input tensors"
                " required as per tensorinfo_map"
            )
        for i, row in enumerate(rows):
            if type(row) is dict and _is_object(row):
                raise _invalid(f"Expecting value/list but got object at item {i} of input list")
        return {name: rows for name in names}
    for i, row in enumerate(rows):
        if not _is_object(row):
            raise _invalid(f"Expecting object but got list at item {i} of input list")
        if row.keys() != names.keys():
            raise _invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: keys must be"
                f" equal to: {','.join(sorted(names))}{_difference(row, names)}"
            )
    return {name: [row[name] for row in rows] for name in names}


def _columns_of(inputs: Any, signature: Signature) -> Mapping[str, Any]:
    if _is_object(inputs):
        for name in signature.inputs:
            if name not in inputs:
                raise _invalid(f"Missing named input: {name} in 'inputs' object.")
        return inputs  # type: ignore[no-any-return]
    if len(signature.inputs) > 1:
        raise _invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors"
            " required as per tensorinfo_map"
        )
    return {name: inputs for name in signature.inputs}


def _is_object(value: Any) -> bool:
    return type(value) is dict and not is_base64(value)


def _difference(row: Iterable[str], names: Iterable[str]) -> str:
    extra = sorted(set(row) - set(names))
    missing = sorted(set(names) - set(row))
    return (f"; missing: {','.join(missing)}" if missing else "") + (
        f"; unknown: {','.join(extra)[:200]}" if extra else ""
    )


def _read_values(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    dtype = tensor.dtype
    kinds = set(map(type, values))
    if dtype in _FLOATS:
        _hold_types(kinds, {int, float}, tensor, name)
        return _read_floats(values, int in kinds, tensor, name)
    if dtype == tf.string:
        _hold_types(kinds, {str, dict}, tensor, name)
        return _read_strings(values, name)
    if dtype in _INTS:
        _hold_types(kinds, {int}, tensor, name)
        if values and not dtype.min <= min(values) <= max(values) <= dtype.max:
            raise _invalid(f"input {name}: an integer is out of the range of {dtype.name}")
    elif dtype == tf.bool:
        _hold_types(kinds, {bool}, tensor, name)
    else:
        raise ServingError(
            Code.UNIMPLEMENTED, f"input {name}: Conversion of JSON Value to type: {dtype.name}"
        )
    return np.array(values, tensor.numpy_dtype)


def _hold_types(kinds: set[type], allowed: set[type], tensor: Tensor, name: str) -> None:
    if not kinds <= allowed:
        wrong = ", ".join(sorted(_JSON_TYPES[kind] for kind in kinds - allowed))
        raise _invalid(
            f"input {name}: JSON Value Type: {wrong} is not of expected type: {tensor.dtype.name}"
        )


def _read_floats(values: Sequence[Any], has_ints: bool, tensor: Tensor, name: str) -> NDArray[Any]:
    if has_ints:
        greatest = _GREATEST_INT.get(tensor.dtype, 2**53 - 1)
        for value in values:
            if type(value) is int and not -greatest <= value <= greatest:
                raise _lossy(tensor, name)
    doubles = np.array(values, np.float64)
    if tensor.dtype == tf.float64:
        return doubles
    with np.errstate(over="ignore"):
        array = doubles.astype(tensor.numpy_dtype)
    if (np.isinf(array) & np.isfinite(doubles)).any():
        raise _lossy(tensor, name)
    return array


def _lossy(tensor: Tensor, name: str) -> ServingError:
    return _invalid(
        f"input {name}: Cannot convert JSON value to {tensor.dtype.name} without loss of precision."
    )


def _read_strings(values: Sequence[Any], name: str) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = [
        encode_text(value, name) if type(value) is str else decode_base64(value, name)
        for value in values
    ]
    return array


def _write_strings(values: NDArray[Any], *, as_bytes: bool) -> Any:
    written = [_write_string(value, as_bytes=as_bytes) for value in values.ravel().tolist()]
    if values.ndim == 1:
        return written
    array = np.empty(len(written), object)
    array[:] = written
    return array.reshape(values.shape).tolist()


def _write_string(value: bytes, *, as_bytes: bool) -> Any:
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {"b64": base64.b64encode(value).decode()}


def _invalid(message: str) -> ServingError:
    return ServingError(Code.INVALID_ARGUMENT, message)
