"""Which Host headers are ours."""

import pytest

from web.guard_host import host_problem


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8421", "localhost.", "127.0.0.1:8421", "127.8.9.1", "[::1]", "[::1]:8421", "::1"]
)
def test_loopback_names_are_ours(host: str) -> None:
    """Whatever the port, a name that can only mean this machine passes."""
    assert host_problem([(b"host", host.encode())], ()) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "[::2]:8421",
        "evil@localhost",
        "localhost:80@evil.example",
        "localhost:x",
        "127.0.0.1:abc",
        "localhost:123456",
        "localhost/evil.example",
        "localhost#",
        "localhost evil.example",
        "[::1]evil.example",
        "[::1",
        "\xff",
    ],
)
def test_strangers_names_are_not(host: str) -> None:
    """A name that could be pointed at us from elsewhere is refused until it is configured."""
    found = host_problem([(b"host", host.encode("latin-1"))], ("hooks.example.com",))
    assert found is not None
    assert found.code == "host_unknown"


def test_configured_names_pass_with_any_port() -> None:
    """An entry of page.hosts counts by its name, whatever its case or port."""
    for host in (b"hooks.example.com", b"HOOKS.example.com:9000"):
        assert host_problem([(b"host", host)], ("Hooks.Example.com:8421",)) is None


@pytest.mark.parametrize("headers", [[], [(b"host", b"localhost"), (b"host", b"evil.example")]])
def test_a_host_is_said_exactly_once(headers: list[tuple[bytes, bytes]]) -> None:
    """None, or two, is a sign of smuggling."""
    found = host_problem(headers, ())
    assert found is not None
    assert found.code == "host_missing"
