"""What a run shows while it goes on: a live line per node in a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.run.report import Report
from pipeline.run.report_text import metrics_table, result_lines
from tracking.events import NodeOutcome

_STYLES: Mapping[str, str] = {
    "waiting": "dim",
    "running": "bold cyan",
    "cached": "blue",
    "done": "green",
    "failed": "bold red",
    "killed": "bold red",
}
_REFRESHES_PER_SECOND = 4


class PlainView:
    """A line for each node that starts, and one for each that ends."""

    def __init__(self, console: Console, log_path: Path) -> None:
        """Keeps the console, and the log file to point to."""
        self._console = console
        self.log_path = log_path

    def __enter__(self) -> "PlainView":
        """Begins; nothing is shown yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends."""

    def say(self, sentence: str) -> None:
        """Shows a sentence."""
        self._console.print(Text(sentence), soft_wrap=True)

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        """Names the run."""
        self.say(f"run {pipeline_run_id}")

    def node_started(self, node_id: str) -> None:
        """Says that the node runs."""
        self.say(f"{node_id}: running")

    def node_finished(self, outcome: NodeOutcome) -> None:
        """Says how the node ended and after how long."""
        self.say(f"{outcome.node_id}: {outcome.state} in {outcome.seconds or 0:.1f} s")

    def run_finished(self) -> None:
        """Ends the list of nodes."""

    def show(self, report: Report) -> None:
        """Shows what came out."""
        if report.metrics:
            self._console.print(metrics_table(report))
        for line in result_lines(report):
            self.say(line)
        self.say(f"log: {self.log_path}")


class LiveView(PlainView):
    """A table of all nodes that renews itself: what waits, what runs since when, what is done."""

    def __init__(self, console: Console, log_path: Path) -> None:
        """Makes the table; it is shown on entering."""
        super().__init__(console, log_path)
        self._states: dict[str, tuple[str, float]] = {}
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "LiveView":
        """Begins to show the table."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the table as it stands."""
        self._live.stop()

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        """Lists the nodes."""
        super().run_started(pipeline_run_id, node_ids)
        self._states = dict.fromkeys(node_ids, ("waiting", 0.0))

    def run_finished(self) -> None:
        """Leaves the table as it stands; what is shown next comes below it."""
        self._live.stop()

    def node_started(self, node_id: str) -> None:
        """Starts the node's clock."""
        self._states[node_id] = ("running", time.monotonic())

    def node_finished(self, outcome: NodeOutcome) -> None:
        """Stops the node's clock."""
        self._states[outcome.node_id] = (outcome.state, outcome.seconds or 0)

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 2))
        if not self._states:
            table.add_row(Text("loading TensorFlow and TFX", _STYLES["waiting"]))
        for node_id, (state, number) in self._states.items():
            seconds = time.monotonic() - number if state == "running" else number
            clock = "" if state == "waiting" else f"{seconds:6.1f} s"
            table.add_row(node_id, Text(state, _STYLES[state]), clock)
        return table
