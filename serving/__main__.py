"""A worker process, `python -m serving DESCRIPTOR`, which `serving.workers` starts.

It reads models and settings as one line of JSON from standard input, and writes the lines of
`Server.describe` to the descriptor when it is ready. It stops when standard input ends, since its
parent is then gone.
"""

import json
import os
import sys
from pathlib import Path

from serving.errors import StartError
from serving.listeners import open_listeners
from serving.settings import ServingSettings
from serving.telemetry.logs import set_up_logging
from serving.workers import EXIT_CANNOT_START


def main() -> int:
    """Serves until SIGTERM, SIGINT or the end of standard input; returns the exit code."""
    task = json.loads(_read_line(0))
    settings = ServingSettings.model_validate_json(json.dumps(task["settings"]))
    folders = {name: Path(folder) for name, folder in task["folders"].items()}
    ready = int(sys.argv[1])
    try:
        with open_listeners(settings, shared=True) as listeners:
            from serving.run import run_server  # after the ports are checked: takes seconds
            from serving.server import Server

            def on_ready(server: Server) -> None:
                os.write(ready, json.dumps(server.describe()).encode())

            shared_dir = Path(task["shared_dir"])
            run_server(folders, settings, listeners, on_ready, shared_dir, parent=0)
    except StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
    return 0


def _read_line(descriptor: int) -> bytes:
    """Reads one line without buffering, so that the event loop can watch for the end of input."""
    line = b""
    while not line.endswith(b"\n") and (character := os.read(descriptor, 1)):
        line += character
    return line


if __name__ == "__main__":
    set_up_logging()
    code = main()
    sys.stderr.flush()
    os._exit(code)  # skips TensorFlow's clean-up, which takes a second
