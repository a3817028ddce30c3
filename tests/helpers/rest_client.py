"""JSON requests to the REST interface of a server."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

from tests.helpers.served_models import ServerThread


def connect(server: ServerThread) -> http.client.HTTPConnection:
    """Makes a connection, which opens with the first request."""
    return http.client.HTTPConnection("127.0.0.1", server.server.rest_port, timeout=60)


def send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    **headers: str,
) -> tuple[http.client.HTTPResponse, bytes]:
    """Sends a request, with a body of bytes, an iterator of bytes, or a JSON document.

    Returns:
        The response and its body.
    """
    if body is not None and not isinstance(body, bytes | Iterator):
        body = json.dumps(body).encode()
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response, response.read()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    """Sends a request, checks the headers of the response, and returns its status and JSON."""
    response, text = send(connection, method, path, body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    return response.status, json.loads(text)
