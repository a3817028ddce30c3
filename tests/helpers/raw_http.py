"""Raw HTTP: requests that no client library sends, and clients that notice a lost response."""

import json
import socket
import threading

HEAD_END = b"\r\n\r\n"


def post(path: str, body: bytes, *headers: str) -> bytes:
    """Makes a POST request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + HEAD_END + body


def read_response(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Reads a response: status, headers, body.

    Raises:
        ConnectionError: If it is incomplete.
    """
    data = b""
    while HEAD_END not in data:
        data += _receive(connection)
    head, _, body = data.partition(HEAD_END)
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _receive(connection)
    return int(first.split()[1]), headers, body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(2**16)
    if not data:
        raise ConnectionError("closed before the end of the response")
    return data


def ask(port: int, request: bytes, seconds: float = 30) -> tuple[int, dict[str, str], bytes]:
    """Sends a request on a new connection and returns the response."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.sendall(request)
        return read_response(connection)


def is_closed(connection: socket.socket) -> bool:
    """Returns whether the server closes the connection within the socket's timeout."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


class Clients:
    """Threads that send requests over kept-alive connections until the server is gone.

    Attributes:
        n_answers: Number of complete, correct responses.
        faults: Errors and wrong responses on established connections.
    """

    def __init__(self, port: int, path: str, n_clients: int = 8) -> None:
        self._port = port
        self._path = path
        self._lock = threading.Lock()
        self.n_answers = 0
        self.faults: list[str] = []
        self._threads = [threading.Thread(target=self._work, args=[n]) for n in range(n_clients)]
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float = 60) -> None:
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive()

    def _work(self, number: int) -> None:
        request = post(self._path, json.dumps({"instances": [float(number)]}).encode())
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self._port), 30)
            except OSError:
                return
            with connection:
                is_open = True
                while is_open:
                    try:
                        connection.sendall(request)
                        status, headers, body = read_response(connection)
                    except OSError as error:
                        with self._lock:
                            self.faults.append(repr(error))
                        break
                    is_right = status == 200 and json.loads(body) == {
                        "predictions": [number / 2 + 2]
                    }
                    with self._lock:
                        self.n_answers += is_right
                        if not is_right:
                            self.faults.append(f"{status} {body!r}")
                    is_open = headers.get("connection") != "close"
