"""The paths of TensorFlow Serving's REST interface."""

import re
from dataclasses import dataclass
from functools import lru_cache

from serving.errors import Code, ServingError, invalid

_LONGEST_PATH = 1024
_NUMBERED = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_ASK = re.compile(rf"/v1/models/([^/:]+){_NUMBERED}:(classify|regress|predict)", re.IGNORECASE)
_LOOK = re.compile(rf"/v1/models(?:/([^/:]+))?{_NUMBERED}(/metadata)?", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """What is asked of which model.

    Attributes:
        entrypoint: `Predict`, `Classify`, `Regress`, `GetModelMetadata` or `GetModelStatus`.
        model: Its name; it need not exist.
        version: None: the newest, or that of the label.
        label: A name for a version.
    """

    entrypoint: str
    model: str
    version: int | None
    label: str | None


@lru_cache(maxsize=1024)
def find_route(method: str, path: str) -> Route:
    """Finds out what is asked for.

    Args:
        method: Of HTTP.
        path: Decoded, without the query.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is below `/v1/` and not as it should be; NOT_FOUND, if
            it is anywhere else.
    """
    if len(path) > _LONGEST_PATH:  # which would be kept
        raise invalid(f"Malformed request: a path of {len(path)} characters")
    if method == "POST" and (match := _ASK.fullmatch(path)):
        model, number, label, verb = match.groups()
        return Route(verb.capitalize(), model, _version(number), label)
    if method == "GET" and (match := _LOOK.fullmatch(path)):
        model, number, label, metadata = match.groups()
        if not model:
            raise invalid("Missing model name in request.")
        entrypoint = "GetModelMetadata" if metadata else "GetModelStatus"
        return Route(entrypoint, model, _version(number), label)
    if path[:4].lower() == "/v1/":
        raise invalid(f"Malformed request: {method} {path}")
    raise ServingError(Code.NOT_FOUND, f"Not found: {path}")


def _version(number: str | None) -> int | None:
    if number is None:
        return None
    if len(number) > 19 or int(number) >= 2**63:
        raise invalid(f"Failed to convert version: {number} to numeric.")
    return int(number)
