"""What a request can come to, in the codes that gRPC and TensorFlow Serving share.

ServingError        has one of the codes, and says why
ModelLoadError      a version that cannot be served
StartError          the server cannot start
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.models.value_check import Violation


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


class ServingError(Exception):
    """A request that is not answered.

    Attributes:
        code: What kind of mistake.
        message: What is wrong, for whoever sent the request; no traceback, no value of a tensor.
        violations: What is wrong with values of the request, row by row, where it was that.
    """

    def __init__(self, code: Code, message: str, violations: Sequence["Violation"] = ()) -> None:
        """Keeps them."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.violations = violations


def invalid(message: str, violations: Sequence["Violation"] = ()) -> ServingError:
    """Makes what is raised of a request that is not as it should be."""
    return ServingError(Code.INVALID_ARGUMENT, message, violations)


class ModelLoadError(Exception):
    """A folder that holds no model which can be served; its text says why."""


class StartError(Exception):
    """A port or a file that the server cannot start with; its text says why, and how to mend it."""
