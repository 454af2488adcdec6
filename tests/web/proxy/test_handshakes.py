"""Handshakes through a hosted proxy: answered by it where no secret is needed, and by the agent where one is."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
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
from tests.web.listener.test_handshakes import Doing
from tests.web.proxy.answering import Answering, answering, answering_all, declare
from tests.web.proxy.kit import Site
from touchpoints.ack import ACKS
from touchpoints.event import Verdict
from touchpoints.request import Answer
from touchpoints.touchpoint import Touchpoint, TouchpointState

pytestmark = pytest.mark.anyio

EVENT = b'{"id":1}'


async def asked(site: Site, url: str, case: Case, *, method: str | None = None) -> httpx.Response:
    """What a case is answered at an endpoint URL."""
    query = f"?{case.query}" if case.query else ""
    return await site.http.request(method or case.method, url + query, content=case.body or None, headers=list(case.headers))


def named(name: str) -> Case:
    """A case by its name."""
    return next(case for case in CASES if case.name == name)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def apart(*cases: Case) -> dict[str, tuple[Case, Touchpoint]]:
    """Each case's touchpoint under a name of its own, so that one proxy serves them all."""
    names = [case.name.replace("_", "-") for case in cases]
    return {
        name: (case, replace(case.touchpoint, name=name, id=place))
        for place, (name, case) in enumerate(zip(names, cases, strict=True), 1)
    }


async def test_each_kind_is_answered_as_in_direct_mode(site: Site) -> None:
    """Status, headers and body; the agent is asked only where it must be; nothing is queued."""
    made = apart(*CASES)
    async with answering_all(site, *(one for _, one in made.values())) as (agent, urls):
        for name, (case, _) in made.items():
            before = agent.asked
            answer = await asked(site, urls[name], case)
            assert (name, answer.status_code, answer.content) == (name, case.status, case.wanted(urls[name]))
            assert set(case.wanted_headers) <= {(key.lower(), value) for key, value in answer.headers.raw}
            assert (name, agent.asked - before) == (name, 0 if case.by_proxy else 1)
    assert agent.landed == []
    assert (await agent.puller.pull()).backlog.events == 0


async def test_what_needs_no_secret_needs_no_agent(site: Site) -> None:
    """The others are 503 at once: nobody is held for somebody who is not there."""
    made = apart(*CASES)
    puller = await site.join(await site.organisation("acme"))
    await declare(puller, *(one for _, one in made.values()))
    await puller.remote.release(puller.epoch)
    for name, (case, _) in made.items():
        answer = await asked(site, site.url + puller.path(name), case)
        assert (name, answer.status_code) == (name, 200 if case.by_proxy else 503)
        assert case.by_proxy or answer.headers["retry-after"]


async def test_a_method_of_handshakes_is_never_an_events(site: Site) -> None:
    """What is none gets 405, also where an agent was asked and does not take it for one; nothing is queued."""
    made = apart(*(case for case in CASES if case.method != "POST"))
    async with answering_all(site, *(one for _, one in made.values())) as (agent, urls):
        for name, (case, _) in made.items():
            wrong = await asked(site, urls[name], case, method="PUT")
            assert (name, wrong.status_code, wrong.headers["allow"]) == (name, 405, "POST")
            if not name.startswith("probe"):
                bare = await asked(site, urls[name], replace(case, query="", headers=()))
                assert (name, bare.status_code) == (name, 405)
        agent.known.clear()
        for name, (case, _) in made.items():
            unknown = await asked(site, urls[name], case)
            assert (name, unknown.status_code) == (name, 200 if case.by_proxy else 405)
    assert agent.landed == []


async def test_a_get_with_a_body_is_refused(site: Site) -> None:
    """By the proxy itself, also of a kind that only an agent can answer."""
    for name in ("echo_query", "crc_token"):
        case = named(name)
        puller = await site.join(await site.organisation(name.replace("_", "-")))
        await puller.declare("asked", handshake=case.touchpoint.handshake)
        answer = await asked(site, site.url + puller.path("asked"), replace(case, body=EVENT))
        assert (answer.status_code, answer.content) == (400, b"")


