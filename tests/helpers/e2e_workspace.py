"""A state folder and the command line that works on it, for the end-to-end tests."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.helpers.paths import PROJECT_DIR

TIMEOUT_SECONDS = 600
LONG_STEPS = 20_000
CHECKPOINT_STEPS = 1000


@dataclass(frozen=True)
class Workspace:
    """A state folder and the command line that works on it."""

    root: Path
    project_dir: Path = PROJECT_DIR

    def command(self, *arguments: str) -> list[str]:
        """Returns a command line of `pipeline` with this state folder."""
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
        """Runs the pipeline, which must succeed, and returns its JSON object."""
        done = self.call("run", "--json", *arguments, env=env)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def run_many(
        self, runs: Sequence[Sequence[str]], timeout: float = TIMEOUT_SECONDS
    ) -> list[dict[str, Any]]:
        """Runs the pipeline once for each list of settings, all in one process.

        Returns:
            What `many_runs.py` prints about each.
        """
        done = subprocess.run(
            [sys.executable, PROJECT_DIR / "tests" / "e2e" / "many_runs.py", self.root],
            cwd=self.project_dir,
            env={**os.environ, "PYTHONPATH": str(self.project_dir)},
            input=json.dumps(runs),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == len(runs), done.stderr[-2000:]
        return results

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Starts a command in a new session, so that signals reach it alone."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.project_dir,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start_training(
        self, seed: int, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Starts a run whose training is long, and waits until it has a checkpoint."""
        checkpoints = self.root / "pipeline_root/iris/Trainer/model_run/unfinished"
        before = set(checkpoints.glob("*"))
        process = self.start("run", *long_training(seed), *arguments, env=env)

        def has_checkpoint() -> bool:
            # A checkpoint is named once it is whole; that of step 0 does not count.
            named = [path for path in checkpoints.glob("*/checkpoint") if path.parent not in before]
            return any('ckpt-0"' not in path.read_text().splitlines()[0] for path in named)

        wait_for(has_checkpoint, "the first checkpoint")
        return process

    def mlflow(self) -> MlflowClient:
        """Opens the state folder's MLflow store."""
        return MlflowClient(f"sqlite:///{self.root}/mlflow.db")

    def newest_run(self) -> Run:
        """Returns the MLflow run that began last."""
        client = self.mlflow()
        experiment = client.get_experiment_by_name("iris")
        runs = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])
        newest: Run = runs[0]
        return newest

    def versions(self) -> list[str]:
        """Lists the versions in the serving folder."""
        folder = self.root / "serving" / "iris"
        return sorted(path.name for path in folder.iterdir() if path.name.isdecimal())


@dataclass(frozen=True)
class FirstState:
    """The stores of a state folder in which one run has ended.

    Attributes:
        folder: Has `metadata.sqlite` and `mlflow.db`, but not the artifacts.
    """

    folder: Path

    @property
    def store_uri(self) -> str:
        """The URI of the MLflow store."""
        return f"sqlite:///{self.folder}/mlflow.db"

    def copy(self, root: Path) -> Workspace:
        """Makes a state folder with the MLMD of the run, no MLflow store and no pushed model."""
        root.mkdir(parents=True)
        shutil.copyfile(self.folder / "metadata.sqlite", root / "metadata.sqlite")
        return Workspace(root)


def settings(*pairs: str) -> list[str]:
    """Returns the arguments that change settings, `KEY=VALUE` each."""
    return [word for pair in pairs for word in ("--set", pair)]


def long_training(seed: int) -> list[str]:
    """Returns the settings of a training long enough to interrupt, different for each seed."""
    return settings(
        f"model.seed={seed}",
        f"train.steps={LONG_STEPS}",
        f"train.eval_every_steps={CHECKPOINT_STEPS}",
    )


def wait_for(condition: Callable[[], Any], what: str, seconds: float = TIMEOUT_SECONDS / 2) -> Any:
    """Polls a condition until its value is true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def states(report: Mapping[str, Any]) -> dict[str, str]:
    """Returns the state of each node of a run."""
    return {node["id"]: node["state"] for node in report["nodes"]}


def ran(report: Mapping[str, Any]) -> set[str]:
    """Returns the nodes of a run that did not come from the cache."""
    return {node for node, state in states(report).items() if state != "cached"}
