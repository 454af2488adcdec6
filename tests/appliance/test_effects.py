"""Effects in a whole agent: secrets that senders set, and confirmations that are visited."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.agent import Agent
from appliance.effects import Effects
from store.configuration import Applied
from store.inbox import StoreUnavailable
from tests.appliance.agents import MACHINE, agent_over, apply, codes, direct
from tests.touchpoints.factory import make_request
from tests.touchpoints.handshakes.cases import ASANA, HOOK_SECRET, NOTION, NOTION_SECRET, SNS, SUBSCRIBE_URL, signature
from touchpoints.moment import told_moment
from touchpoints.problem import ProblemError, problem
from touchpoints.request import Answer
from touchpoints.touchpoint import TouchpointState

pytestmark = pytest.mark.anyio

Ports = Callable[[], int]
ASKED = """
[[touchpoint]]
name = "asked"
provider = "{provider}"
[[touchpoint.destination]]
kind = "folder"
path = "{folder}"
"""


def configuration(port: int, provider: str, folder: Path) -> str:
    """Direct mode with one touchpoint in setup."""
    return direct(port) + ASKED.format(provider=provider, folder=folder.as_posix())


async def post(port: int, body: bytes = b"{}", **headers: str) -> httpx.Response:
    """Post to it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(f"http://127.0.0.1:{port}/hooks/asked", content=body, headers=sent)


def made(agent: Agent) -> Any:
    """The touchpoint as it runs."""
    return agent.configuration.touchpoints[0]


async def needed(agent: Agent) -> list[str]:
    """The codes of what needs a person about it."""
    return [need.problem.code for need in (await agent.control.needs())[0] if need.touchpoint == "asked"]


async def test_asana_sets_the_secret_and_signs_with_it_at_once(tmp_path: Path, free_port: Ports) -> None:
    """Nobody sets another; a person is told until it is dismissed; the secret is nowhere in clear."""
    port, out = free_port(), tmp_path / "out"
    out.mkdir()
    async with agent_over(tmp_path / "data") as agent:
        assert codes(await apply(agent, configuration(port, "asana", out))) == []
        assert made(agent).state is TouchpointState.SETUP
        answer = await post(port, x_hook_secret=HOOK_SECRET)
        assert (answer.status_code, answer.headers["x-hook-secret"]) == (200, HOOK_SECRET)
        assert (made(agent).state, made(agent).secrets) == (TouchpointState.RUNNING, (HOOK_SECRET,))
        right = await post(
            port,
            b'{"events":[{"action":"added"}]}',
            x_hook_signature=signature(b'{"events":[{"action":"added"}]}', HOOK_SECRET).decode(),
        )
        assert right.status_code == 200
        assert (await post(port, x_hook_secret="f" * 64)).status_code == 403
        assert (await post(port, x_hook_secret=HOOK_SECRET)).status_code == 200
        assert made(agent).secrets == (HOOK_SECRET,)
        [told] = agent.control.captured()
        assert (told["touchpoint"], told["remote"], told["value"]) == ("asked", "127.0.0.1", "")
        [need] = (await agent.control.status())["needs_you"]
        assert told_moment(told["at"]) in need["text"]
        assert await needed(agent) == ["secret_captured"]
        assert HOOK_SECRET not in await agent.control.show()
        lines = [line for _, line in await agent._opened.people.audited(limit=10)]
        [line] = [line for line in lines if line.action == "secret.capture"]
        assert line.actor == "sender:127.0.0.1"
        assert HOOK_SECRET not in repr(lines)
        await agent.control.dismiss_captured("asked", actor=MACHINE)
        assert (agent.control.captured(), await needed(agent)) == ([], [])


async def test_notions_token_is_shown_until_a_person_has_it(tmp_path: Path, free_port: Ports) -> None:
    """It survives a restart; forgotten, the touchpoint waits for another one, and nothing is told of the old."""
    port, out = free_port(), tmp_path / "out"
    out.mkdir()
    async with agent_over(tmp_path / "data") as agent:
        assert codes(await apply(agent, configuration(port, "notion", out))) == []
        assert (await post(port, NOTION.body)).status_code == 200
    async with agent_over(tmp_path / "data") as agent:
        [told] = agent.control.captured()
        assert (told["value"], told["remote"]) == (NOTION_SECRET, "127.0.0.1")
        other = json.dumps({"verification_token": "secret_another-one-of-somebody"}).encode()
        assert (await post(port, other)).status_code == 401
        await apply(agent, '[[touchpoint]]\nname = "asked"\nsecrets = []\n')
        assert (made(agent).state, agent.control.captured()) == (TouchpointState.SETUP, [])
        assert await needed(agent) == ["no_secret_yet"]
        assert (await post(port, other)).status_code == 200
        assert [one["value"] for one in agent.control.captured()] == ["secret_another-one-of-somebody"]
        with pytest.raises(ProblemError, match="touchpoint_unknown"):
            await agent.control.dismiss_captured("nobody", actor=MACHINE)


