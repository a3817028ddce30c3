"""Shows the progress of a run: a live table of nodes in a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.run.node_result import NodeResult
from pipeline.run.report import Report
from pipeline.run.report_text import metrics_table, result_lines

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
    """Prints a line when a node starts and when it ends."""

    def __init__(self, console: Console, log_path: Path) -> None:
        """Prints to a console.

        Args:
            console: Where to print.
            log_path: The log file, named at the end of the run.
        """
        self._console = console
        self.log_path = log_path

    def __enter__(self) -> "PlainView":
        """Returns itself; nothing is printed yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Does nothing: lines need no cleaning up."""

    def say(self, sentence: str) -> None:
        """Prints a sentence as it is, without markup or line breaks."""
        self._console.print(Text(sentence), soft_wrap=True)

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        """Prints the id of the run."""
        self.say(f"run {pipeline_run_id}")

    def node_started(self, node_id: str) -> None:
        """Prints that the node is running."""
        self.say(f"{node_id}: running")

    def node_finished(self, result: NodeResult) -> None:
        """Prints how the node ended and how long it took."""
        self.say(f"{result.node_id}: {result.state} in {result.seconds:.1f} s")

    def run_finished(self) -> None:
        """Called after the last node; lines need no closing."""

    def show(self, report: Report) -> None:
        """Prints the results of the run."""
        if report.metrics:
            self._console.print(metrics_table(report))
        for line in result_lines(report):
            self.say(line)
        self.say(f"log: {self.log_path}")


class LiveView(PlainView):
    """Shows a table of all nodes with state and time, which is updated while the run goes on."""

    def __init__(self, console: Console, log_path: Path) -> None:
        """Makes the table, which is shown once the view is entered.

        Args:
            console: Where to show it.
            log_path: The log file, named at the end of the run.
        """
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
        """Shows the table."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops updating the table."""
        self._live.stop()

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        """Prints the id of the run, and lists its nodes as waiting."""
        super().run_started(pipeline_run_id, node_ids)
        self._states = dict.fromkeys(node_ids, ("waiting", 0.0))

    def run_finished(self) -> None:
        """Stops updating the table; later output comes below it."""
        self._live.stop()

    def node_started(self, node_id: str) -> None:
        """Starts the node's clock."""
        self._states[node_id] = ("running", time.monotonic())

    def node_finished(self, result: NodeResult) -> None:
        """Stops the node's clock."""
        self._states[result.node_id] = (result.state, result.seconds)

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 2))
        if not self._states:
            table.add_row(Text("loading TensorFlow and TFX", _STYLES["waiting"]))
        for node_id, (state, number) in self._states.items():
            seconds = time.monotonic() - number if state == "running" else number
            clock = "" if state == "waiting" else f"{seconds:6.1f} s"
            table.add_row(node_id, Text(state, _STYLES[state]), clock)
        return table
