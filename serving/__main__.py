"""A worker: `python -m serving DESCRIPTOR`, started by `serving.workers`."""

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
    """Serves as the line on standard input says, until a signal or the end of standard input."""
    task = json.loads(_read_line(0))
    settings = ServingSettings.model_validate_json(json.dumps(task["settings"]))
    folders = {name: Path(folder) for name, folder in task["folders"].items()}
    ready = int(sys.argv[1])
    try:
        with open_listeners(settings, shared=True) as listeners:
            from serving.run import run_server  # TensorFlow takes seconds
            from serving.server import Server

            def on_ready(server: Server) -> None:
                os.write(ready, json.dumps(server.describe()).encode())

            run_server(folders, settings, listeners, on_ready, parent=0)
    except StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
    return 0


def _read_line(descriptor: int) -> bytes:
    """Reads up to the end of a line and no further, so that the end of the input is seen later."""
    line = b""
    while not line.endswith(b"\n") and (character := os.read(descriptor, 1)):
        line += character
    return line


if __name__ == "__main__":
    set_up_logging()
    code = main()
    sys.stderr.flush()
    os._exit(code)  # TensorFlow's clean-up takes a second
