"""What senders post at the proxy: bytes and headers kept, committed before the 2xx, refused in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from tests.web.proxy.kit import MACHINE, Site, proxy_over
from touchpoints.pull.message import Reply

pytestmark = pytest.mark.anyio

# What relays were found to change: escapes, separators, emoji, line ends, marks, doubled keys, numbers, NUL, no UTF-8.
BODIES = [
    b'{"a":"\\u2028\\/"}',
    '{"a":"\u2028"}'.encode(),
    "\U0001f600 \r\n line".encode(),
    b"\xef\xbb\xbf{}",
    b'{"a":1,"a":2}',
    b'{"n":1e400}',
    b"\x00\x00",
    b"\xff\xfe\xfd",
    b"a=1&a=2&b=%20+",
    b"",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_every_byte_arrives_as_it_was_sent(site: Site, body: bytes) -> None:
    """No body is read as anything but bytes, whatever its type says."""
    agent = await site.tenant("acme")
    answer = await site.post(agent, body=body, headers={"content-type": "image/png"})
    assert (answer.status_code, answer.content) == (200, b"")
    [event] = await agent.drain()
    assert event.body == body


async def test_headers_keep_order_doubles_and_bytes_and_the_target_its_query(site: Site) -> None:
    """What was signed over can be verified at the agent; the address of the sender comes along."""
    agent = await site.tenant("acme")
    headers = [(b"x-two", b"1"), (b"x-one", b"\xe9"), (b"x-two", b"2"), (b"content-encoding", b"gzip")]
    url = f"{site.url}{agent.path('orders')}?b=2&a=%2F&b=1"
    await site.http.request("POST", url, content=b"\x1f\x8b not gzip", headers=headers)
    [event] = await agent.drain()
    kept = [(name, value) for name, value in event.headers if name.startswith(b"x-") or name == b"content-encoding"]
    assert kept == [(b"x-two", b"1"), (b"x-one", b"\xe9"), (b"x-two", b"2"), (b"content-encoding", b"gzip")]
    assert event.target.endswith("?b=2&a=%2F&b=1")
    assert (event.method, event.touchpoint, event.remote) == ("POST", "orders", "127.0.0.1")


async def test_chunked_and_large_bodies_are_whole(site: Site) -> None:
    """A body without a length, and the largest one there may be."""
    agent = await site.tenant("acme")

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield bytes([number]) * 1000

    assert (await site.http.post(site.url + agent.path("orders"), content=pieces())).status_code == 200
    large = bytes(range(256)) * (25 * 4096)
    assert (await site.post(agent, body=large)).status_code == 200
    small, whole = await agent.drain()
    assert small.body == b"".join(bytes([number]) * 1000 for number in range(5))
    assert whole.body == large


async def test_a_body_over_the_limit_is_refused_before_it_is_read(site: Site) -> None:
    """Declared or not: 413, and nothing is kept."""
    await site.apply('[server]\nbody = "2KiB"')
    agent = await site.tenant("acme")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield bytes(1000)

    assert (await site.post(agent, body=bytes(2049))).status_code == 413
    assert (await site.http.post(site.url + agent.path("orders"), content=pieces())).status_code == 413
    assert (await site.post(agent, body=bytes(2048))).status_code == 200
    assert len(await agent.drain()) == 1


async def test_a_wrong_method_is_405_and_what_is_declared_is_answered(site: Site) -> None:
    """The agent says which methods, and what an accepted event is answered."""
    agent = await site.join(await site.organisation("acme"))
    await agent.declare("orders", methods=("PUT",), ack="accepted_202")
    assert (await site.post(agent)).status_code == 405
    assert (await site.http.put(site.url + agent.path("orders"), content=b"x")).status_code == 202
    [event] = await agent.drain()
    assert event.method == "PUT"


@pytest.mark.parametrize("place", ["domain", "touchpoint", "token", "disabled", "removed", "short"])
async def test_a_wrong_address_is_one_and_the_same_404(site: Site, place: str) -> None:
    """Whatever is wrong, and whether it exists elsewhere: the same status, headers and body."""
    agent = await site.tenant("acme", "orders", "stock")
    other = await site.tenant("other", "orders")
    path = {
        "domain": agent.path("orders").replace("/acme/", "/other/"),
        "touchpoint": agent.path("orders").replace("/orders/", "/stock/"),
        "token": other.path("orders").replace("/other/", "/acme/"),
        "short": agent.path("orders")[:-1],
    }.get(place, agent.path("orders"))
    if place == "disabled":
        await agent.declare("orders", "stock", state="disabled")
    if place == "removed":
        await site.role.control.remove("acme", actor=MACHINE)
    unknown = await site.http.post(f"{site.url}/nobody/nothing/{'a' * 32}", content=b"x")
    wrong = await site.http.post(site.url + path, content=b"x")
    assert (wrong.status_code, wrong.content, dict(wrong.headers)) == (404, b"", dict(unknown.headers))


async def test_a_full_quota_answers_503_and_spares_the_others(site: Site) -> None:
    """By events; once the agent took something, there is room again."""
    agent = await site.tenant("acme", quota_events=2)
    other = await site.tenant("other")
    assert [(await site.post(agent)).status_code for _ in range(3)] == [200, 200, 503]
    assert (await site.post(agent)).headers["retry-after"]
    assert (await site.post(other)).status_code == 200
    assert len(await agent.drain()) == 2
    assert (await site.post(agent)).status_code == 200


async def test_a_full_quota_of_bytes_answers_503(site: Site) -> None:
    """By size."""
    agent = await site.tenant("acme", quota_bytes=1024 * 1024)
    assert (await site.post(agent, body=bytes(1000 * 1000))).status_code == 200
    assert (await site.post(agent, body=bytes(1000 * 1000))).status_code == 503


@pytest.mark.parametrize("setting", ["per_second", "address_per_second"])
async def test_too_many_requests_are_429(site: Site, setting: str) -> None:
    """By endpoint and by address; what is over is told when to come again."""
    await site.apply(f"[server]\n{setting} = 1")
    agent = await site.tenant("acme", "orders", "stock")
    answers = [await site.post(agent) for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert next(one for one in answers if one.status_code == 429).headers["retry-after"] == "1"


async def test_nobody_is_told_200_before_the_event_is_on_the_disk(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """What was answered 200 is there when the files are opened again."""
    port = free_port()
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent = await site.tenant("acme")
        answers = await asyncio.gather(*(site.post(agent, body=b"%d" % number) for number in range(50)))
        assert {answer.status_code for answer in answers} == {200}
    async with proxy_over(tmp_path / "proxy", port) as site, httpx.AsyncClient(timeout=30) as client:
        agent.remote._session._client = client
        assert sorted(event.body for event in await agent.drain()) == sorted(b"%d" % number for number in range(50))


async def test_wildcard_hosts_name_the_organisation(site: Site) -> None:
    """`<domain>.<host>/<touchpoint>/<token>`, and the long path still."""
    agent = await site.tenant("acme")
    port = site.url.rpartition(":")[2]
    await site.apply(f'[server]\npublic_url = "http://localhost:{port}"\nwildcard = true')
    short = f"/orders/{agent.tokens['orders']}"
    for path, host, status in (
        (short, f"acme.localhost:{port}", 200),
        (short, "ACME.localhost", 200),
        (short, f"other.localhost:{port}", 404),
        (short, f"localhost:{port}", 404),
        (agent.path("orders"), f"localhost:{port}", 200),
    ):
        answer = await site.http.post(site.url + path, content=b"x", headers={"host": host})
        assert answer.status_code == status, (path, host)


async def test_health_is_for_everybody_and_tells_nothing(site: Site) -> None:
    """For load balancers."""
    answer = await site.http.get(f"{site.url}/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


async def test_a_handshake_is_answered_by_the_agent_within_its_pull(site: Site) -> None:
    """The ask is in the waiting pull at once, the sender gets the reply, and nothing is queued."""
    agent = await site.join(await site.organisation("acme"))
    await agent.declare("chat", handshake="json_challenge:url_verification")
    body = b'{"type":"url_verification","challenge":"c-1"}'
    waiting = asyncio.ensure_future(agent.pull(wait=20))
    await _until(lambda: site.role.hub.asks._lanes and next(iter(site.role.hub.asks._lanes.values())).pulls)
    posting = asyncio.ensure_future(site.post(agent, "chat", body))
    batch = await waiting
    [ask] = batch.asks
    assert agent.asked(batch, ask).body == body
    await agent.remote.reply(Reply(id=ask.id, status=200, headers=((b"content-type", b"text/plain"),), body=b"c-1"))
    answer = await posting
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "c-1", "text/plain")
    assert (await agent.pull()).backlog.events == 0


async def test_without_an_agent_a_handshake_is_503_at_once(site: Site) -> None:
    """Nobody is held for somebody who is not there."""
    agent = await site.join(await site.organisation("acme"))
    await agent.declare("chat", handshake="json_challenge:url_verification")
    await agent.remote.release(agent.epoch)
    answer = await site.post(agent, "chat", b'{"type":"url_verification","challenge":"c-1"}')
    assert answer.status_code == 503
    assert len(site.role.hub.asks._lanes) <= 1


async def test_at_most_sixteen_senders_are_held_and_three_seconds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is turned away at once; those that wait are let go."""
    monkeypatch.setattr("web.proxy.asks.PATIENCE", 0.3)
    agent = await site.join(await site.organisation("acme"))
    await agent.declare("chat", handshake="json_challenge:url_verification")
    waiting = asyncio.ensure_future(agent.pull(wait=20))
    await _until(lambda: site.role.hub.asks._lanes and next(iter(site.role.hub.asks._lanes.values())).pulls)
    body = b'{"type":"url_verification","challenge":"c-1"}'
    answers = await asyncio.gather(*(site.post(agent, "chat", body) for _ in range(20)))
    await waiting
    assert {answer.status_code for answer in answers} == {503}
    assert not next(iter(site.role.hub.asks._lanes.values())).held


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)
