"""The way through a hosted proxy over the API."""

from typing import Any

import pytest

from store.people import Scope
from tests.web.api.stand_in import NOW, SESSION, StandIn
from touchpoints.moment import HOUR, rfc3339
from touchpoints.problem import problem
from touchpoints.pull.call import State, StateAgent
from touchpoints.pull.message import Backlog
from touchpoints.pull.pairing import fingerprint
from web.guard_token import token_digest
from web.membership import Closing, Standing

pytestmark = pytest.mark.anyio

URL = "https://proxy.example.net/acme/orders/abcdefghijklmnopqrstuvwxyz234567"
STANDING = Standing(
    state="standby",
    paired=True,
    url="https://proxy.example.net",
    domain="acme",
    host="proxy.example.net/acme",
    agent_id="a1",
    agent_name="front",
    fingerprint="3f2a 91c0",
    problem=problem("proxy_key_waits"),
    last_poll_at=NOW,
    backlog=Backlog(events=3, bytes=9, oldest=NOW - HOUR),
    holder="spare",
    notices=("quota_half",),
    gap=(4, 9),
    lacking=("stock",),
    unsettled=2,
    urls={1: URL, 99: "https://gone"},
    direct_closing=Closing(since=NOW, used_at=0, closes_at=NOW + HOUR),
)
DEEDS: tuple[tuple[str, dict[str, Any], tuple[Any, ...]], ...] = (
    ("pair", {"code": "c", "url": "u", "name": "front"}, ("pair", "c", "u", "front")),
    ("approve", {"agent_id": "b", "fingerprint": "f"}, ("approve", "b", "f")),
    ("recover", {"recovery_key": "k"}, ("recover", "k")),
    ("take-over", {"agent_id": "b"}, ("take_over", "b")),
    ("seek", {"to": 7}, ("seek", 7)),
    ("rotate", {"touchpoint": "orders"}, ("rotate", "orders")),
    ("close", {"which": "direct"}, ("close_old", "direct")),
    ("left", {"run": True}, ("settle_left", True)),
    ("dismiss", {"what": "restored"}, ("dismiss_restored",)),
    ("leave", {"anyway": True}, ("leave", True)),
)


async def _token(stand_in: StandIn, scope: Scope) -> str:
    await stand_in.people.add_token(scope.value, scope, token_digest(scope.value), now=NOW)
    return scope.value


async def test_how_it_stands(stand_in: StandIn) -> None:
    """Every key, also for an agent that is not paired; times in words of the clock, numbers as spans."""
    async with stand_in.client() as client:
        alone = (await client.get("/api/v1/proxy")).json()
        stand_in.membership.stands = STANDING
        shown = (await client.get("/api/v1/proxy")).json()
    assert alone.keys() == shown.keys()
    assert (alone["paired"], alone["state"], alone["url"], alone["waiting"]["oldest_at"]) == (False, "off", None, None)
    assert shown["problem"]["code"] == "proxy_key_waits"
    assert shown["waiting"] == {"events": 3, "bytes": 9, "oldest_at": rfc3339(NOW - HOUR)}
    assert (shown["gap"], shown["behind"]) == ({"first": 4, "last": 9}, None)
    assert shown["direct_closing"] == {"since": rfc3339(NOW), "last_used_at": None, "closes_at": rfc3339(NOW + HOUR)}
    assert shown["endpoint_urls"] == {"orders": URL}  # by name, and only of touchpoints that are here


async def test_who_only_reads_sees_no_token_of_an_endpoint(stand_in: StandIn) -> None:
    """Whoever knows one may post: the URLs are null for scope read, here and in the list of touchpoints."""
    stand_in.membership.stands, stand_in.control.proxy_urls = STANDING, {1: URL}
    token = URL.rpartition("/")[2]
    for scope, sees in ((Scope.READ, False), (Scope.OPERATE, True), (Scope.ADMIN, True)):
        async with stand_in.client(await _token(stand_in, scope)) as client:
            for path in ("/proxy", "/touchpoints"):
                answer = await client.get(f"/api/v1{path}")
                assert (answer.status_code, token in answer.text) == (200, sees)


@pytest.mark.parametrize(("path", "body", "call"), DEEDS)
async def test_deeds_are_an_administrators(stand_in: StandIn, path: str, body: dict[str, Any], call: tuple[Any, ...]) -> None:
    """They reach the process with who did them; a smaller scope, an unknown key and what cannot be done are refused."""
    for scope, status in ((Scope.READ, 403), (Scope.OPERATE, 403), (Scope.ADMIN, 200)):
        async with stand_in.client(await _token(stand_in, scope)) as client:
            assert (await client.post(f"/api/v1/proxy/{path}", json=body)).status_code == status
    assert stand_in.membership.calls == [(*call, "token:admin")]
    async with stand_in.client() as client:
        assert (await client.post(f"/api/v1/proxy/{path}", json={**body, "more": 1})).status_code == 400
        stand_in.membership.refuses = "proxy_no_pairing"
        refused = await client.post(f"/api/v1/proxy/{path}", json=body)
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (400, "proxy_no_pairing")
    assert len(stand_in.membership.calls) == 1


async def test_the_recovery_key_is_in_the_first_agents_answer_alone(stand_in: StandIn) -> None:
    """A later agent waits; a name is needed, and is this machine's where none is given."""
    stand_in.membership.recovery_key = "THE-KEY"
    async with stand_in.client() as client:
        wanted = {"code": "c", "url": "https://proxy.example.net"}
        first = (await client.post("/api/v1/proxy/pair", json=wanted)).json()
        assert (first["recovery_key"], first["state"], first["domain"]) == ("THE-KEY", "connecting", "acme")
        assert "THE-KEY" not in (await client.get("/api/v1/proxy")).text
        stand_in.membership.recovery_key = ""
        later = (await client.post("/api/v1/proxy/pair", json=wanted)).json()
        assert (later["recovery_key"], later["state"]) == (None, "waiting_key")
        odd = await client.post("/api/v1/proxy/pair", json={**wanted, "name": "a\nb"})
    assert odd.json()["problems"][0]["code"] == "agent_name_invalid"
    assert [call[3] for call in stand_in.membership.calls] == ["agent", "agent"]


async def test_agents_are_told_with_the_fingerprint_of_their_keys(stand_in: StandIn) -> None:
    """It is reckoned here, never taken from the proxy."""
    agent = StateAgent(id="b", name="spare", state="waiting", signing_key=b"s" * 32, exchange_key=b"x" * 32, lacking=("stock",))
    stand_in.membership.told = State(
        organisation=1, domain="acme", incarnation="i", acknowledged=7, next_seq=9, agents=(agent,), now=NOW
    )
    async with stand_in.client(await _token(stand_in, Scope.READ)) as client:
        told = (await client.get("/api/v1/proxy/organisation")).json()
    (shown,) = told["agents"]
    assert shown["fingerprint"] == fingerprint(agent.signing_key, agent.exchange_key)
    assert (shown["last_seen_at"], shown["lacking"], told["proxy_time"]) == (None, ["stock"], rfc3339(NOW))


async def test_another_site_pairs_nothing(stand_in: StandIn) -> None:
    """A page of another site, with a signed-in browser, is turned away."""
    async with stand_in.signed_in(origin="https://evil.example", **{"sec-fetch-site": "cross-site"}) as client:
        assert SESSION in str(client.cookies)
        answer = await client.post("/api/v1/proxy/pair", json={"code": "c", "url": "u"})
    assert answer.status_code == 403
    assert stand_in.membership.calls == []
