"""Servers on the loopback interface: MLflow, PostgreSQL, a password proxy, and broken ones."""

import base64
import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

_START_SECONDS = 120
_LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Finds a free port."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        return int(listener.getsockname()[1])


# MLflow's own server


@dataclass
class MlflowServer:
    """A tracking server.

    Attributes:
        store_uri: URI of the store with its runs.
        folder: Folder of artifacts and log.
        url: Address of the server.
    """

    store_uri: str
    folder: Path
    url: str = ""
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Starts the server, again at the same address; waits up to twenty seconds for it."""
        self.url = self.url or f"http://{_LOOPBACK}:{free_port()}"
        self.folder.mkdir(parents=True, exist_ok=True)
        log_path = self.folder / "server.log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env={
                    **os.environ,
                    "MLFLOW_DISABLE_TELEMETRY": "true",
                    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # processes that no test needs
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_up():
            assert self._process.poll() is None, log_path.read_text()[-2000:]
            assert time.monotonic() < deadline, log_path.read_text()[-2000:]
            time.sleep(0.2)

    def _command(self) -> list[str]:
        artifacts = self.folder / "artifacts"
        port = self.url.rpartition(":")[2]
        return [
            *(sys.executable, "-m", "mlflow", "server", "--workers=1"),
            *("--host", _LOOPBACK, "--port", port),
            *("--backend-store-uri", self.store_uri, "--artifacts-destination", str(artifacts)),
        ]

    def _is_up(self) -> bool:
        with suppress(OSError), urlopen(f"{self.url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def kill(self) -> None:
        """Kills the server with SIGKILL."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all processes of the server."""
        assert self._process is not None
        os.killpg(self._process.pid, number)


@contextmanager
def mlflow_server(folder: Path, store_uri: str | None = None) -> Iterator[MlflowServer]:
    """Runs a tracking server, by default on a new SQLite file."""
    server = MlflowServer(store_uri or f"sqlite:///{folder}/mlflow.db", folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


# a proxy that asks for user and password


@contextmanager
def password_proxy(url: str, user: str, password: str) -> Iterator[str]:
    """Runs a proxy with basic authentication in front of a server, and yields its address."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Authorization") != expected:
                self._answer(401, {"WWW-Authenticate": "Basic"}, b"who are you?")
                return
            connection = http.client.HTTPConnection(url.removeprefix("http://"))
            hop = {"host", "connection", "content-length", "accept-encoding", "transfer-encoding"}
            headers = {k: v for k, v in self.headers.items() if k.lower() not in hop}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in hop}
            self._answer(answer.status, kept, answer.read())
            connection.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with _serving(Handler) as address:
        yield address


# broken servers


@contextmanager
def failing_server() -> Iterator[str]:
    """Runs a server that answers every request with status 500, and yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_error(500)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with _serving(Handler) as address:
        yield address


@contextmanager
def silent_server() -> Iterator[str]:
    """Listens on a port without ever answering, and yields its address."""
    with socket.create_server((_LOOPBACK, 0), backlog=128) as listener:
        yield f"http://{_LOOPBACK}:{listener.getsockname()[1]}"


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer((_LOOPBACK, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{_LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# PostgreSQL


def find_postgresql() -> Path | None:
    """Finds the programs of the newest PostgreSQL that is installed; None if there is none."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """Runs a PostgreSQL server on a socket in a new folder, and yields its URI for MLflow.

    PostgreSQL refuses to run as root; then it is run as the user `postgres`.
    """
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    try:
        subprocess.run(
            [programs / "initdb", "--no-locale", "-E", "UTF8", "-A", "trust", "-U", "mlflow", data],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=folder,
            **who,
        )
        try:
            _wait_for_postgresql(programs, folder, process)
            yield f"postgresql://mlflow@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGINT)  # ends it at once and in good order
            process.wait(30)
    finally:
        shutil.rmtree(folder)


def _wait_for_postgresql(programs: Path, folder: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder]).returncode != 0:
        assert process.poll() is None, "PostgreSQL ended"
        assert time.monotonic() < deadline, "PostgreSQL does not start"
        time.sleep(0.1)
