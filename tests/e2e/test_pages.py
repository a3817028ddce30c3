"""The pages that `pipeline ui` and `pipeline tensorboard` open for the runs."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.helpers.e2e_workspace import TIMEOUT_SECONDS, Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@contextmanager
def page(workspace: Workspace, command: str) -> Iterator[str]:
    """Starts the server of a page, waits until it responds, and yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    process = subprocess.Popen(
        workspace.command(command, f"--port={port}"),
        cwd=workspace.project_dir,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + TIMEOUT_SECONDS / 2
        while not answers(address):
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    """Whether a server responds there."""
    try:
        with urllib.request.urlopen(address) as reply:  # the loopback address from above
            return bool(reply.status == 200)
    except urllib.error.URLError:
        return False


def test_ui_shows_the_runs_of_the_same_store(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    with page(workspace, "ui") as address:
        query = f"{address}/api/2.0/mlflow/runs/get?run_id={first_run['mlflow_run_id']}"
        with urllib.request.urlopen(query) as reply:
            run = json.load(reply)["run"]
    assert run["info"]["status"] == "FINISHED"


def test_tensorboard_shows_curves_of_last_training(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    with page(workspace, "tensorboard") as address:
        deadline = time.monotonic() + TIMEOUT_SECONDS / 2
        curves: dict[str, Any] = {}
        while not {".", "eval"} <= curves.keys() and time.monotonic() < deadline:
            with urllib.request.urlopen(f"{address}/data/plugin/scalars/tags") as reply:
                curves = json.load(reply)
    assert {"loss", "accuracy", "global_step/sec"} <= curves["."].keys()
    assert {"loss", "accuracy"} <= curves["eval"].keys()
