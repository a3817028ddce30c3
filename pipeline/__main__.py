"""The command line: `pipeline run`, `validate`, `predict` and others."""

import io
import os
import sys
from collections.abc import Sequence

from pipeline.commands.parser import make_parser
from pipeline.errors import PipelineError, RunKilledError

_EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program that the signal SIGPIPE ended."""


def main() -> None:
    """Runs the command and ends the process without the libraries' clean-up.

    The clean-up of TensorFlow and Beam at exit takes a second and complains on standard error.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names and values of any alphabet, in a terminal that may know fewer letters.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run_command(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        code = _EXIT_BROKEN_PIPE
    sys.stderr.flush()
    os._exit(code)


def run_command(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: The words after `pipeline`.

    Returns:
        The exit code: 0 done; 1 a node failed or schemas differ; 2 wrong configuration or input; 3
        not blessed where `--require-blessed` asked for it; 130 interrupted.

    Raises:
        SystemExit: If the arguments are wrong, with 2, or after `--help` and `--version`, with 0.
    """
    options = make_parser().parse_args(arguments)
    try:
        code: int = options.handler(options)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return RunKilledError.exit_code
    return code


if __name__ == "__main__":
    main()
