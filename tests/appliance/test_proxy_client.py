"""The client to a hosted proxy goes where the proxy's URL says, and nowhere that somebody else says."""

import httpx
import pytest

from appliance.proxy_client import open_client
from tests.touchpoints.destinations.raw_server import serving, status
from touchpoints.destinations.errors import NotConnected

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("code", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_no_redirect_of_a_proxy_is_followed(code: str) -> None:
    """A pull, its signature and its answers go to nobody else; nor are cookies kept for the next one."""
    async with serving(status("200 OK")) as elsewhere:
        async with (
            serving(status(code, f"Location: {elsewhere.url}", "Set-Cookie: a=b")) as proxy,
            open_client(proxy.url, {}) as client,
        ):
            for _ in range(2):
                answer = await client.post(proxy.url, content=b"{}")
                assert answer.status_code == int(code[:3])
            assert proxy.values(b"cookie") == []
        assert elsewhere.connections == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200"])
async def test_a_proxy_is_never_a_metadata_service(host: str) -> None:
    """Whoever may pair cannot have the agent call one."""
    url = f"https://{host}/v1/pair"
    async with open_client(url, {}) as client:
        with pytest.raises(httpx.TransportError) as error:
            await client.post(url, content=b"{}")
    assert isinstance(error.value, NotConnected)
    assert error.value.code == "address_refused"
