"""The errors that end a command with one message, and their exit codes.

PipelineError
 |- InputError            2  wrong input, found before any work starts
 |   |- ConfigError          the configuration
 |   |- DataError            the CSV files
 |   |- StateError           folders and files that cannot be written, or lack a run
 |   |- ModelError           a pushed model
 |   |- TrackingError        MLflow, where a command needs it
 |   `- RunNotFoundError     the name of a run
 |- NodeFailedError       1  a node failed
 `- RunKilledError      130  interrupted by the user or the system
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

EXIT_NOT_BLESSED = 3


class PipelineError(Exception):
    """Base class of all errors that end in one short message instead of a traceback."""

    exit_code = 1


class InputError(PipelineError):
    """An input is wrong; nothing has been run or written."""

    exit_code = 2


class ConfigError(InputError):
    """The configuration is wrong.

    `load_config`, whose messages quote the configuration, replaces the credentials in them.
    """


class DataError(InputError):
    """The CSV files are wrong."""


class StateError(InputError):
    """A folder or file cannot be written, or the state folder lacks what a command needs."""


class ModelError(InputError):
    """The named version of the pushed model does not exist or cannot be used."""


class TrackingError(InputError):
    """MLflow does not answer, and the command cannot do without it."""


class RunNotFoundError(InputError):
    """No run has the given name, or several have it."""


class NodeFailedError(PipelineError):
    """A node failed.

    Attributes:
        node_id: The node.
        cause: The message of the error that stopped it; several lines if the data was refused.
        log_path: The file with the traceback, None if there is none.
    """

    def __init__(self, node_id: str, cause: str) -> None:
        """Stores node and cause; the log is named later, by the code that knows it."""
        super().__init__(node_id, cause)
        self.node_id = node_id
        self.cause = cause
        self.log_path: Path | None = None

    def __str__(self) -> str:
        """Returns node, cause and log, in as many lines as the cause has."""
        log = f" (log: {self.log_path})" if self.log_path else ""
        return f"{self.node_id} failed: {self.cause}{log}"


class RunKilledError(PipelineError):
    """The run was interrupted.

    Attributes:
        node_id: The node that was running, or None between nodes.
    """

    exit_code = 130

    def __init__(self, node_id: str | None) -> None:
        """Makes the message from the node, if there is one."""
        super().__init__(f"interrupted in {node_id}" if node_id else "interrupted")
        self.node_id = node_id


def did_you_mean(word: str, allowed: Sequence[str]) -> str:
    """Returns the end of a sentence that suggests the nearest allowed word; empty without one."""
    nearest = get_close_matches(word, allowed, n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""


def printable(text: str) -> str:
    """Writes line ends and other characters that do not show as escapes, as `ascii` does."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def refuse(value: object, rule: str) -> str:
    """Returns the message that a value breaks a rule, with pydantic's rule reworded."""
    words = rule.replace("Input should", "should").replace("tuple", "list").replace("Tuple", "list")
    words = re.sub(r"valid dictionary or instance of \w+", "mapping of settings", words)
    return f"{value!r} is not allowed: {words}"
