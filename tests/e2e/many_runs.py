"""Runs the shipped pipeline several times in one process, to import only once.

python many_runs.py STATE_FOLDER < RUNS

RUNS is a JSON list with the settings of each run, `KEY=VALUE` each. Prints a JSON object per run:
its `report` as printed by `pipeline run --json`, null if it failed; its `error`; the `states` of
its nodes; the `text` that it printed; its `seconds`, and how many of them came after its last node.
"""

import io
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.data.prepare import prepare
from pipeline.errors import PipelineError
from pipeline.run.node_result import NodeResult
from pipeline.run.progress import PlainView
from pipeline.run.session import start
from pipeline.settings.load import default_config_path, load_config


class TimingView(PlainView):
    """Records the printed text, and the time when the last node ended."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        super().__init__(Console(file=self.text, width=200), Path())
        self.states: dict[str, str] = {}
        self.last_node_ended = time.monotonic()

    def node_finished(self, result: NodeResult) -> None:
        super().node_finished(result)
        self.states[result.node_id] = result.state
        self.last_node_ended = time.monotonic()


def run(root: Path, settings: list[str]) -> dict[str, Any]:
    view, report, message = TimingView(), None, None
    config = load_config(default_config_path(), [f"paths.root={root}", *settings])
    config = prepare(config).config
    begun = time.monotonic()
    try:
        report = start(config, nullcontext(view)).report.to_json()
    except PipelineError as error:
        message = str(error)
    ended = time.monotonic()
    return {
        "report": report,
        "error": message,
        "states": view.states,
        "text": view.text.getvalue(),
        "seconds": ended - begun,
        "seconds_after_nodes": ended - view.last_node_ended,
    }


def main() -> None:
    root = Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    for settings in json.load(sys.stdin):
        sys.stdout.write(json.dumps(run(root, settings)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
