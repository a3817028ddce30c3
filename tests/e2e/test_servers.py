"""Runs tracked by a server over HTTP: one, one with a password, eight at once on PostgreSQL."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.helpers.e2e_workspace import FirstState, Workspace, settings
from tests.helpers.mlflow_servers import (
    MlflowServer,
    find_postgresql,
    mlflow_server,
    password_proxy,
    postgresql,
)
from tests.helpers.mlflow_store import differences, dump

pytestmark = [pytest.mark.e2e, pytest.mark.servers, pytest.mark.timeout(900)]

USER, PASSWORD = "a-user", "not-to-be-seen-anywhere"
RUNS_AT_ONCE = 8
CHEAP = settings("train.steps=40", "evaluation.thresholds.accuracy={min: 0.1}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with mlflow_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_run_on_server_equals_run_on_disk(
    first_state: FirstState, server: MlflowServer, tmp_path: Path
) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    workspace.call("sync", env=on_server(server.url))

    done = workspace.call("run", *CHEAP, "--set", "model.seed=50", env=on_server(server.url))

    assert done.returncode == 0, done.stderr
    assert f"{server.url}/#/experiments/" in done.stdout
    assert not (workspace.root / "mlflow.db").exists()
    assert not (workspace.root / "mlflow-artifacts").exists()
    workspace.call("sync")
    there, on_disk = dump(server.url), dump(f"sqlite:///{workspace.root}/mlflow.db")
    assert len(there["runs"]) == 2
    assert list(differences(there, on_disk)) == []


def on_server(url: str) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": url}


# credentials


class ArgumentWatch:
    """Reads the arguments of all processes repeatedly, as any user of the machine can."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "ArgumentWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:  # it has just ended
                    continue


def files_with(text: str, *folders: Path) -> list[Path]:
    """Finds the files that contain a text."""
    needle = text.encode()
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]


@pytest.mark.parametrize("password", [PASSWORD, "wrong-and-" + PASSWORD], ids=["right", "wrong"])
@pytest.mark.parametrize("place", ["in the URI", "in variables"])
def test_credentials_reach_only_the_server(
    first_state: FirstState, server: MlflowServer, tmp_path: Path, place: str, password: str
) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    experiment = f"password {place}"
    with password_proxy(server.url, USER, PASSWORD) as url, ArgumentWatch() as watch:
        if place == "in the URI":
            env = on_server(url.replace("//", f"//{USER}:{password}@"))
        else:
            env = {
                **on_server(url),
                "MLFLOW_TRACKING_USERNAME": USER,
                "MLFLOW_TRACKING_PASSWORD": password,
            }
        done = workspace.call("run", *settings(f"mlflow.experiment={experiment}"), env=env)

    assert done.returncode == 0, done.stderr
    assert ("not tracked in MLflow: " in done.stdout) == (password != PASSWORD)
    if password == PASSWORD:
        client = MlflowClient(server.url)
        found = client.get_experiment_by_name(experiment)
        (run,) = client.search_runs([found.experiment_id])
        assert "tfx.tracked" in run.data.tags
    assert PASSWORD not in done.stdout + done.stderr
    assert files_with(PASSWORD, workspace.root, server.folder) == []
    assert any(b"tracking" in arguments for arguments in watch.seen)
    assert not any(PASSWORD.encode() in arguments for arguments in watch.seen)


# PostgreSQL


@pytest.fixture(scope="module")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A tracking server on PostgreSQL."""
    programs = find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with ExitStack() as stack:
        store_uri = stack.enter_context(postgresql(programs))
        folder = tmp_path_factory.mktemp("postgresql")
        yield stack.enter_context(mlflow_server(folder, store_uri))


def test_eight_simultaneous_runs_on_postgresql(
    first_state: FirstState, postgresql_server: MlflowServer, tmp_path: Path
) -> None:
    url = postgresql_server.url
    workspaces = [first_state.copy(tmp_path / f"artifacts-{n}") for n in range(RUNS_AT_ONCE)]

    outputs = run_at_once(workspaces, url)

    for output in outputs:
        assert f"{url}/#/experiments/" in output
    stored = dump(url)
    assert list(stored["experiments"]) == ["iris"]
    assert len(stored["runs"]) == RUNS_AT_ONCE
    for run in stored["runs"].values():
        assert run["status"] == "FINISHED"
        assert run["tags"]["tfx.tracked"] == "complete"
    model = stored["registered models"]["iris"]
    assert sorted(model["versions"]) == [str(n) for n in range(1, RUNS_AT_ONCE + 1)]
    assert {version["run"] for version in model["versions"].values()} == stored["runs"].keys()
    assert model["aliases"].keys() == {"champion", "challenger"}
    for workspace in workspaces[::4]:
        assert missing(workspace, stored) == []


def run_at_once(workspaces: Sequence[Workspace], url: str) -> list[str]:
    """Runs the pipeline in all state folders at the same time, and returns their outputs."""
    processes: list[subprocess.Popen[str]] = [
        workspace.start("run", *CHEAP, *settings(f"model.seed={seed}"), env=on_server(url))
        for seed, workspace in enumerate(workspaces, 60)
    ]
    results = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, results, strict=True):
        assert process.returncode == 0, errors
    return [output for output, _ in results]


def missing(workspace: Workspace, stored: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    """Returns what a store lacks of the last run of a state folder, compared with a new store."""
    workspace.call("sync")
    rebuilt = dump(f"sqlite:///{workspace.root}/mlflow.db")["runs"]
    last = max(rebuilt)
    found = differences(rebuilt[last], stored["runs"][last])
    return [line for line in found if not line.startswith("/tags/model_version")]
