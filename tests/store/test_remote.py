"""The proxy as an agent reaches it: pairing proves both sides, answers are taken only with their proof, errors speak."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from store import remote_session
from store.remote import Remote
from store.remote_errors import NotAuthorized, ProxyBusy, Refused, RemoteError, Revoked, Tampered, Unreachable
from store.remote_pairing import Newborn, newborn, pair
from tests.appliance.hops.scripted_proxy import PROXY_KEY, ScriptedProxy, pairing
from touchpoints.destinations.errors import NotConnected
from touchpoints.problem import Problem
from touchpoints.pull.body import decode, encode, encode_problem
from touchpoints.pull.key import exchange_public, signing_public
from touchpoints.pull.message import PullRequest
from touchpoints.pull.pairing import Code, PairAnswer, PairRequest, check_agent_proof, new_code, proxy_proof
from touchpoints.pull.proof import PROOF, sign_answer
from touchpoints.pull.recovery import open_recovery_box, parse_recovery_key

pytestmark = pytest.mark.anyio

Handler = Callable[[httpx.Request], Any]


class Stream(httpx.AsyncByteStream):
    def __init__(self, *parts: bytes, stall: bool = False) -> None:
        self._parts, self._stall = parts, stall

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part
        if self._stall:
            await asyncio.Event().wait()


def answer(status: int = 200, body: bytes = b"", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Stream(body))


def client(handler: Handler) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(handler))


def remote(handler: Handler) -> Remote:
    return Remote(client(handler), pairing(), version="1.2.3", count_from=1)


def signed(request: httpx.Request, status: int, body: bytes, **headers: str) -> httpx.Response:
    import base64

    proof = sign_answer(PROXY_KEY, signature=base64.b64decode(request.headers["hookport-signature"]), status=status, body=body)
    return answer(status, body, **{PROOF: proof, "content-type": "application/json", **headers})


class PairingProxy:
    """The proxy's side of pairing, in a few lines."""

    def __init__(self, code: Code, **fields: Any) -> None:
        self.code, self.fields = code, fields
        self.requests: list[PairRequest] = []
        self.lose = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = decode(PairRequest, request.read())
        self.requests.append(asked)
        assert self.code.secret not in request.read().decode()
        if asked.find != self.code.find or not check_agent_proof(self.code.secret, asked):
            return answer(404, encode_problem(Problem("pairing_code_unknown", "No such code.", "Ask for another.")))
        made = PairAnswer(
            agent_id="agent-1",
            organisation=7,
            domain="acme",
            state="ready",
            sealing_key=asked.sealing_key,
            proxy_key=signing_public(PROXY_KEY),
            wildcard=True,
            nonce=b"n" * 16,
        )
        made = replace(made, **self.fields)
        made = replace(made, proof=made.proof or proxy_proof(self.code.secret, asked, made))
        if self.lose:
            self.lose -= 1
            raise httpx.ReadError("closed")
        return answer(200, encode(made))


@pytest.fixture
def code() -> Code:
    return new_code(os.urandom)


@pytest.fixture
def keys() -> Newborn:
    return newborn(os.urandom)


async def test_the_first_agent_brings_the_organisations_keys(code: Code, keys: Newborn) -> None:
    """What it keeps, and the recovery key that opens the box it left at the proxy."""
    proxy = PairingProxy(code)
    made = await pair(client(proxy), "https://proxy.test/", code, keys, name="erp", version="1.2.3", now=5)
    kept = made.pairing
    assert (kept.url, kept.domain, kept.organisation, kept.wildcard) == ("https://proxy.test", "acme", 7, True)
    assert (kept.agent_id, kept.agent_name, kept.paired_at, kept.key_renewed_at) == ("agent-1", "erp", 5, 5)
    assert (kept.signing_key, kept.exchange_key, kept.opening_key) == (
        keys.signing_key,
        keys.exchange_key,
        keys.organisation_key,
    )
    assert kept.proxy_key == signing_public(PROXY_KEY)
    (asked,) = proxy.requests
    box_key = parse_recovery_key(made.recovery_key)
    assert open_recovery_box(asked.recovery_box, box_key, sealing_key=kept.sealing_key) == kept.opening_key
    assert made.recovery_key not in repr(made)


async def test_a_later_agent_waits_for_the_key(code: Code, keys: Newborn) -> None:
    """It gets no recovery key, and no key; an answer that calls it ready all the same is not believed."""
    theirs = exchange_public(os.urandom(32))
    made = await pair(
        client(PairingProxy(code, sealing_key=theirs, state="waiting")),
        "https://proxy.test",
        code,
        keys,
        name="erp",
        version="1.2.3",
        now=5,
    )
    assert (made.recovery_key, made.pairing.opening_key, made.pairing.sealing_key) == ("", b"", theirs)
    with pytest.raises(Tampered):
        await pair(
            client(PairingProxy(code, sealing_key=theirs)), "https://proxy.test", code, keys, name="e", version="v", now=5
        )


async def test_a_lost_answer_is_asked_for_again_with_the_same_keys(code: Code, keys: Newborn) -> None:
    """A few times; then the person is told."""
    proxy = PairingProxy(code)
    proxy.lose = 2
    await pair(client(proxy), "https://proxy.test", code, keys, name="erp", version="v", now=5)
    assert len(proxy.requests) == 3
    assert len(set(proxy.requests)) == 1
    proxy.lose = 3
    with pytest.raises(Unreachable):
        await pair(client(proxy), "https://proxy.test", code, keys, name="erp", version="v", now=5)