async def test_of_many_captures_at_once_one_wins(tmp_path: Path, free_port: Ports) -> None:
    """The others are told so, and the one that was answered is the one that is kept."""
    port, out = free_port(), tmp_path / "out"
    out.mkdir()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, configuration(port, "asana", out))
        secrets = [f"{number:064x}" for number in range(12)]
        answers = await asyncio.gather(*(post(port, x_hook_secret=secret) for secret in secrets))
        won = [answer for answer in answers if answer.status_code == 200]
        assert sorted(answer.status_code for answer in answers) == [200] + [403] * 11
        assert made(agent).secrets == (won[0].headers["x-hook-secret"],)
        assert all("x-hook-secret" not in answer.headers for answer in answers if answer.status_code == 403)


async def test_a_secret_of_a_touchpoint_that_is_gone_is_not_kept(tmp_path: Path, free_port: Ports) -> None:
    """Between the request and its answer a person may remove it, or give it another secret."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, configuration(free_port(), "asana", tmp_path))
        number = made(agent).id
        assert codes(await agent.control.capture(number + 1, HOOK_SECRET, "192.0.2.1")) == ["secret_there"]
        await apply(agent, '[[touchpoint]]\nname = "asked"\nsecrets = ["typed by a person"]\n')
        assert codes(await agent.control.capture(number, HOOK_SECRET, "192.0.2.1")) == ["secret_there"]
        assert made(agent).secrets == ("typed by a person",)
        assert agent.control.captured() == []


class Web:
    """What stands for the world outside."""

    def __init__(self, status: int = 200, *, hangs: bool = False, breaks: bool = False) -> None:
        self.status, self.hangs, self.breaks = status, hangs, breaks
        self.asked: list[httpx.Request] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.hangs:
            await asyncio.Event().wait()
        if self.breaks:
            raise httpx.ConnectError("gone")
        return httpx.Response(self.status, headers={"location": "https://evil.example/"}, content=b"<xml/>")

    def connect(self, _url: str) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self.answer)


async def performed(web: Web, answer: Answer, capture: Callable[[int, str, str], Any] | None = None) -> Answer:
    """What becomes of an answer."""

    async def taken(*_captured: object) -> Applied:
        return Applied()

    effects = Effects(capture=capture or taken, connect=web.connect, lasts=0.05 if web.hangs else 5.0)
    return await effects.perform(SNS.touchpoint, make_request(), answer)


@pytest.mark.parametrize(("status", "wanted"), [(200, 200), (204, 200), (301, 503), (400, 503), (403, 503), (500, 503)])
async def test_a_visit_is_one_get_without_redirects(status: int, wanted: int) -> None:
    """Only 2xx confirms; where it leads is not followed."""
    web = Web(status)
    assert (await performed(web, Answer(visit=SUBSCRIBE_URL))).status == wanted
    assert [(request.method, str(request.url)) for request in web.asked] == [("GET", SUBSCRIBE_URL)]


@pytest.mark.parametrize("web", [Web(breaks=True), Web(hangs=True)], ids=["broken", "silent"])
async def test_what_cannot_be_visited_is_tried_again_by_its_sender(web: Web) -> None:
    """Within its time."""
    answer = await performed(web, Answer(visit=SUBSCRIBE_URL))
    assert answer == Answer(status=503, headers=((b"retry-after", b"30"),))


async def test_an_address_that_cannot_be_opened_is_no_crash() -> None:
    """Such as with an HTTPS_PROXY that is none."""

    def no_transport(_url: str) -> httpx.AsyncBaseTransport:
        raise ValueError("HTTPS_PROXY")

    async def taken(*_captured: object) -> Applied:
        return Applied()

    effects = Effects(capture=taken, connect=no_transport)
    assert (await effects.perform(SNS.touchpoint, make_request(), Answer(visit=SUBSCRIBE_URL))).status == 503


@pytest.mark.parametrize("error", [StoreUnavailable("store_corrupt"), ProblemError(problem("key_wrong"))], ids=["store", "key"])
async def test_a_secret_that_cannot_be_stored_is_not_answered(error: Exception) -> None:
    """The echo is what makes it the secret."""

    async def fails(*_captured: object) -> Applied:
        raise error

    echo = Answer(headers=((b"x-hook-secret", HOOK_SECRET.encode()),), secret=HOOK_SECRET)
    assert await performed(Web(), echo, fails) == Answer(status=503, headers=((b"retry-after", b"30"),))


async def test_what_was_done_is_left_out_of_the_answer() -> None:
    """So that nobody does it twice."""
    echo = Answer(headers=((b"x-hook-secret", HOOK_SECRET.encode()),), secret=HOOK_SECRET)
    assert await performed(Web(), echo) == Answer(headers=echo.headers)
    assert ASANA.touchpoint.secrets == ()
