"""The paths of TensorFlow Serving's REST interface."""

import re
from dataclasses import dataclass
from functools import lru_cache

from serving.errors import Code, ServingError, invalid

_MAX_PATH_LENGTH = 1024
_NUMBERED = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_INFERENCE = re.compile(
    rf"/v1/models/([^/:]+){_NUMBERED}:(classify|regress|predict)", re.IGNORECASE
)
_DESCRIPTION = re.compile(rf"/v1/models(?:/([^/:]+))?{_NUMBERED}(/metadata)?", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """A method and the model and version that it is called on.

    Attributes:
        entrypoint: `Predict`, `Classify`, `Regress`, `GetModelMetadata` or `GetModelStatus`.
        model: Name of the model, which need not exist.
        version: Version number; None if the path names a label or no version.
        label: Version label; None if the path names none.
    """

    entrypoint: str
    model: str
    version: int | None
    label: str | None


@lru_cache(maxsize=1024)
def find_route(method: str, path: str) -> Route:
    """Parses the path of a request.

    Args:
        method: HTTP method.
        path: Percent-decoded, without the query.

    Raises:
        ServingError: INVALID_ARGUMENT, if a path below `/v1/` is malformed; NOT_FOUND, for any
            other path.
    """
    if len(path) > _MAX_PATH_LENGTH:  # keeps the cache small
        raise invalid(f"Malformed request: a path of {len(path)} characters")
    if method == "POST" and (match := _INFERENCE.fullmatch(path)):
        model, number, label, verb = match.groups()
        return Route(verb.capitalize(), model, _version(number), label)
    if method == "GET" and (match := _DESCRIPTION.fullmatch(path)):
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
