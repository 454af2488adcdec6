"""A corporate network: an HTTP proxy on the way out, a private authority, and words for whatever keeps the agent in."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from appliance.agent_role import AgentRole
from store.log import Filter
from tests.appliance.agents import agent_over, apply
from tests.appliance.corporate import Corporate, corporate
from tests.appliance.stage import until, until_async
from tests.web.proxy.kit import Site, proxy_over

pytestmark = pytest.mark.anyio

OUTSIDE = "proxy.example.net"  # a name that only the corporate proxy can look up
AGENT = """
[agent]
mode = "proxy"
[retention]
free_disk = "0B"
[[touchpoint]]
name = "orders"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://127.0.0.1:1/"
"""


class Network:
    """A hosted proxy by TLS whose certificate is a private authority's."""

    def __init__(self, folder: Path, port: int) -> None:
        self.authority = trustme.CA()
        self.port = port
        self._folder = folder
        self._certificate = self.authority.issue_cert(OUTSIDE, "127.0.0.1")
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca))

    @asynccontextmanager
    async def hosted(self) -> AsyncIterator[Site]:
        """The hosted proxy."""
        chain, key = self._folder / "chain.pem", self._folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in self._certificate.cert_chain_pems))
        self._certificate.private_key_pem.write_to_path(str(key))
        paths = f"tls_certificate = '{chain}'\ntls_key = '{key}'\n"
        async with proxy_over(self._folder / "proxy", self.port, settings=paths) as site:
            yield site

    def tls(self) -> ssl.SSLContext:
        """A context for a server of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context

    async def post(self, path: str) -> int:
        """Post as a sender does."""
        trusting = ssl.create_default_context()
        self.authority.configure_trust(trusting)
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            return (await client.post(f"https://127.0.0.1:{self.port}{path}", content=b"{}")).status_code


@pytest.fixture
def network(tmp_path: Path, free_port: Callable[[], int]) -> Network:
    return Network(tmp_path, free_port())


async def paired(agent: AgentRole, site: Site, url: str) -> None:
    """Pair, and wait until it pulls."""
    assert (await apply(agent, AGENT)).problems == ()
    await agent.proxy.pair(await site.organisation("acme"), url, name="front", actor="ann")
    await until(lambda: agent.proxy.standing().state == "connected")


async def gets_an_event(agent: AgentRole, network: Network) -> None:
    """What is posted to its endpoint URL comes in, without waiting for a poll's end."""
    await until(lambda: bool(agent.proxy.endpoint_urls))
    (url,) = agent.proxy.endpoint_urls.values()
    path = url[url.index("/acme/") :]

    async def posted() -> bool:
        return await network.post(path) == 200

    async def came() -> bool:
        return bool(await agent._desk.log().events(Filter(), limit=1))

    await until_async(posted)  # the declaration may be on its way
    await until_async(came)


@pytest.mark.parametrize("encrypted", [False, True], ids=["by-http", "by-tls"])
async def test_pairing_and_pulling_go_through_the_corporate_proxy(
    network: Network, encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its password; the way to it may be encrypted, too; both certificates are a private authority's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(network.ca))
    tls = network.tls() if encrypted else None
    async with network.hosted() as site, corporate(OUTSIDE, password="me:p@ss", tls=tls) as way:
        environment = {"HTTPS_PROXY": f"{'https' if encrypted else 'http'}://me:p%40ss@127.0.0.1:{way.port}"}
        async with agent_over(tmp_path / "agent", environment=environment) as agent:
            await paired(agent, site, f"https://{OUTSIDE}:{network.port}")
            await gets_an_event(agent, network)
        assert set(way.tunnels) == {f"{OUTSIDE}:{network.port}"}
        assert way.refused == 0


async def test_what_is_excepted_goes_straight(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY: no tunnel is asked for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(network.ca))
    async with network.hosted() as site, corporate(OUTSIDE) as way:
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{way.port}", "NO_PROXY": "127.0.0.0/8"}
        async with agent_over(tmp_path / "agent", environment=environment) as agent:
            await paired(agent, site, f"https://127.0.0.1:{network.port}")
            await gets_an_event(agent, network)
        assert way.tunnels == []


async def test_what_keeps_it_in_is_said_and_ends_by_itself(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority that is not known, a password that is wanted, tunnels that are cut: in words, and without a password."""
    async with network.hosted() as site, corporate(OUTSIDE, password="me:hush") as way:
        right = {"HTTPS_PROXY": f"http://me:hush@127.0.0.1:{way.port}"}
        url = f"https://{OUTSIDE}:{network.port}"
        monkeypatch.setenv("SSL_CERT_FILE", str(network.ca))
        async with agent_over(tmp_path / "agent", environment=right) as agent:
            await paired(agent, site, url)
        assert await _kept_in(tmp_path, {"HTTPS_PROXY": f"http://127.0.0.1:{way.port}"}) == "proxy_corporate"
        monkeypatch.delenv("SSL_CERT_FILE")
        assert await _kept_in(tmp_path, right) == "proxy_tls"
        monkeypatch.setenv("SSL_CERT_FILE", str(network.ca))
        async with agent_over(tmp_path / "agent", environment=right) as agent:
            await _while_gone(agent, way)


async def _kept_in(folder: Path, environment: dict[str, str]) -> str:
    async with agent_over(folder / "agent", environment=environment) as agent:
        await until(lambda: agent.proxy.standing().state == "down")
        problem = agent.proxy.standing().problem
    assert problem is not None
    assert "hush" not in str(problem)
    return problem.code


async def _while_gone(agent: AgentRole, way: Corporate) -> None:
    """Every tunnel is cut: it comes back by itself, by a new one."""
    await until(lambda: agent.proxy.standing().state == "connected")
    before = len(way.tunnels)
    await way.close()
    await until(lambda: len(way.tunnels) > before and agent.proxy.standing().state == "connected")
