"""The errors of the server, with the codes that gRPC and TensorFlow Serving share.

ServingError        a request fails with one of the codes and a message
ModelLoadError      a version cannot be served
StartError          the server cannot start
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

ViolationKind = Literal["missing", "unseen", "out_of_range"]


class Code(IntEnum):
    """Canonical codes, by their numbers in gRPC. Source: google/rpc/code.proto."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True)
class Violation:
    """A value of a request that the training data does not allow.

    Attributes:
        row: Index of the row in the request, from 0.
        column: Name of the raw column.
        kind: `missing`, `unseen` (a string, or no date of the format) or `out_of_range` (a number).
        text: The value and the allowed values, without the column's name.
    """

    row: int
    column: str
    kind: ViolationKind
    text: str


class ServingError(Exception):
    """A request that fails.

    Attributes:
        code: The kind of error.
        message: What is wrong, for the client; holds no traceback and no value of a tensor.
        violations: The values that are not allowed, where they are the reason.
    """

    def __init__(self, code: Code, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.violations = violations


def invalid(message: str, violations: Sequence[Violation] = ()) -> ServingError:
    """Makes the error for a wrong request, INVALID_ARGUMENT."""
    return ServingError(Code.INVALID_ARGUMENT, message, violations)


class ModelLoadError(Exception):
    """A version cannot be served; the text says why."""


class StartError(Exception):
    """The server cannot start; the text says why and how to fix it."""