async def test_who_does_not_know_the_code_proves_nothing(code: Code, keys: Newborn) -> None:
    """A middlebox with keys of its own, and a code that the proxy does not know."""
    wrong = replace(code, secret="0" * 16)
    for proxy, error in (
        (PairingProxy(code, proof=b"p" * 32), Tampered),
        (PairingProxy(wrong), Refused),
        (lambda _: answer(200, b"<html>", content_type="text/html"), Unreachable),
        (lambda _: answer(302, b"", location="https://elsewhere.test"), Unreachable),
        (lambda _: answer(503), ProxyBusy),
    ):
        with pytest.raises(error) as caught:
            await pair(client(proxy), "https://proxy.test", code, keys, name="erp", version="v", now=5)
        words = f"{caught.value} {caught.value.problem.text} {caught.value.problem.mend}"
        assert code.secret not in words
        assert keys.recovery_key not in words


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (httpx.ConnectError("Name or service not known"), "proxy_unreachable", "Name or service not known"),
        (httpx.ConnectError("Connection refused."), "proxy_unreachable", "Connection refused"),
        (NotConnected("tls_error", "self-signed certificate"), "proxy_tls", "SSL_CERT_FILE"),
        (httpx.ProxyError("it answered 407"), "proxy_corporate", "HTTPS_PROXY"),
        (httpx.ReadError(""), "proxy_unreachable", "ReadError"),
        (httpx.RemoteProtocolError("a\x1b[2Jb"), "proxy_unreachable", "RemoteProtocolError"),
        (OSError("broken"), "proxy_unreachable", "broken"),
    ],
)
async def test_what_keeps_it_away_is_said_in_words(raised: Exception, code: str, words: str) -> None:
    """With what mends it, and nothing that steers a terminal."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(Unreachable) as caught:
        await remote(handler).state()
    assert caught.value.problem.code == code
    assert words in f"{caught.value.problem.text} {caught.value.problem.mend}"


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (403, "agent_revoked", Revoked),
        (410, "organisation_gone", Revoked),
        (401, "agent_refused", NotAuthorized),
        (403, "agent_waits", Refused),
        (400, "pull_malformed", Refused),
        (503, "proxy_store_down", ProxyBusy),
        (429, "slow_down", ProxyBusy),
    ],
)
async def test_the_proxys_own_refusals_are_told_apart(status: int, said: str, error: type[RemoteError]) -> None:
    """Proved by its key; the same words without a proof undo nothing."""
    body = encode_problem(Problem(said, "Because.", "Do that."))
    with pytest.raises(error) as caught:
        await remote(lambda request: signed(request, status, body, **{"retry-after": "7"})).state()
    if isinstance(caught.value, ProxyBusy):
        assert caught.value.retry_after == 7
    with pytest.raises(RemoteError) as unproved:
        await remote(lambda _: answer(status, body)).state()
    assert not isinstance(unproved.value, Revoked | Refused)


async def test_an_answer_to_another_request_never_fits() -> None:
    """A middlebox that keeps an answer and gives it again is noticed."""
    proxy = ScriptedProxy()
    kept: list[httpx.Response] = []

    async def replay(request: httpx.Request) -> httpx.Response:
        if kept:
            return answer(200, kept[0].content, **{PROOF: kept[0].headers[PROOF]})
        made = await proxy._receive(request)
        if made.status_code == 200:
            await made.aread()
            kept.append(made)
            return answer(200, made.content, **{PROOF: made.headers[PROOF]})
        return made

    place = remote(replay)
    await place.state()
    with pytest.raises(Tampered):
        await place.state()


async def test_an_answer_that_is_too_long_or_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declared or not, before it is all in memory; and one that stops in the middle."""
    monkeypatch.setattr(remote_session, "STALL", 0.02)

    def long(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Stream(*[b"x" * 1_000_000] * 6))

    def declared(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": "99999999"}, stream=Stream(b"x"))

    def stalls(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Stream(b"x", stall=True))

    for handler, code in ((long, "proxy_tampered"), (declared, "proxy_tampered"), (stalls, "proxy_silent")):
        with pytest.raises(RemoteError) as caught:
            await remote(handler).state()
        assert caught.value.problem.code == code


async def test_room_is_asked_for_before_a_batch_is_read() -> None:
    """By its declared length; by and by where it declares none."""
    asked: list[int] = []

    async def room(size: int) -> None:
        asked.append(size)

    proxy = ScriptedProxy()
    proxy.post(1, body=b"x" * 300_000)
    place = Remote(proxy.client(), pairing(), version="v", count_from=1)
    batch = await place.pull(PullRequest(), room=room)
    assert len(batch.messages) == 1
    assert asked[-1] > 300_000
    assert asked == sorted(asked)


async def test_counts_that_were_used_before_a_restart_are_passed_over() -> None:
    """Also by an agent whose clock went back."""
    proxy = ScriptedProxy()
    for start in (1_000, 1_000, 5, 0):
        place = Remote(proxy.client(), pairing(), version="v", count_from=start)
        assert (await place.state()).domain == "acme"


async def test_concurrent_calls_after_a_restart_of_the_proxy_all_succeed() -> None:
    """Each is signed again once, under the same fresh challenge."""
    proxy = ScriptedProxy()
    place = Remote(proxy.client(), pairing(), version="v", count_from=1)
    await place.state()
    proxy.restart()
    states = await asyncio.gather(*(place.state() for _ in range(20)))
    assert {state.domain for state in states} == {"acme"}
