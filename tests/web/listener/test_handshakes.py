"""Handshakes at the public listener, asked over the wire: each kind as its sender does, and what is none of them."""

import asyncio
from dataclasses import replace

import pytest

from tests.touchpoints.handshakes.cases import (
    ASANA,
    CASES,
    HOOK_SECRET,
    NOTION,
    SECRET,
    SNS,
    SUBSCRIBE_URL,
    Case,
    signed,
    touchpoint,
)
from tests.web.listener.scene import OPEN, Scene, exchange, status
from touchpoints.ack import ACKS
from touchpoints.request import Answer, Request
from touchpoints.touchpoint import Touchpoint
from web.listener.server import Listener

pytestmark = pytest.mark.anyio

EVENT = b'{"id":1}'


def wire(case: Case, *, method: str | None = None, body: bytes | None = None) -> bytes:
    """A case's request as bytes, which ends the connection."""
    target = f"/hooks/asked?{case.query}" if case.query else "/hooks/asked"
    body = case.body if body is None else body
    lines = [f"{method or case.method} {target} HTTP/1.1".encode(), b"Host: hooks.test", b"Connection: close"]
    lines += [name + b": " + value for name, value in case.headers]
    if body or (method or case.method) == "POST":
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def parted(answer: bytes) -> tuple[int, set[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of a whole answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    pairs = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return status(answer), {(name.lower(), value) for name, _, value in pairs}, body


async def asked(listener: Listener, case: Case, **changes: object) -> tuple[int, set[tuple[bytes, bytes]], bytes]:
    """What a case is answered."""
    return parted(await exchange(listener, wire(case, **changes)))  # type: ignore[arg-type] # the keywords of wire


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_kind_is_answered(case: Case) -> None:
    """As its sender wants, in status, headers and body; nothing is stored."""
    scene = Scene(touchpoints=(case.touchpoint,))
    async with scene.listening() as listener:
        code, headers, body = await asked(listener, case)
    assert (code, body) == (case.status, case.wanted("http://hooks.test/hooks/asked"))
    assert headers >= set(case.wanted_headers)
    assert (b"content-length", str(len(body)).encode()) in headers
    assert not scene.kept.arrivals
    assert len(scene.refused) == (1 if case.status == 401 else 0)


@pytest.mark.parametrize("case", [case for case in CASES if case.method != "POST"], ids=lambda case: case.name)
async def test_a_method_of_handshakes_is_never_an_events(case: Case) -> None:
    """Without what makes it a handshake: 405 with what events come by; nothing is stored or counted as refused."""
    scene = Scene(touchpoints=(case.touchpoint,))
    bare = replace(case, query="", headers=())
    async with scene.listening() as listener:
        code, headers, body = await asked(listener, bare)
        wrong, *_ = await asked(listener, case, method="PUT")
    if not case.name.startswith("probe"):
        assert (code, body) == (405, b"")
        assert (b"allow", b"POST") in headers
    assert wrong == 405
    assert not scene.kept.arrivals
    assert not scene.refused


async def test_a_get_with_a_body_is_refused() -> None:
    """400, whoever sends it."""
    case = next(case for case in CASES if case.name == "echo_query")
    scene = Scene(touchpoints=(case.touchpoint,))
    async with scene.listening() as listener:
        assert (await asked(listener, case, body=EVENT))[0] == 400
    assert not scene.kept.arrivals


async def test_the_answer_to_head_has_no_body() -> None:
    """Neither here nor where it is none: what follows on the connection is understood."""
    case = next(case for case in CASES if case.name == "probe_head")
    scene = Scene(touchpoints=(case.touchpoint,))
    async with scene.listening() as listener:
        two = await exchange(
            listener,
            b"HEAD /hooks/asked HTTP/1.1\r\nHost: a\r\n\r\nGET /hooks/asked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
    first, _, second = two.partition(b"\r\n\r\n")
    assert (status(first), status(second)) == (200, 405)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
async def test_disabled_and_unknown_are_one_404(method: str) -> None:
    """No handshake tells a stranger that a disabled touchpoint is there: it has no endpoint at all."""
    scene = Scene(touchpoints=(OPEN,))
    async with scene.listening() as listener:
        answers = [
            parted(
                await exchange(
                    listener,
                    b"%b %b?challenge=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                    % (method.encode(), path),
                )
            )
            for path in (b"/hooks/disabled", b"/hooks/unknown", b"/elsewhere")
        ]
    assert [answer[0] for answer in answers] == [404, 404, 404]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("name", sorted(ACKS))
async def test_an_accepted_event_gets_its_providers_answer(name: str) -> None:
    """And so does its repeat: both are the same answer."""
    scene = Scene(touchpoints=(touchpoint("", SECRET, ack=name),))
    case = Case(
        name=name, touchpoint=scene.touchpoints[0], body=EVENT, headers=signed(EVENT), wanted=lambda _: b"", by_proxy=False
    )
    async with scene.listening() as listener:
        first, again = await asked(listener, case), await asked(listener, case)
        wrong = await asked(listener, replace(case, headers=signed(EVENT, "another")))
    assert first == again
    assert (first[0], first[2]) == (ACKS[name].status, ACKS[name].body)
    assert set(ACKS[name].headers) <= first[1]
    assert (wrong[0], wrong[2]) == (401, b"")
    assert len(scene.kept.arrivals) == 2


class Doing:
    """Performs by a script, and remembers what."""

    def __init__(self, *answers: Answer | None) -> None:
        self.answers = list(answers)
        self.done: list[tuple[str, str, str]] = []

    async def perform(self, made: Touchpoint, request: Request, answer: Answer) -> Answer:
        await asyncio.sleep(0)
        if not (answer.secret or answer.visit):
            return answer
        self.done.append((made.name, request.remote, answer.secret or answer.visit))
        return self.answers.pop(0) or replace(answer, secret="", visit="")


@pytest.mark.parametrize("case", [ASANA, NOTION, SNS], ids=lambda case: case.name)
async def test_an_answer_waits_for_what_it_needs(case: Case) -> None:
    """A secret that is kept, an address that was visited; where it fails, the sender hears so and comes again."""
    doing = Doing(None, Answer(status=503, headers=((b"retry-after", b"30"),)), Answer(status=403))
    scene = Scene(touchpoints=(case.touchpoint,), perform=doing.perform)
    async with scene.listening() as listener:
        code, headers, body = await asked(listener, case)
        failed = await asked(listener, case)
        late = await asked(listener, case)
    assert (code, body) == (200, case.wanted("http://hooks.test/hooks/asked"))
    assert headers >= set(case.wanted_headers)
    assert (failed[0], failed[2]) == (503, b"")
    assert (b"retry-after", b"30") in failed[1]
    assert HOOK_SECRET.encode() not in b"".join(value for _, value in failed[1])
    assert (late[0], late[2]) == (403, b"")
    assert doing.done == [doing.done[0]] * 3
    assert doing.done[0][:2] == ("asked", "127.0.0.1")
    assert not scene.kept.arrivals


async def test_where_nothing_can_be_done_the_sender_comes_again() -> None:
    """The listener alone keeps no secret and visits nothing."""
    scene = Scene(touchpoints=(ASANA.touchpoint,))
    async with scene.listening() as listener:
        code, headers, _ = await asked(listener, ASANA)
    assert code == 503
    assert not any(name == b"x-hook-secret" for name, _ in headers)


async def test_an_unproved_confirmation_visits_nothing() -> None:
    """Whoever asks to be confirmed must be the topic."""
    doing = Doing()
    scene = Scene(touchpoints=(SNS.touchpoint,), perform=doing.perform)
    async with scene.listening() as listener:
        assert (await asked(listener, replace(SNS, headers=())))[0] == 401
        assert (await asked(listener, replace(SNS, headers=signed(SNS.body, "another"))))[0] == 401
    assert doing.done == []
    assert SUBSCRIBE_URL.startswith("https://sns.")