async def test_markup_comes_back_from_nowhere(site: Site) -> None:
    """The host is shared by all organisations: nothing that a browser would run is served from it."""
    made = apart(
        *(named(name) for name in ("echo_query", "echo_header_json", "crc_token", "echo_query_if_token", "sha256_concat"))
    )
    async with answering_all(site, *(one for _, one in made.values())) as (_, urls):
        for name, (case, _) in made.items():
            query = case.query
            for challenge in ("a-b_c", "1158201444", "code-1", "OTE0NjY1%2BNDEz"):
                query = query.replace(challenge, "%3Cscript%3Ealert(1)%3C/script%3E")
            headers = tuple((key, b"<script>alert(1)</script>") for key, _ in case.headers)
            answer = await asked(site, urls[name], replace(case, query=query, headers=headers))
            assert (name, answer.status_code, answer.content) == (name, 400, b"")


async def test_an_accepted_event_gets_its_providers_answer(site: Site) -> None:
    """The agent declares the name, the proxy knows the answer: with a wrong signature, too, which it cannot see."""
    made = [touchpoint("", SECRET, ack=name, name=name.replace("_", "-"), id=place) for place, name in enumerate(ACKS, 1)]
    async with answering_all(site, *made) as (agent, urls):
        for one in made:
            right = await site.http.post(urls[one.name], content=EVENT, headers=list(signed(EVENT)))
            wrong = await site.http.post(urls[one.name], content=EVENT, headers=list(signed(EVENT, "another")))
            for answer in (right, wrong):
                assert (answer.status_code, answer.content) == (ACKS[one.ack].status, ACKS[one.ack].body)
                assert set(ACKS[one.ack].headers) <= {(key.lower(), value) for key, value in answer.headers.raw}
        await until(lambda: len(agent.landed) == 2 * len(made))
    assert [one.arrival.event.verdict for one in agent.landed] == [Verdict.ACCEPTED, Verdict.REFUSED] * len(made)


@pytest.mark.parametrize("case", [ASANA, NOTION], ids=lambda case: case.name)
async def test_a_secret_is_captured_before_its_sender_is_answered(site: Site, case: Case) -> None:
    """By the agent, with the sender's address; where it cannot be kept, 503; where it came too late, 403; never an event."""
    doing = Doing(None, Answer(status=503), Answer(status=403))
    async with answering(site, case.touchpoint, doing.perform) as (agent, url):
        first, failed, late = [await asked(site, url, case) for _ in range(3)]
        assert (first.status_code, first.content) == (200, b"")
        assert set(case.wanted_headers) <= {(name.lower(), value) for name, value in first.headers.raw}
        assert (failed.status_code, late.status_code) == (503, 403)
        assert failed.headers["retry-after"]
        assert [place for _, place, _ in doing.done] == ["127.0.0.1"] * 3
        assert HOOK_SECRET not in failed.headers.values()
        agent.known["asked"] = replace(case.touchpoint, secrets=("another secret of ours",), state=TouchpointState.RUNNING)
        again = await asked(site, url, case)
        assert again.status_code == (403 if case is ASANA else 401)
        assert len(doing.done) == 3
    assert agent.landed == []


async def test_a_capture_that_comes_late_sets_nothing(site: Site) -> None:
    """Queued because this agent did not have the touchpoint when it was asked: its sender never had the answer."""
    doing = Doing()
    async with answering(site, NOTION.touchpoint, doing.perform) as (agent, url):
        agent.known.clear()
        gate = asyncio.Event()
        judge = agent.judge.landed

        async def later(batch: object) -> object:
            gate.set()
            agent.known["asked"] = NOTION.touchpoint
            return await judge(batch)  # type: ignore[arg-type] # passed on

        agent.judge.landed = later  # type: ignore[method-assign,assignment] # the touchpoint comes in between
        assert (await asked(site, url, NOTION)).status_code == 200
        await until(lambda: agent.landed)
    assert gate.is_set()
    assert [(one.arrival.event.verdict, one.arrival.event.reason) for one in agent.landed] == [(Verdict.REFUSED, "no_secret")]
    assert doing.done == []


