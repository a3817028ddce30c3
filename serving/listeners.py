"""Opening of ports and reading of TLS files, before anything is loaded; no TensorFlow."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.errors import StartError
from serving.settings import ServingSettings, TlsSettings


@dataclass(frozen=True)
class Listeners:
    """Bound sockets that do not listen yet, and the TLS files.

    Attributes:
        rest: Socket bound to the port of REST.
        grpc: Socket bound to the port of gRPC, which reserves it until gRPC opens its own.
        tls: Certificate and key; None without TLS.
    """

    rest: socket.socket
    grpc: socket.socket
    tls: "TlsFiles | None"

    @property
    def rest_port(self) -> int:
        """Port of REST."""
        return int(self.rest.getsockname()[1])

    @property
    def grpc_port(self) -> int:
        """Port of gRPC."""
        return int(self.grpc.getsockname()[1])


@dataclass(frozen=True)
class TlsFiles:
    """The contents of the TLS files.

    Attributes:
        context: Certificate and key for REST.
        certificate: Certificate and its chain for gRPC, PEM.
        key: Private key for gRPC, PEM.
    """

    context: ssl.SSLContext
    certificate: bytes
    key: bytes


@contextmanager
def open_listeners(settings: ServingSettings, *, shared: bool = False) -> Iterator[Listeners]:
    """Binds both ports and reads the TLS files.

    Args:
        settings: Address, ports and TLS files.
        shared: Whether several workers of the same user bind the same ports.

    Raises:
        StartError: If a port is in use or a TLS file cannot be used.
    """
    if settings.rest_port == settings.grpc_port != 0:
        raise StartError(
            f"port {settings.rest_port} is given to both REST and gRPC;"
            " choose another one with --rest-port or --grpc-port"
        )
    tls = _read_tls(settings.tls) if settings.tls else None
    with (
        _bind(settings.host, settings.rest_port, "REST", "--rest-port", shared=shared) as rest,
        _bind(settings.host, settings.grpc_port, "gRPC", "--grpc-port", shared=shared) as grpc,
    ):
        yield Listeners(rest, grpc, tls)


def format_address(host: str, port: int) -> str:
    """Formats host and port as in a URL; an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reserve_port(listener: socket.socket) -> None:
    """Lets workers of this user bind the same port, which was free when it was bound here."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _bind(host: str, port: int, name: str, option: str, *, shared: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"{host}: {error.strerror}; choose another address with --host") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        place = format_address(host, port)
        if error.errno == errno.EADDRINUSE:
            fix = f"choose another one with {option} (0 takes a free one)"
            raise StartError(f"{place}: the {name} port is in use; {fix}") from None
        fix = f"choose another --host or {option}"
        raise StartError(f"{place}: cannot listen there: {error.strerror}; {fix}") from None
    return listener


def _read_tls(settings: TlsSettings) -> TlsFiles:
    contents = []
    for name in ("certificate", "key"):
        path = Path(getattr(settings, name))
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            reason = error.strerror
            raise StartError(f"{path}: serving.tls.{name} cannot be read: {reason}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password, OpenSSL would ask for one at the terminal if the key is encrypted.
        context.load_cert_chain(settings.certificate, settings.key, password="")
    except ssl.SSLError as error:
        reason = (error.reason or "not PEM").replace("_", " ").lower()
        raise StartError(
            f"{settings.certificate}, {settings.key}: serving.tls needs a certificate and its"
            f" private key without a password: {reason}"
        ) from None
    return TlsFiles(context, *contents)
