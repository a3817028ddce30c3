"""The command `pipeline serve` as a process."""

import re
import signal
import subprocess
import sys
import threading

from tests.helpers.paths import PROJECT_DIR

COMMAND = [sys.executable, "-m", "pipeline", "serve", "--rest-port", "0", "--grpc-port", "0"]


class ServerProcess:
    """A running server process: `with ServerProcess("--model", ...) as server`.

    Attributes:
        log: Lines of its standard error.
        output: Lines of its standard output.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=PROJECT_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self.output: list[str] = []
        self._is_ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=[self.process.stderr, self.log]),
            threading.Thread(target=self._read, args=[self.process.stdout, self.output]),
        ]

    def __enter__(self) -> "ServerProcess":
        for reader in self._readers:
            reader.start()
        is_ready = self._is_ready.wait(120) and self.process.poll() is None
        if not is_ready:
            self.process.kill()
        assert is_ready, self.log
        text = "\n".join(self.log)
        self.rest_port = int(re.search(r"page and REST: .*:(\d+)/", text)[1])  # type: ignore[index]
        self.grpc_address = re.search(r"gRPC: (.*)", text)[1]  # type: ignore[index]
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        for reader in self._readers:
            reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join(10)
        return code

    def _read(self, stream: object, lines: list[str]) -> None:
        for line in stream:  # type: ignore[attr-defined]
            lines.append(line.rstrip("\n"))
            if line == "ready\n":
                self._is_ready.set()
        self._is_ready.set()
