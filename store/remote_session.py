"""The session with a proxy: each request is signed, each answer's proof is checked. It holds nothing that can be lost."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from store.remote_errors import (
    NotAuthorized,
    ProxyBusy,
    Refused,
    RemoteError,
    Revoked,
    Unreachable,
    silent,
    tampered,
    unreachable,
)
from touchpoints.problem import Problem, problem
from touchpoints.pull.body import LARGEST_BODY, decode_problem
from touchpoints.pull.frames import FRAMES, JSON
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.proof import CHALLENGE, PROOF, check_answer, sign_request

STALL = 20.0  # seconds without a byte in the midst of an answer
LONGEST = 600.0  # seconds for one answer, however steadily it comes
PATIENCE = 30.0  # seconds in all, for everything but a pull
MOST_WAIT = 300.0  # seconds of a Retry-After that are honoured
_LARGE = 256 * 1024  # from here an answer is hashed in a thread
JUMP = 2**53  # counts that are passed over where the next ones were used: far beyond all microseconds there ever were
_UNMET = "none"  # the challenge of the first request, which is renewed at once

Room = Callable[[int], Awaitable[None]]  # told of bytes that are about to be held; returns once there is room for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)


class Session:
    """Signed calls to one proxy over a client that is passed in. Concurrent calls are welcome."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        url: str,
        agent: str,
        signing_key: bytes,
        proxy_key: bytes,
        version: str,
        count_from: int,
    ) -> None:
        """`count_from`: above every count that this agent used before its last start, such as the time in microseconds."""
        self._client = client
        self._url = url.rstrip("/")
        self._agent = agent
        self._signing_key = signing_key
        self._proxy_key = proxy_key
        self._version = version
        self._challenge = _UNMET
        self._count = max(0, count_from)

    def use_client(self, client: httpx.AsyncClient) -> None:
        """Make calls by another client from now on."""
        self._client = client

    def use_key(self, signing_key: bytes) -> None:
        """Sign with another key from now on."""
        self._signing_key = signing_key

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        seconds: float = PATIENCE,
        most: int = LARGEST_BODY,
        accept: str = JSON,
        room: Room | None = None,
    ) -> bytes:
        """The body of a 200, proved. Raises RemoteError, and what `room` raises.

        `seconds` is the deadline for the answer to begin; after that it must not stall. A challenge that the proxy does not
        know (it was started anew) is renewed and the request sent once more, at once.
        """
        for last in (False, False, True):
            asked = self._challenge
            answer, proved = await self._once(method, path, body, seconds=seconds, most=most, accept=accept, room=room)
            if not proved:
                raise _stranger(answer)
            if answer.status == 200:
                return answer.body
            said = _said(answer.body)
            if last or answer.status != 401 or said.code != "challenge_unknown":
                raise _error(answer, said)
            self._renew(answer.headers.get(CHALLENGE, ""), asked)
        raise AssertionError("the last call returns or raises")

    def _renew(self, challenge: str, asked: str) -> None:
        """Take up a fresh challenge. Where it is the one that was asked with, its count was used before this agent's start."""
        if challenge == asked:
            self._count += JUMP
        elif challenge:
            self._challenge = challenge

    async def _once(
        self, method: str, path: str, body: bytes, *, seconds: float, most: int, accept: str, room: Room | None
    ) -> tuple[Answer, bool]:
        self._count += 1
        proof = sign_request(
            self._signing_key,
            agent=self._agent,
            method=method,
            path=path,
            challenge=self._challenge,
            count=self._count,
            body=body,
        )
        headers = {
            "accept": accept,
            "accept-encoding": "identity",
            "user-agent": self._version,
            "content-type": JSON,
            **proof.headers(),
        }
        answer = await exchange(
            self._client, method, self._url + path, body, headers=headers, seconds=seconds, most=most, room=room
        )
        given = answer.headers.get(PROOF, "")
        if not given:
            return answer, False

        def holds() -> bool:
            return check_answer(self._proxy_key, given, signature=proof.signature, status=answer.status, body=answer.body)

        if not (await asyncio.to_thread(holds) if len(answer.body) > _LARGE else holds()):
            raise tampered("the proof of an answer does not fit")
        return answer, True


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    body: bytes,
    *,
    headers: dict[str, str],
    seconds: float,
    most: int,
    room: Room | None = None,
) -> Answer:
    """One request and its answer, read within deadlines and `most` bytes. No redirect is followed. Raises RemoteError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds) as deadline:
            request = client.build_request(method, url, content=body, headers=headers, timeout=None)
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                deadline.reschedule(loop.time() + LONGEST)
                data = await _read(response, most, room)
            finally:
                await response.aclose()
    except TimeoutError:
        raise silent(seconds) from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
        raise unreachable(error) from error
    return Answer(status=response.status_code, headers=response.headers, body=data)


async def _read(response: httpx.Response, most: int, room: Room | None) -> bytes:
    declared = response.headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdecimal() and len(declared) < 16 else 0
    if length > most:
        raise tampered("an answer is longer than any can be")
    if room is not None and length:
        await room(length)
    parts: list[bytes] = []
    size, granted = 0, length
    stream = response.aiter_raw()
    while True:
        async with asyncio.timeout(STALL):
            part = await anext(stream, b"")
        if not part:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        size += len(part)
        if size > most:
            raise tampered("an answer is longer than any can be")
        if room is not None and size > granted:
            granted = max(2 * granted, size)
            await room(granted)
        parts.append(part)


def _said(body: bytes) -> Problem:
    with suppress(PullMalformed):
        return decode_problem(body)
    return Problem("unexplained", "it gave no reason.", "")


def _retry_after(headers: httpx.Headers) -> float:
    text = headers.get("retry-after", "")
    return min(float(text), MOST_WAIT) if text.isascii() and text.isdecimal() and len(text) < 8 else 5.0


def _error(answer: Answer, said: Problem) -> RemoteError:
    """What an answer of the proxy means, which its key has proved."""
    if answer.status in {403, 410} and said.code in {"agent_revoked", "organisation_gone"}:
        return Revoked(problem("proxy_revoked_us", why=said.text))
    if answer.status == 401:
        return NotAuthorized(problem("proxy_not_known"))
    if answer.status in {429, 500, 503}:
        return ProxyBusy(_retry_after(answer.headers))
    return Refused(answer.status, said)


def _stranger(answer: Answer) -> RemoteError:
    """What an answer without a proof means: it may be anybody's, so that nothing is undone because of it."""
    if answer.status == 407:
        return Unreachable(problem("proxy_corporate", why="it wants a user and a password (407)"))
    if answer.status == 401 and _said(answer.body).code in {"agent_refused", "agent_unsigned"}:
        return NotAuthorized(problem("proxy_not_known"))
    if answer.status in {429, 502, 503, 504}:
        return ProxyBusy(_retry_after(answer.headers))
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status == 200 and kind in {FRAMES, JSON}:
        return tampered("an answer carries no proof")
    return Unreachable(problem("proxy_stranger", what=f"HTTP {answer.status}"))
