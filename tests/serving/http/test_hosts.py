"""Names by which clients may call the server."""

import pytest

from serving.http.hosts import AllowedHosts
from serving.http.messages import HttpError
from serving.settings import ServingSettings


def _is_allowed(asked: str, **settings: object) -> bool:
    hosts = AllowedHosts(ServingSettings.model_validate(settings))
    try:
        hosts.check(asked)
    except HttpError:
        return False
    return True


def test_refused_name_is_told() -> None:
    with pytest.raises(HttpError, match="the host 'evil:1' is not one of this server") as refused:
        AllowedHosts(ServingSettings()).check("evil:1")

    assert refused.value.status == 421


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8501",
        "localhost.",
        "127.0.0.1:80",
        "127.1.2.3",
        "[::1]:8501",
        "[::1]",
        "",
    ],
)
def test_loopback_server_has_its_own_names(host: str) -> None:
    assert _is_allowed(host)
    assert _is_allowed(host, host="::1")
    assert _is_allowed(host, host="localhost", hosts=["proxy.example"])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
    ],
)
def test_loopback_server_refuses_other_names(host: str) -> None:
    assert not _is_allowed(host)
    assert not _is_allowed(host, hosts=["proxy.example"])


def test_configured_names_are_allowed() -> None:
    assert _is_allowed("Proxy.example:443", hosts=["proxy.Example"])
    assert _is_allowed("proxy.example", host="0.0.0.0", hosts=["proxy.example"])
    assert not _is_allowed("localhost", host="0.0.0.0", hosts=["proxy.example"])


def test_server_of_all_interfaces_takes_any_name() -> None:
    assert _is_allowed("anything.example", host="0.0.0.0")
