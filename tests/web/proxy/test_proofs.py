"""Who may speak: signatures, challenges, replays, and what sits between."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from store.remote_errors import NotAuthorized, RemoteError, Tampered
from tests.web.proxy.kit import Forger, Site
from touchpoints.pull.key import new_signing_key, signing_public
from touchpoints.pull.proof import CHALLENGE, PROOF

pytestmark = pytest.mark.anyio


async def test_a_request_that_was_overheard_is_worth_nothing(site: Site) -> None:
    """Sent again as it is: refused, and nothing done."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    await forger.meet()
    body = b'{"to":0}'
    headers = forger.signed("POST", "/v1/seek", body)
    assert (await forger.send("POST", "/v1/seek", body, headers)).status_code == 200
    again = await forger.send("POST", "/v1/seek", body, headers)
    assert (again.status_code, again.json()["code"]) == (401, "challenge_unknown")


async def test_requests_at_once_may_arrive_out_of_order_each_once(site: Site) -> None:
    """A later count before an earlier one, within the window."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    await forger.meet()
    base = forger.count
    for count, status in ((base + 5, 200), (base + 3, 200), (base + 5, 401), (base + 3, 401), (base + 4, 200)):
        answer = await forger.send("GET", "/v1/key", b"", forger.signed("GET", "/v1/key", b"", count=count))
        assert answer.status_code == status, count


@pytest.mark.parametrize("change", ["body", "path", "method", "count", "challenge", "agent", "signature", "key"])
async def test_a_request_that_was_changed_is_refused(site: Site, change: str) -> None:
    """Whatever of it: the same words, whether the agent exists or not."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    await forger.meet()
    method, path, body = "POST", "/v1/seek", b'{"to":0}'
    headers = forger.signed(method, path, body, key=new_signing_key(_chance) if change == "key" else None)
    match change:
        case "body":
            body = b'{"to":1}'
        case "path":
            path = "/v1/release"
        case "method":
            method, path = "GET", "/v1/declaration"
        case "count":
            headers["hookport-count"] = str(forger.count + 1)
        case "challenge":
            headers["hookport-challenge"] = "A" * 22
        case "agent":
            headers["hookport-agent"] = "nobody"
        case "signature":
            headers["hookport-signature"] = "A" * 86 + "=="
    answer = await forger.send(method, path, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "agent_refused")
    assert PROOF not in answer.headers
    assert CHALLENGE not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "agent_unsigned"),
        ({"hookport-agent": "a"}, 400, "pull_malformed"),
        (
            {"hookport-agent": "a", "hookport-challenge": "b", "hookport-count": "0", "hookport-signature": "c"},
            400,
            "pull_malformed",
        ),
    ],
)
async def test_a_request_without_a_whole_signature_is_refused(
    site: Site, headers: dict[str, str], status: int, code: str
) -> None:
    """Each in words."""
    answer = await site.http.post(f"{site.url}/v1/pull", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/v1/pull", "/v1/state", "/v1/pair"])
async def test_a_call_has_its_methods(site: Site, path: str) -> None:
    """And says which."""
    answer = await site.http.delete(site.url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"]


async def test_a_body_that_makes_no_sense_is_told_in_words(site: Site) -> None:
    """Signed, and of the wrong form: 400, proved by the proxy's key."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    await forger.meet()
    answer = await forger.send("POST", "/v1/pull", b"[]", forger.signed("POST", "/v1/pull", b"[]"))
    assert (answer.status_code, answer.json()["code"]) == (400, "pull_malformed")
    assert answer.headers[PROOF]


async def test_a_restart_of_the_proxy_costs_an_agent_one_more_round_and_nothing_else(site: Site) -> None:
    """Its challenge is unknown then; it signs again by itself."""
    agent = await site.tenant("acme")
    site.role.hub.gatekeeper.forget(agent.pairing.agent_id)
    assert (await agent.remote.state()).domain == "acme"


class Middlebox(httpx.AsyncBaseTransport):
    """Between agent and proxy, with a certificate that the company trusts: it may change whatever passes."""

    def __init__(self, *, request: Callable[[httpx.Request], None] | None = None, answer: Any = None) -> None:
        self._way = httpx.AsyncHTTPTransport()
        self._request = request
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        if self._request is not None:
            self._request(request)
        answered = await self._way.handle_async_request(request)
        if self._answer is None:
            return answered
        body = await answered.aread()
        await answered.aclose()
        status, headers, body = self._answer(request, answered.status_code, dict(answered.headers), body)
        headers.pop("content-length", None)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def aclose(self) -> None:
        """See httpx."""
        await self._way.aclose()


def _flip(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1]) if body else b"\x01"


CHANGES = {
    "a body": lambda _request, status, headers, body: (status, headers, _flip(body)),
    "a status": lambda _request, status, headers, body: (201 if status == 200 else status, headers, body),
    "a proof taken away": lambda _request, status, headers, body: (
        status,
        {name: value for name, value in headers.items() if name != PROOF},
        body,
    ),
    "a body cut short": lambda _request, status, headers, body: (status, headers, body[: len(body) // 2]),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_middlebox_that_changes_an_answer_is_noticed(site: Site, change: str) -> None:
    """Nothing of it is used; the agent says so."""
    agent = await site.tenant("acme")
    await site.post(agent)
    await agent.pull()
    async with httpx.AsyncClient(transport=Middlebox(answer=CHANGES[change]), timeout=30) as client:
        agent.remote._session._client = client
        with pytest.raises(RemoteError) as error:
            await agent.pull()
    assert isinstance(error.value, Tampered)


async def test_a_middlebox_that_gives_an_old_answer_is_noticed(site: Site) -> None:
    """An answer is bound to the signature of the request that it answers."""
    agent = await site.tenant("acme")
    kept: list[tuple[int, dict[str, str], bytes]] = []

    def replay(_request: httpx.Request, status: int, headers: dict[str, str], body: bytes) -> Any:
        kept.append((status, headers, body))
        return kept[0]

    async with httpx.AsyncClient(transport=Middlebox(answer=replay), timeout=30) as client:
        agent.remote._session._client = client
        await agent.remote.state()
        with pytest.raises(Tampered):
            await agent.remote.state()


async def test_a_middlebox_that_changes_a_request_gets_nothing_done(site: Site) -> None:
    """The proxy refuses it, without a proof that could be mistaken for an answer."""
    agent = await site.tenant("acme")
    await site.post(agent)
    await agent.pull()

    def change(request: httpx.Request) -> None:
        if request.url.path == "/v1/acknowledge":
            request.stream = httpx.ByteStream(bytes(request.content).replace(b'"to":1', b'"to":9'))

    async with httpx.AsyncClient(transport=Middlebox(request=change), timeout=30) as client:
        agent.remote._session._client, before = client, agent.remote._session._client
        with pytest.raises(NotAuthorized):
            await agent.acknowledge()
        agent.remote._session._client = before
    assert (await agent.remote.state()).acknowledged == 0


async def test_a_middlebox_at_pairing_cannot_put_in_its_own_keys(site: Site) -> None:
    """It has everything that travels, and not the sixteen characters that do not."""
    code = await site.organisation("acme")

    def own_key(_request: httpx.Request, status: int, headers: dict[str, str], body: bytes) -> Any:
        said = json.loads(body)
        said["proxy_key"] = base64.b64encode(signing_public(b"\x07" * 32)).decode()
        return status, headers, json.dumps(said).encode()

    async with httpx.AsyncClient(transport=Middlebox(answer=own_key), timeout=30) as client:
        with pytest.raises(Tampered):
            await site.join(code, client=client)


def _chance(count: int) -> bytes:
    return b"\x09" * count
