"""The names that clients may call the server by.

A browser lets a page talk to the host that it came from. A page of `evil.example`, whose name is
then resolved to 127.0.0.1, could use a server that only this machine should reach (DNS rebinding).
Its requests still name `evil.example`.
"""

import ipaddress
from functools import lru_cache

from serving.errors import Code
from serving.http.messages import HttpError
from serving.settings import ServingSettings


class AllowedHosts:
    """The names that requests may have in their header `Host`."""

    def __init__(self, settings: ServingSettings) -> None:
        """Allows those of `serving.hosts`; all, if it is empty and others can reach the server.

        On the loopback interface, `localhost` and the addresses of that interface are allowed too.
        """
        self._names = frozenset(name.lower() for name in settings.hosts)
        self._is_local = _is_loopback(settings.host)

    def check(self, host: str) -> None:
        """Checks the host of a request.

        Args:
            host: Name or address, with or without a port; empty if the client gave none.

        Raises:
            HttpError: 421, if it is not allowed.
        """
        if not host or not (self._is_local or self._names):
            return
        name = _name_of(host)
        if name not in self._names and not (self._is_local and _is_loopback(name)):
            raise HttpError(
                421,
                Code.INVALID_ARGUMENT,
                f"the host {host[:100]!r} is not one of this server: add it to serving.hosts",
            )


@lru_cache(maxsize=256)
def _name_of(host: str) -> str:
    """Returns the name without port, brackets of IPv6, and the dot at its end, in lower case."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.strip("[]").rstrip(".").lower()


@lru_cache(maxsize=256)
def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
