"""The way to the hosts of published keys: no private address, and the outbound proxy where there is one."""

import httpx
import pytest

from appliance.key_client import is_private, open_key_transport
from tests.touchpoints.destinations.raw_server import serving, status
from touchpoints.destinations.errors import NotConnected

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2001:db8::1",
        "no address",
        "",
    ],
)
def test_addresses_that_are_never_called(address: str) -> None:
    """This machine, its network, and all that is reserved: a name may be made to lead there."""
    assert is_private(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "52.94.5.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are_called(address: str) -> None:
    """Of both families."""
    assert not is_private(address)


async def test_a_name_that_leads_to_this_machine_is_not_called() -> None:
    """However well it is pinned."""
    async with serving(status("200 OK")) as server:
        transport = open_key_transport("https://keys.example.com/", {})
        try:
            with pytest.raises(NotConnected) as told:
                await transport.handle_async_request(httpx.Request("GET", f"https://127.0.0.1:{server.port}/"))
        finally:
            await transport.aclose()
        assert told.value.code == "address_refused"
        assert server.connections == 0


async def test_the_outbound_proxy_is_asked() -> None:
    """It may stand in this network: it is the one that looks the name up."""
    async with serving(status("407 Proxy Authentication Required")) as server:
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{server.port}"}
        transport = open_key_transport("https://keys.example.com/", environment)
        try:
            with pytest.raises(httpx.ProxyError, match="407"):
                await transport.handle_async_request(httpx.Request("GET", "https://keys.example.com/"))
        finally:
            await transport.aclose()
        assert b"CONNECT keys.example.com:443" in server.heads[0]


async def test_a_proxy_that_is_none_is_told() -> None:
    """As for every destination."""
    with pytest.raises(ValueError, match=r".+"):
        open_key_transport("https://keys.example.com/", {"https_proxy": "ftp://x"})
