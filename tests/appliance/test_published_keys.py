"""Published keys wherever a request is judged beside the listener: pulled, asked, verified again, rehearsed."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from appliance import key_holder
from appliance.deeds import Deeds
from appliance.hops import pull_judge
from appliance.ids import new_id
from appliance.key_patience import KeyPatience
from appliance.rehearsal import Rehearsal
from store.log import Filter
from tests.appliance.agents import agent_over, apply, direct
from tests.appliance.hops.puller import puller
from tests.appliance.hops.scripted_proxy import ScriptedProxy
from tests.appliance.stage import FakeClock, Stage, destination, stage, until, until_async
from tests.touchpoints.factory import NOW, URL
from tests.touchpoints.keys import certificate, ec_key, rsa_key, signature
from tests.touchpoints.verifiers import test_paypal as paypal
from tests.web.listener.key_stand import PLACE, RIGHT, KeyStand, keyed
from touchpoints.event import Headers, Verdict
from web.listener.endpoint import Directory, Endpoint

pytestmark = pytest.mark.anyio

BODY = b'{"id":1}'
REFUSED = Filter(state="refused", tests=True)


def signed(body: bytes = BODY, name: bytes = b"one") -> Headers:
    return ((b"x-sig", base64.b64encode(signature("ecdsa-sha256", ec_key(), body))), (b"x-key", name))


async def test_pulled_events_are_judged_by_keys_that_are_fetched(tmp_path: Path) -> None:
    """Without them they are kept, refused by the reason, and can be verified again; one batch waits a bounded time in all."""
    proxy, stand = ScriptedProxy(), KeyStand()
    proxy.post(1, 2, body=BODY, headers=signed())
    proxy.post(3, body=BODY, headers=signed(name=b"new"))
    async with puller(tmp_path, proxy, "one", keyed(), published=stand) as agent:
        await until_async(lambda: _has(agent, 3))
        assert await agent.stored() == dict.fromkeys((1, 2, 3), (Verdict.REFUSED, "key_unavailable"))
        assert all(seconds <= pull_judge.KEY_PATIENCE for seconds in stand.patience)
        stand.to_be_had = {PLACE: RIGHT}
        proxy.post(4, body=BODY, headers=signed())
        proxy.post(5, body=BODY, headers=signed(name=b"new"))
        await agent.has(4)
        await until_async(lambda: _has(agent, 5))
        assert (await agent.stored())[5] == (Verdict.REFUSED, "key_unknown")


async def test_many_requests_wait_a_bounded_time_in_all() -> None:
    """When it is over, nobody waits."""
    assert KeyPatience(0).left == 0
    assert 0 < KeyPatience(1000).left <= 1000


async def _has(agent: Any, number: int) -> bool:
    return number in await agent.stored()


async def test_an_ask_waits_for_keys_less_long_than_its_sender(tmp_path: Path) -> None:
    """A signed handshake is answered once the key is there."""
    proxy, stand = ScriptedProxy(), KeyStand(RIGHT)
    challenge = b'{"type":"url_verification","challenge":"abc"}'
    touchpoint = keyed(handshake="json_challenge:url_verification", secrets=("x",))
    async with puller(tmp_path, proxy, "one", touchpoint, published=stand) as agent:
        await until(lambda: bool(proxy.pulls))
        proxy.ask("a", challenge, signed(challenge))
        await until(lambda: len(proxy.replies) == 1)
        assert (proxy.replies[0].status, proxy.replies[0].body) == (200, b"abc")
        assert sum(stand.patience) < 3
        assert await agent.stored() == {}


async def _refused(play: Stage) -> None:
    fields: dict[str, Any] = {"verdict": Verdict.REFUSED, "reason": "key_unavailable", "received_at": play.clock.now()}
    await play.put(1, body=BODY, headers=signed(), **fields)


async def test_refused_events_are_verified_again_once_the_key_is_to_be_had(tmp_path: Path) -> None:
    """Then they run."""
    stand = KeyStand()
    async with stage(tmp_path, keyed(destinations=(destination(),))) as play:
        await _refused(play)
        deeds = Deeds(
            actions=play.file.actions,
            touchpoints=lambda: play.touchpoints,
            url=lambda _, _event: URL,
            now=play.clock.now,
            published=stand,
        )
        assert (await deeds.do("verify", REFUSED, dry_run=False)).changed == 0
        stand.to_be_had = {PLACE: RIGHT}
        assert (await deeds.do("verify", REFUSED, dry_run=True)).changed == 1
        assert (await deeds.do("verify", REFUSED, dry_run=False)).changed == 1
        play.drain.restart()
        await play.settled()
        assert play.sender().numbers == [1]


async def test_a_stored_event_is_tried_by_keys_that_are_fetched(tmp_path: Path) -> None:
    """What it would come to now is said, with the reason while it cannot be told."""
    stand, touchpoint = KeyStand(), keyed(destinations=(destination(),))
    async with stage(tmp_path, touchpoint) as play:
        await _refused(play)
        rehearsal = Rehearsal(
            inbox=play.file.inbox,
            log=play.file.log,
            actions=play.file.actions,
            directory=lambda: Directory(endpoints={"orders": Endpoint(touchpoint=touchpoint, url=URL)}),
            sender=play.lanes.sender,
            url=lambda _, _event: URL,
            wake=play.drain.restart,
            clock=play.clock,
            new_id=new_id,
            published=stand,
        )
        tried = await rehearsal.trial("orders", f"{1:026d}")
        assert tried is not None
        assert (tried["verdict"], tried["reason"]) == ("refused", "key_unavailable")
        stand.to_be_had = {PLACE: RIGHT}
        tried = await rehearsal.trial("orders", f"{1:026d}")
        assert tried is not None
        assert tried["verdict"] == "accepted"


CONFIGURATION = """
[[touchpoint]]
name = "payments"
provider = "paypal"
secrets = ["8PT597110X687430LKGECATA"]
[[touchpoint.destination]]
kind = "http"
url = "http://127.0.0.1:1/"
"""


class Outbound:
    """An outbound proxy that leads every name to one vendor's server: what was asked of it, and of the vendor."""

    def __init__(self, context: ssl.SSLContext, content: bytes) -> None:
        self.context = context
        self.content = content
        self.up = False
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
            if self.up:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await writer.drain()
                await writer.start_tls(self.context)
                self.asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(self.content) + self.content)
            else:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        writer.close()


async def test_a_whole_agent_fetches_a_key_and_takes_the_event(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS to the pinned name, through HTTPS_PROXY; while that is down the sender is told to come again."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("api.paypal.com").configure_cert(context)
    outbound = Outbound(context, certificate(rsa_key()).encode())
    server = await asyncio.start_server(outbound.serve, "127.0.0.1", 0)
    port, clock = free_port(), FakeClock(NOW)
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    async with server, agent_over(tmp_path / "data", environment=environment, clock=clock) as agent:
        await apply(agent, direct(port) + CONFIGURATION)
        async with httpx.AsyncClient() as client:
            sent = partial(
                client.post, f"http://127.0.0.1:{port}/hooks/payments", content=paypal.BODY, headers=[*paypal.sent()]
            )
            answer = await sent()
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
            assert outbound.asked == [b"CONNECT api.paypal.com:443 HTTP/1.1"]
            outbound.up = True
            monkeypatch.setattr(key_holder, "AGAIN", 0)
            assert (await sent()).status_code == 200
            assert outbound.asked[1:] == [
                b"CONNECT api.paypal.com:443 HTTP/1.1",
                b"GET /v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77 HTTP/1.1",
            ]
            assert (await sent()).status_code == 200
            assert len(outbound.asked) == 3
