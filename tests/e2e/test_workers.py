"""Runs whose data Beam processes in worker processes."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.helpers.e2e_workspace import Workspace, settings, states, wait_for
from tests.helpers.paths import PROJECT_DIR

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

IRIS = (PROJECT_DIR / "data" / "iris" / "iris.csv").read_text().splitlines()
WORKERS = "beam.args=[--direct_running_mode=multi_processing, --direct_num_workers=2]"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The rows of Iris in three files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(3):
        rows = (IRIS[0], *IRIS[1 + number :: 3])
        (folder / f"rows-{number}.csv").write_text("".join(f"{row}\n" for row in rows))
    return folder


def test_workers_make_same_model_as_one_process(files: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    alone = workspace.run(*settings(f"data.path={files}"))
    shared = workspace.run(*settings(f"data.path={files}", WORKERS))

    assert states(shared)["CsvExampleGen"] == states(shared)["Evaluator"] == "done"
    assert shared["metrics"] == pytest.approx(alone["metrics"], rel=1e-12)
    chosen = workspace.newest_run().data.tags["beam.chosen"]
    assert "--direct_num_workers=2" in chosen
    assert "in 3 files" in chosen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_interrupted_run(
    number: signal.Signals, files: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    process = workspace.start("run", *settings(f"data.path={files}", WORKERS))
    run = psutil.Process(process.pid)

    def find_workers() -> list[psutil.Process]:
        workers = [child for child in run.children(recursive=True) if _is_worker(child)]
        return workers if len(workers) == 2 else []

    workers = wait_for(find_workers, "the start of workers")
    # A terminal interrupts all processes at once, a supervisor only the one that it started.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == 130
    assert stderr == "error: interrupted in CsvExampleGen\n"
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert workspace.newest_run().info.status == "KILLED"


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("sdk_worker_main" in word for word in process.cmdline())
    except psutil.Error:  # it is ending
        return False
