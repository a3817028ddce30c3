"""A state folder and the command line that works on it, as the end-to-end tests use them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

PROJECT_DIR = Path(__file__).resolve().parent.parent.parent
TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Workspace:
    """A state folder and the command line that works on it."""

    root: Path
    project_dir: Path = PROJECT_DIR

    def command(self, *arguments: str) -> list[str]:
        """Gives the command line of `pipeline`, its state here, its code that of `project_dir`."""
        return [sys.executable, "-m", "pipeline", *arguments, "--set", f"paths.root={self.root}"]

    def call(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.project_dir,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Runs the pipeline, which must end well, and gives its JSON object."""
        done = self.call("run", "--json", *arguments, env=env)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def mlflow(self) -> MlflowClient:
        """Opens the state folder's MLflow store."""
        return MlflowClient(f"sqlite:///{self.root}/mlflow.db")

    def newest_run(self) -> Run:
        """Gives the MLflow run that began last."""
        client = self.mlflow()
        experiment = client.get_experiment_by_name("iris")
        runs = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])
        newest: Run = runs[0]
        return newest

    def versions(self) -> list[str]:
        """Lists what lies in the serving folder."""
        return sorted(path.name for path in (self.root / "serving" / "iris").iterdir())


def states(report: Mapping[str, Any]) -> dict[str, str]:
    """Gives the state of each node of a run."""
    return {node["id"]: node["state"] for node in report["nodes"]}


def ran(report: Mapping[str, Any]) -> set[str]:
    """Names the nodes of a run that did not come from the cache."""
    return {node for node, state in states(report).items() if state != "cached"}