async def test_a_confirmation_is_visited_once_it_was_pulled_and_verified(site: Site) -> None:
    """Then it is no event; one that proves nothing is kept and visits nothing; one that cannot be visited is kept."""
    doing = Doing(None, Answer(status=503))
    async with answering(site, SNS.touchpoint, doing.perform) as (agent, url):
        forged = await asked(site, url, replace(SNS, headers=signed(SNS.body, "another")))
        await until(lambda: len(agent.landed) == 1)
        assert doing.done == []
        assert (await asked(site, url, SNS)).status_code == 200
        await until(lambda: len(doing.done) == 1)
        assert (await asked(site, url, SNS)).status_code == 200
        await until(lambda: len(agent.landed) == 2)
    assert forged.status_code == 200
    assert agent.asked == 0
    assert {what for _, _, what in doing.done} == {SUBSCRIBE_URL}
    assert [one.arrival.event.reason for one in agent.landed] == ["signature_wrong", "confirmation_failed"]


async def test_a_challenge_that_proves_nothing_is_kept(site: Site) -> None:
    """So that a person sees why Slack's page says no; only Xero's intents must be told 401."""
    case = named("json_challenge")
    async with answering(site, case.touchpoint) as (agent, url):
        answer = await asked(site, url, replace(case, headers=signed(case.body, "another")))
        await until(lambda: agent.landed)
    assert answer.status_code == 200
    assert [one.arrival.event.reason for one in agent.landed] == ["signature_wrong"]


@pytest.mark.parametrize("state", ["disabled", "gone"])
async def test_disabled_and_unknown_are_one_404(site: Site, state: str) -> None:
    """For every method of handshakes, and whatever is asked."""
    case = named("echo_query")
    puller = await site.join(await site.organisation("acme"))
    await puller.declare("asked", handshake=f"{case.touchpoint.handshake}|options|status_probe:HEAD")
    path = puller.path("asked")
    if state == "disabled":
        await puller.declare("asked", handshake=case.touchpoint.handshake, state="disabled")
    else:
        path = path[:-1] + ("a" if path[-1] != "a" else "b")
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        unknown = await site.http.request(method, f"{site.url}/nobody/nothing/{'a' * 32}?{case.query}")
        answer = await site.http.request(method, f"{site.url}{path}?{case.query}")
        assert (answer.status_code, answer.content, dict(answer.headers)) == (404, b"", dict(unknown.headers))


async def test_what_a_newer_agent_declares_is_passed_over(site: Site) -> None:
    """Its events come all the same, and the kinds that are known are answered."""
    case = named("options")
    puller = await site.join(await site.organisation("acme"))
    await puller.declare("asked", handshake="of_tomorrow:x|options")
    url = site.url + puller.path("asked")
    assert (await asked(site, url, case)).headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert (await site.http.post(url, content=EVENT)).status_code == 200
    assert [one.body for one in await puller.drain()] == [EVENT]


async def test_an_agent_of_another_organisation_answers_nothing(site: Site) -> None:
    """Each is asked what is its own, and its replies are looked for there alone."""
    case = named("crc_token")
    async with answering(site, case.touchpoint) as (agent, url):
        stranger = await site.tenant("other")
        other = Answering(stranger, agent_does_nothing, replace(case.touchpoint, secrets=("stolen",)))
        await other.step()
        answer = await asked(site, url, case)
        assert (answer.status_code, answer.content) == (200, case.wanted(url))
    assert (agent.asked, other.asked) == (1, 0)


async def agent_does_nothing(_touchpoint: object, _request: object, answer: Answer) -> Answer:
    """Performs nothing."""
    return answer
