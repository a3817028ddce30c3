"""The two JSON formats of Predict: by row and by column.

Source: tensorflow/serving, tensorflow_serving/util/json_tensor.h
"""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from numpy.typing import NDArray

from serving.errors import invalid
from serving.formats.tensor_json import is_base64, read_columns, write_tensor
from serving.models.engine import Arrays, Signature


def read_predict(request: Mapping[str, Any], signature: Signature) -> tuple[Arrays, bool]:
    """Reads the inputs of a request in either format.

    Args:
        request: The parsed body, with `instances`, a row for each example, or `inputs`, a column
            for each input.
        signature: The signature, for names and types of the inputs. `Signature.check` checks the
            shapes later.

    Returns:
        The inputs by name, and whether the request is by row.

    Raises:
        ServingError: INVALID_ARGUMENT, if inputs are missing or wrong; UNIMPLEMENTED, if an input
            has a type that JSON cannot hold.
    """
    is_by_row = "instances" in request
    if is_by_row == ("inputs" in request):
        what = (
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            if is_by_row
            else "Missing 'inputs' or 'instances' key"
        )
        raise invalid(what)
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {signature.name}")
    if is_by_row:
        columns = _columns_of_rows(request["instances"], signature)
    else:
        columns = _columns_of(request["inputs"], signature)
    return read_columns(columns, signature), is_by_row


def write_predict(outputs: Arrays, *, by_row: bool) -> dict[str, Any]:
    """Makes the response to a request.

    Args:
        outputs: Values by output name; the name is left out if there is only one output.
        by_row: Whether to write `predictions`, by row, or `outputs`, by column.

    Returns:
        A document for `json_text.dump`.

    Raises:
        ServingError: INVALID_ARGUMENT, if outputs are scalars or differ in their number of rows;
            UNIMPLEMENTED, if an output has a type that JSON cannot hold.
    """
    if not by_row:
        columns = {name: write_tensor(values, name) for name, values in outputs.items()}
        return {"outputs": columns if len(columns) > 1 else columns.popitem()[1]}
    columns = {name: _rows_of(values, name) for name, values in outputs.items()}
    n_rows = len(next(iter(columns.values())))
    for name, rows in columns.items():
        if len(rows) != n_rows:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(rows)} expecting: {n_rows}"
            )
    if len(columns) == 1:
        return {"predictions": columns.popitem()[1]}
    rows_of_all = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows_of_all]}


def _rows_of(values: NDArray[Any] | bytes, name: str) -> list[Any]:
    rows = write_tensor(values, name)
    if type(rows) is not list:
        raise invalid(f"Tensor name: {name} has no shape information")
    return rows


def _columns_of_rows(rows: Any, signature: Signature) -> Mapping[str, Any]:
    if type(rows) is not list:
        raise invalid("Expecting 'instances' to be a list")
    if not rows:
        raise invalid("No values in 'instances' array")
    names = signature.inputs
    if not _is_object(rows[0]):
        if len(names) > 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple input tensors"
                " required as per tensorinfo_map"
            )
        return dict.fromkeys(names, rows)
    keys = names.keys()
    for i, row in enumerate(rows):
        if type(row) is not dict:
            raise invalid(f"Expecting object but got list at item {i} of input list")
        if row.keys() != keys:
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: keys must be"
                f" equal to: {','.join(sorted(names))}{_difference(row, names)}"
            )
    if len(names) == 1:
        (name,) = names
        return {name: [row[name] for row in rows]}
    values = zip(*map(itemgetter(*names), rows), strict=True)
    return dict(zip(names, map(list, values), strict=True))


def _columns_of(inputs: Any, signature: Signature) -> Mapping[str, Any]:
    if _is_object(inputs):
        for name in signature.inputs:
            if name not in inputs:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
        return inputs  # type: ignore[no-any-return]
    if len(signature.inputs) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors"
            " required as per tensorinfo_map"
        )
    return dict.fromkeys(signature.inputs, inputs)


def _is_object(value: Any) -> bool:
    return type(value) is dict and not is_base64(value)


def _difference(row: Iterable[str], names: Iterable[str]) -> str:
    extra = sorted(set(row) - set(names))
    missing = sorted(set(names) - set(row))
    return (f"; missing: {','.join(missing)}" if missing else "") + (
        f"; unknown: {','.join(extra)[:200]}" if extra else ""
    )
