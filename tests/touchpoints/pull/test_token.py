"""Tokens and endpoint URLs: one way to write each, and nothing else is one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.chance import chance
from tests.touchpoints.pull.values import DOMAINS, NAMES
from touchpoints.pull.token import EndpointPath, endpoint_path, endpoint_url, new_token, split_path, token_digest

TOKEN = new_token(chance("token"))
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=32, max_size=32)


def test_tokens_are_drawn() -> None:
    """160 bits, 32 characters, known by their hash."""
    draw = chance("tokens")
    tokens = {new_token(draw) for _ in range(100)}

    assert len(tokens) == 100
    assert set("".join(tokens)) == set("abcdefghijklmnopqrstuvwxyz234567")
    assert {len(token) for token in tokens} == {32}
    assert token_digest(TOKEN) == hashlib.sha256(TOKEN.encode()).digest()


@given(DOMAINS, NAMES, TOKENS)
def test_urls_lead_back(domain: str, touchpoint: str, token: str) -> None:
    """By path, and by host where the proxy has wildcard DNS; there the path still works, too."""
    found = EndpointPath(domain, touchpoint, token)
    path = endpoint_path(domain, touchpoint, token)
    url = endpoint_url("https://proxy.example.net:8430/", domain, touchpoint, token, wildcard=True)
    host, _, short = url.removeprefix("https://").partition("/")

    assert (
        endpoint_url("https://proxy.example.net", domain, touchpoint, token, wildcard=False)
        == f"https://proxy.example.net{path}"
    )
    assert split_path(path.encode(), b"anything") == found
    assert split_path(path.encode(), b"proxy.example.net", proxy_host=b"proxy.example.net") == found
    assert split_path(f"/{short}".encode(), host.encode(), proxy_host=b"proxy.example.net") == found
    assert split_path(f"/{short}".encode(), host.upper().encode(), proxy_host=b"proxy.example.net") == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        f"/acme/orders/{TOKEN}/",
        f"/acme/orders/{TOKEN}?a",
        f"//acme/orders/{TOKEN}",
        f"/acme//{TOKEN}",
        f"/acme/orders/{TOKEN}\n",
        f"/acme/orders/{TOKEN[:-1]}",
        f"/acme/orders/{TOKEN}a",
        f"/acme/orders/{TOKEN.upper()}",
        f"/Acme/orders/{TOKEN}",
        f"/acme/%6frders/{TOKEN}",
        f"/acme/orders/../orders/{TOKEN}",
        f"/ab/orders/{TOKEN}",
        f"/-acme/orders/{TOKEN}",
        f"/acme-/orders/{TOKEN}",
        f"/ac_me/orders/{TOKEN}",
        f"/{'a' * 64}/orders/{TOKEN}",
        f"/acme/{'a' * 65}/{TOKEN}",
        f"/acme/_orders/{TOKEN}",
        f"acme/orders/{TOKEN}",
        f"/orders/{TOKEN}",
        f"/v1/acme/orders/{TOKEN}",
    ],
)
def test_what_is_no_endpoint(path: str) -> None:
    """Nothing is decoded, mended or forgiven."""
    assert split_path(path.encode(), b"proxy.example.net", proxy_host=b"proxy.example.net") is None
    assert split_path(path.encode(), b"") is None


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"proxy.example.net",
        b".proxy.example.net",
        b"a.acme.proxy.example.net",
        b"acmeproxy.example.net",
        b"acme.proxy.example.net.evil.example",
        b"acme.proxy.example.net:x",
        b"ac_me.proxy.example.net",
        b"a" * 100_000 + b".proxy.example.net",
        b"\xff.proxy.example.net",
    ],
)
def test_what_is_no_organisations_host(host: bytes) -> None:
    """The short path is nobody's there."""
    assert split_path(f"/orders/{TOKEN}".encode(), host, proxy_host=b"proxy.example.net") is None


def test_the_host_decides_alone() -> None:
    """On an organisation's own host no other one's path is answered; without wildcard DNS the host says nothing."""
    path = f"/acme/orders/{TOKEN}".encode()

    assert split_path(path, b"other.proxy.example.net", proxy_host=b"proxy.example.net") is None
    assert split_path(path, b"acme.proxy.example.net", proxy_host=b"proxy.example.net") is None
    assert split_path(path, b"acme.proxy.example.net") == EndpointPath("acme", "orders", TOKEN)
    assert split_path(f"/orders/{TOKEN}".encode(), b"acme.proxy.example.net") is None


@given(st.binary(max_size=120), st.binary(max_size=60))
def test_any_request_is_read_or_nobodys(path: bytes, host: bytes) -> None:
    """Nothing is raised."""
    assert split_path(path, host, proxy_host=b"proxy.example.net") is None
