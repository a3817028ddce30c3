"""JSON text as TensorFlow Serving reads and writes it: with NaN, infinities, and text behind it."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson

from serving.errors import ServingError, invalid
from serving.models.value_check import Violation

_LONGEST_MESSAGE = 1024
"""As in TensorFlow Serving's gRPC."""


def parse(body: bytes, most_levels: int) -> dict[str, Any]:
    """Reads a request.

    Of a key that stands there twice the last value counts.

    Args:
        body: JSON in UTF-8. Numbers may be NaN, Infinity and -Infinity; what follows the document
            is ignored.
        most_levels: How deep lists and objects may be nested.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is no JSON object, too deep, or a number in it is
            beyond a double's range.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    if body.count(b"[") + body.count(b"{") > most_levels and _is_deeper(document, most_levels):
        raise invalid(f"JSON Parse error: more than {most_levels} levels")
    if type(document) is not dict:
        raise invalid("JSON Value: Is not object")
    return document


def dump(document: Any) -> bytes:
    """Writes a reply of dicts, lists, words, numbers, and arrays or scalars of NumPy's.

    A float has as many digits as its own type needs to be read back, `0.1` and not
    `0.10000000149011612`, and whole ones have a point: `5.0`.
    """
    text = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in text:  # what orjson makes of NaN and infinities; or a word that reads so
        plain = json.dumps(document, default=_to_plain, separators=(",", ":"), ensure_ascii=False)
        return plain.encode()
    return text


def dump_error(message: str, violations: Sequence[Violation] = ()) -> bytes:
    """Writes a reply that says what is wrong; the message may hold anything a client has sent."""
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "...TRUNCATED"
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


def _is_deeper(document: Any, most_levels: int) -> bool:
    level = [document]
    for _ in range(most_levels):
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
