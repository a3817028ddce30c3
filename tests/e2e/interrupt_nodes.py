"""Runs the shipped pipeline once per node, interrupted in that node, and then to its end.

python interrupt_nodes.py STATE_FOLDER

Prints a JSON object per run: the interrupted node, and the states of the nodes that ran.
"""

import json
import os
import signal
import sys
import threading
from contextlib import nullcontext, suppress
from pathlib import Path

from rich.console import Console

from pipeline.data.prepare import prepare
from pipeline.errors import RunKilledError
from pipeline.run.node_result import NodeResult
from pipeline.run.progress import PlainView
from pipeline.run.session import start
from pipeline.settings.load import default_config_path, load_config

NODES = {
    "CsvExampleGen": 0.02,
    "StatisticsGen": 0.2,
    "SchemaGen": 0.005,
    "ExampleValidator": 0.005,
    "DataGate": 0.005,
    "Transform": 0.5,
    "Trainer": 0.3,
    "BaselineResolver": 0.005,
    "ServingCheck": 0.1,
    "Evaluator": 0.3,
    "Pusher": 0.005,
}
"""Node to the seconds after which it is interrupted, so that it is in the middle of its work."""


class InterruptingView(PlainView):
    """Sends this process the signal of Ctrl-C while one node runs, and records all states."""

    def __init__(self, victim: str | None) -> None:
        super().__init__(Console(quiet=True), Path())
        self._victim = victim
        self.states: dict[str, str] = {}

    def node_started(self, node_id: str) -> None:
        if node_id == self._victim:
            seconds = NODES[node_id]
            threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()

    def node_finished(self, result: NodeResult) -> None:
        self.states[result.node_id] = result.state


def main() -> None:
    root = Path(sys.argv[1])
    root.mkdir(parents=True)
    config = prepare(load_config(default_config_path(), [f"paths.root={root}"])).config
    for victim in (*NODES, None):
        view = InterruptingView(victim)
        with suppress(RunKilledError):
            start(config, nullcontext(view))
        sys.stdout.write(json.dumps({"victim": victim, "states": view.states}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
