"""What a run reports to its user, and the exit code that goes with it.

PipelineError
 |- InputError            2  wrong input, reported before any work starts
 |   |- ConfigError          the configuration
 |   |- DataError            the CSV files
 |   |- StateError           the folders that are written to
 |   |- ModelError           the pushed model that is asked for
 |   |- TrackingError        MLflow, where it has to answer
 |   `- RunNotFoundError     the name of a run
 |- NodeFailedError       1  a node of the pipeline failed
 `- RunKilledError      130  interrupted by the user or the system
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from tracking.uris import hide_credentials

EXIT_NOT_BLESSED = 3


class PipelineError(Exception):
    """Root of all errors that end in one short message instead of a traceback."""

    exit_code = 1


class InputError(PipelineError):
    """An input is wrong; nothing has been run or written."""

    exit_code = 2


class ConfigError(InputError):
    """The configuration is wrong."""

    def __init__(self, message: str) -> None:
        """Keeps the message, which may quote the configuration, without the credentials in it."""
        super().__init__(hide_credentials(message))


class DataError(InputError):
    """The CSV files are wrong."""


class StateError(InputError):
    """A folder or file cannot be written."""


class ModelError(InputError):
    """A pushed model is asked for that is not there, or cannot be asked."""


class TrackingError(InputError):
    """MLflow does not answer, where a command cannot do without."""


class RunNotFoundError(InputError):
    """A run is asked for that is not there, or by a name that fits several."""


class NodeFailedError(PipelineError):
    """A node failed.

    Attributes:
        node_id: The node.
        cause: The error's own words, one line; of refused data, some more.
        log_path: Where the traceback stands, None if nowhere.
    """

    def __init__(self, node_id: str, cause: str) -> None:
        """Keeps the node and the cause."""
        super().__init__(node_id, cause)
        self.node_id = node_id
        self.cause = cause
        self.log_path: Path | None = None

    def __str__(self) -> str:
        """Says it, in as many lines as the cause."""
        log = f" (log: {self.log_path})" if self.log_path else ""
        return f"{self.node_id} failed: {self.cause}{log}"


class RunKilledError(PipelineError):
    """The run was interrupted.

    Attributes:
        node_id: The node that was running, or None between nodes.
    """

    exit_code = 130

    def __init__(self, node_id: str | None) -> None:
        """Keeps the node."""
        super().__init__(f"interrupted in {node_id}" if node_id else "interrupted")
        self.node_id = node_id


def did_you_mean(word: str, allowed: Sequence[str]) -> str:
    """Names the allowed word nearest to a wrong one, as the end of a sentence; empty if none is."""
    nearest = get_close_matches(word, allowed, n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""


def refuse(value: object, rule: str) -> str:
    """Says in a user's words that pydantic refused a value by a rule."""
    words = rule.replace("Input should", "should").replace("tuple", "list").replace("Tuple", "list")
    return f"{value!r} is not allowed: {words}"
