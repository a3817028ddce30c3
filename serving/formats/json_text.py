"""JSON as TensorFlow Serving reads and writes it: with NaN, infinities and trailing text."""

import gc
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson

from serving.errors import ServingError, Violation, invalid

_MAX_MESSAGE_LENGTH = 1024
"""As in TensorFlow Serving's gRPC."""


def parse(body: bytes, max_levels: int, max_values: int) -> dict[str, Any]:
    """Parses the body of a request.

    If a key is repeated, its last value is used.

    Args:
        body: JSON in UTF-8. Numbers may be NaN, Infinity and -Infinity; text after the document
            is ignored.
        max_levels: Limit on the nesting of lists and objects.
        max_values: Limit on the number of commas, lists and objects, also in strings: about that
            of the values, but known before any is made.

    Raises:
        ServingError: INVALID_ARGUMENT, if the body is not a JSON object, is nested too deeply, has
            too many values, or holds a number beyond the range of a double.
    """
    if len(body) > max_values and len(body) - len(body.translate(None, b",[{")) > max_values:
        raise _parse_error(f"more than {max_values} values")
    gc.disable()  # it would look through all values again and again while they are made
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    finally:
        gc.enable()
    is_container = type(document) is dict or type(document) is list
    may_be_deep = is_container and body.count(b"[") + body.count(b"{") > max_levels
    if may_be_deep and _is_deeper(document, max_levels):
        raise invalid(f"JSON Parse error: more than {max_levels} levels")
    if type(document) is not dict:
        raise invalid("JSON Value: Is not object")
    return document


def dump(document: Any) -> bytes:
    """Writes dicts, lists, strings, numbers, and NumPy arrays or scalars as JSON.

    A float has only the digits that its own type needs to be read back: `0.1`, not
    `0.10000000149011612`. A whole float has a decimal point: `5.0`.
    """
    text = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in text:  # orjson writes NaN and infinities as null; or it is part of a string
        plain = json.dumps(document, default=_to_plain, separators=(",", ":"), ensure_ascii=False)
        return plain.encode()
    return text


def dump_error(message: str, violations: Sequence[Violation] = ()) -> bytes:
    """Writes an error response; cuts a long message, which may quote the client's input."""
    if len(message) > _MAX_MESSAGE_LENGTH:
        message = message[:_MAX_MESSAGE_LENGTH] + "...TRUNCATED"
    content: dict[str, Any] = {"error": message}
    if violations:
        content["violations"] = [asdict(violation) for violation in violations]
    return json.dumps(content).encode()


def _parse_leniently(body: bytes) -> Any:
    try:
        text = body.decode("utf-8").lstrip(" \t\r\n")
        return _DECODER.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        raise _parse_error(f"{error.msg} at offset: {error.pos}") from None
    except UnicodeDecodeError as error:
        raise _parse_error(f"Invalid UTF-8 at offset: {error.start}") from None
    except RecursionError:
        raise _parse_error("too many levels") from None
    except ValueError:  # an integer of thousands of digits
        raise _parse_error("Number too big to be stored in double") from None


def _parse_error(what: str) -> ServingError:
    return invalid(f"JSON Parse error: {what}")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_float=_parse_float)


def _is_deeper(document: Any, max_levels: int) -> bool:
    level = [document]
    for _ in range(max_levels):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is list or type(child) is dict
        ]
        if not level:
            return False
    return True


def _to_plain(values: Any) -> Any:
    if values.dtype.kind == "f" and values.dtype.itemsize < 8:
        return values.astype(str).astype(np.float64).tolist()
    return values.tolist()
