"""The pull: nothing lost, nothing run that was not accepted, nothing altered taken, whatever the network does."""

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from appliance.hops import pull as module
from appliance.hops import pull_lease, pull_pace
from appliance.hops.pull_judge import sender_url
from appliance.hops.pull_pace import PullPace
from store import remote
from store.dock import Landed
from store.inbox import StoreUnavailable
from tests.appliance.hops import scripted_proxy as faults
from tests.appliance.hops.puller import LACKED, ORDERS, puller
from tests.appliance.hops.scripted_proxy import Fault, ScriptedProxy, pairing
from tests.appliance.stage import changed, touchpoint, until, until_async
from touchpoints.event import ArrivedBy, Verdict
from touchpoints.judge import Judged
from touchpoints.problem import Problem
from touchpoints.pull.body import encode_problem
from touchpoints.request import Request
from touchpoints.touchpoint import Touchpoint, Verification
from web.listener.judging import KeySource, judge_by

pytestmark = pytest.mark.anyio

SIGNED = Verification(signature="header:x-signature")


def signed(body: bytes, secret: str = "hush") -> tuple[tuple[bytes, bytes], ...]:
    return ((b"x-signature", hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()),)


@pytest.fixture
def proxy() -> ScriptedProxy:
    return ScriptedProxy()


async def test_what_is_posted_arrives_exactly_and_in_order(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Bytes, headers and the proxy's receipt are what the sender's request had; the acknowledgement is not left waiting."""
    odd = bytes(range(256)) * 20
    proxy.post(1, 2)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 2)
        proxy.post(3, body=odd, headers=((b"a", b"1"), (b"a", b"\xff"), (b"b", b"")))
        await agent.has(1, 2, 3)
        event = (await agent.file.inbox.take(limit=9))[2].event
        assert (event.arrived_by, event.method, event.target) == (ArrivedBy.PROXY, "POST", "/acme/orders/token?q=1")
        assert event.headers == ((b"a", b"1"), (b"a", b"\xff"), (b"b", b""))
        assert await agent.file.log.body(event.id) == odd
        assert (proxy.acknowledged, agent.released, agent.pull.standing.state) == (3, 3, "connected")
        assert await agent.file.dock.berths() == []


async def test_nothing_runs_before_its_acknowledgement_was_accepted(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """While the answer is on its way the event is docked, and the next pull waits at the proxy already."""
    gate = asyncio.Event()

    async def slow(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        if request.url.path == "/v1/acknowledge":
            await gate.wait()
        return await go()

    proxy.fault = slow
    proxy.post(1)
    async with puller(tmp_path, proxy) as agent:
        await until(lambda: len(proxy.pulls) > 1 and ("one", "/v1/acknowledge") in proxy.requests)
        assert proxy.pulls[-1].after == 1
        assert await agent.ran() == []
        gate.set()
        await agent.has(1)


FAULTS = {name: getattr(faults, name) for name in ("cut", "lost", "twice", "half", "altered", "unsigned")}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_whichever_request_goes_wrong_everything_arrives_once(tmp_path: Path, fault: Fault) -> None:
    """The first, the second, the third … request meets the fault, until a run has fewer; kill and restart in the midst."""
    for nth in itertools.count(1):
        proxy, folder, count = ScriptedProxy(), tmp_path / str(nth), itertools.count(1)
        folder.mkdir()
        struck = False

        async def strike(
            request: httpx.Request,
            go: Callable[[], Awaitable[httpx.Response]],
            count: "itertools.count[int]" = count,
            nth: int = nth,
        ) -> httpx.Response:
            nonlocal struck
            if next(count) != nth:
                return await go()
            struck = True
            return await fault(request, go)

        proxy.fault = strike
        proxy.post(1, 2)
        async with puller(folder, proxy) as agent:
            await agent.has(1, 2)
            proxy.post(3)
            await agent.has(1, 2, 3)
        proxy.post(4)
        async with puller(folder, proxy) as agent:
            await agent.has(1, 2, 3, 4)
            await until(lambda proxy=proxy: proxy.acknowledged == 4)  # type: ignore[misc]
        if not struck:
            break
    assert nth > 6


@pytest.mark.parametrize("fault", [faults.cut, faults.lost], ids=["cut", "lost"])
async def test_a_lease_that_moves_gives_no_event_to_two(tmp_path: Path, fault: Fault) -> None:
    """The n-th request fails while the lease goes to another agent: each event is run by one of both, and by one only."""
    for nth in itertools.count(1):
        proxy, folder, count = ScriptedProxy(), tmp_path / str(nth), itertools.count(1)
        folder.mkdir()
        proxy.limit = 2
        struck = False

        async def strike(
            request: httpx.Request,
            go: Callable[[], Awaitable[httpx.Response]],
            count: "itertools.count[int]" = count,
            nth: int = nth,
            proxy: ScriptedProxy = proxy,
        ) -> httpx.Response:
            nonlocal struck
            if request.headers.get("hookport-agent") != "one" or next(count) != nth:
                return await go()
            struck = True
            try:
                return await fault(request, go)
            finally:
                proxy.move_lease("two")

        proxy.fault = strike
        proxy.post(1, 2, 3, 4)
        async with puller(folder, proxy, "one") as one, puller(folder, proxy, "two", start=False) as two:
            await until_async(lambda one=one, proxy=proxy: _done(one, proxy))  # type: ignore[misc]
            two.start()
            proxy.post(5)
            await until(lambda proxy=proxy: proxy.acknowledged == 5)  # type: ignore[misc]
            await until_async(lambda one=one: _nothing_docked(one.file))  # type: ignore[misc]
            await until_async(lambda two=two: _nothing_docked(two.file))  # type: ignore[misc]
            mine, others = await one.ran(), await two.ran()
            assert sorted(mine + others) == [1, 2, 3, 4, 5]
            assert set(mine) == proxy.accepted.get("one", set())
            assert set(others) == proxy.accepted.get("two", set())
        if not struck:
            break
    assert nth > 3


async def _done(one: object, proxy: ScriptedProxy) -> bool:
    return proxy.holder == "two" or proxy.acknowledged == 4


async def _nothing_docked(file: object) -> bool:
    return not await file.dock.berths()  # type: ignore[attr-defined]


async def test_a_lease_that_moves_after_an_answer_was_lost(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """The final position tells what was accepted: that runs, the rest is dropped and comes to the other agent."""

    async def lose_one(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        if request.url.path != "/v1/acknowledge" or proxy.holder == "two":
            return await go()
        await go()
        proxy.messages.clear()
        proxy.next_seq = 3
        proxy.move_lease("two")
        raise httpx.ReadError("closed")

    proxy.fault = lose_one
    proxy.post(1, 2)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 2)
        await until(lambda: agent.pull.standing.state == "standby")
        assert agent.pull.standing.holder == "agent two"


async def test_a_kill_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed after its n-th request and started again, until a run is over before."""
    for nth in range(1, 12):
        proxy, folder = ScriptedProxy(), tmp_path / str(nth)
        folder.mkdir()
        proxy.post(*range(1, 6))
        proxy.limit = 2
        async with puller(folder, proxy) as agent:
            await until(lambda proxy=proxy, nth=nth: len(proxy.requests) >= nth or proxy.acknowledged == 5)  # type: ignore[misc]
            await agent.kill()
            assert set(await agent.ran()) <= proxy.accepted.get("one", set())
        async with puller(folder, proxy) as agent:
            await agent.has(1, 2, 3, 4, 5)


async def test_a_restored_proxy_gets_its_unknown_acknowledged_events_run_here(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Its numbers go on beyond what was seen, and what only this agent has is run here."""
    backup = proxy.snapshot()
    proxy.post(1, 2, 3)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 2, 3)
        await agent.kill()
        proxy.restore(backup)
        agent.start()
        await until(lambda: proxy.incarnation == "inc-1x")
        proxy.post(4)
        await agent.has(1, 2, 3, 4)
        assert proxy.next_seq > 1000


async def test_what_was_docked_when_the_proxy_was_restored_runs_here(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Nobody else can have it."""
    backup = proxy.snapshot()
    proxy.post(1)

    async def no_acknowledgement(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        return await (faults.cut(request, go) if request.url.path == "/v1/acknowledge" else go())

    proxy.fault = no_acknowledgement
    async with puller(tmp_path, proxy) as agent:
        await until_async(agent.file.dock.berths)
        await agent.kill()
        proxy.restore(backup)
        proxy.fault = None
        agent.start()
        await agent.has(1)
        assert agent.pull.standing.proxy_restored


async def test_a_restored_agent_is_told(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """The proxy's position is beyond all that this agent has."""
    proxy.post(1, 2)
    proxy.acknowledged, proxy.messages = 2, []
    async with puller(tmp_path, proxy) as agent:
        proxy.post(3)
        await agent.has(3)
        assert agent.pull.standing.behind == (0, 2)


async def test_events_are_judged_as_the_listener_judges_them(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Right and wrong signatures, aliases, a handshake that came too late, a touchpoint that is not here."""
    slack = touchpoint(2, name="slack", handshake="json_challenge:url_verification")
    orders = changed(ORDERS, verification=SIGNED, secrets=("hush",))
    big = b"x" * 3_000_000
    proxy.post(1, body=b"{}", headers=signed(b"{}"))
    proxy.post(2, body=b"{}", headers=signed(b"{}", "wrong"))
    proxy.post(3, body=big, headers=signed(big), touchpoint="old-orders")
    proxy.post(4, body=b'{"type":"url_verification","challenge":"abc"}', touchpoint="slack")
    proxy.post(5, touchpoint="stock")
    proxy.post(6, body=big, headers=signed(b"else"))
    async with puller(tmp_path, proxy, "one", orders, slack) as agent:
        await agent.has(1, 3)
        await until(lambda: proxy.acknowledged == 6)
        await until_async(lambda: _nothing_docked(agent.file))
        refused = (Verdict.REFUSED, "signature_wrong")
        stored = await agent.stored()
        assert stored == {
            1: (Verdict.ACCEPTED, ""),
            2: refused,
            3: (Verdict.ACCEPTED, ""),
            5: (Verdict.REFUSED, "touchpoint_lacking"),
            6: refused,
        }
        assert await agent.file.dock.lacking() == {LACKED: 1}
        assert await agent.file.log.body(f"{6:026d}") == big


async def test_what_cannot_be_opened_is_kept_and_the_lane_goes_on(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """A key that is lost, a seal of another event, and one that holds nonsense."""
    proxy.post_sealed(f"{1:026d}", b"nobody opens this")
    proxy.post_sealed(f"{2:026d}", proxy.seal(f"{9:026d}"))
    proxy.post_sealed(f"{3:026d}", proxy.seal(f"{3:026d}"), key_id="gone")
    proxy.post(4)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(4)
        assert {n: why for n, (_, why) in (await agent.stored()).items() if why} == dict.fromkeys((1, 2, 3), "seal_unreadable")
        assert await agent.file.log.body(f"{1:026d}") == b"nobody opens this"


async def test_an_event_over_which_judging_fails_takes_no_other_with_it(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever found such a request could stop an organisation's events by one post. It is kept whole."""

    async def failing(source: KeySource, request: Request, touchpoint: Touchpoint, *, seconds: float) -> Judged:
        if request.body == b"poison":
            raise RecursionError
        return await judge_by(source, request, touchpoint, seconds=seconds)

    monkeypatch.setattr("appliance.hops.pull_judge.judge_by", failing)
    proxy.post(1)
    proxy.post(2, body=b"poison")
    proxy.post(3)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 3)
        assert (await agent.stored())[2] == (Verdict.REFUSED, "judging_failed")
        assert await agent.file.log.body(f"{2:026d}") == b"poison"


async def test_tampering_is_said_and_nothing_of_it_taken(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """A middlebox that changes answers is noticed always; once it is gone everything arrives."""
    proxy.post(1)
    proxy.fault = faults.altered
    async with puller(tmp_path, proxy) as agent:
        await until(lambda: agent.pull.standing.state == "down")
        problem = agent.pull.standing.problem
        assert problem is not None
        assert problem.code == "proxy_tampered"
        assert await agent.stored() == {}
        proxy.fault = None
        await agent.has(1)


async def test_events_out_of_order_are_discarded_whole(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Even signed: a proxy that gives a number twice is not believed."""
    proxy.post(1, 2)
    proxy.messages.append(proxy.messages[0])
    async with puller(tmp_path, proxy) as agent:
        await until(lambda: agent.pull.standing.state == "down")
        assert await agent.stored() == {}


async def test_an_ask_is_answered_while_events_wait(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """By the handshake alone: what is none, cannot be opened or is wrongly signed is answered 404."""
    slack = touchpoint(2, name="slack", verification=SIGNED, secrets=("hush",), handshake="json_challenge:url_verification")
    challenge = b'{"type":"url_verification","challenge":"abc"}'
    async with puller(tmp_path, proxy, "one", slack) as agent:
        await until(lambda: bool(proxy.pulls))
        proxy.ask("a", challenge, signed(challenge), "slack")
        await until(lambda: len(proxy.replies) == 1)
        assert (proxy.replies[0].id, proxy.replies[0].status, proxy.replies[0].body) == ("a", 200, b"abc")
        for name, body, headers, to in (
            ("b", challenge, signed(challenge, "wrong"), "slack"),
            ("c", b"{}", signed(b"{}"), "slack"),
            ("d", challenge, signed(challenge), "else"),
        ):
            proxy.ask(name, body, headers, to)
        await until(lambda: len(proxy.replies) == 4)
        assert {(reply.id, reply.status) for reply in proxy.replies[1:]} == {("b", 404), ("c", 404), ("d", 404)}
        assert await agent.stored() == {}


async def test_a_restarted_proxy_costs_one_more_round_trip(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Challenges are forgotten; the request is signed again at once, without a failure."""
    async with puller(tmp_path, proxy) as agent:
        proxy.post(1)
        await agent.has(1)
        proxy.restart()
        proxy.post(2)
        await agent.has(1, 2)
        proxy.rung.set()
        assert agent.pull.standing.problem is None


async def test_a_revoked_agent_says_so_and_keeps_what_it_has(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """It stops asking all the time, and forgets nothing."""
    proxy.post(1)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1)
        proxy.revoked.add("one")
        proxy.post(2)
        await until(lambda: agent.pull.standing.state == "revoked")
        asked = len(proxy.requests)
        await asyncio.sleep(0.05)
        assert len(proxy.requests) == asked
        assert agent.pull.standing.problem is not None


async def test_while_nothing_can_be_taken_the_lease_is_kept(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """The proxy is told why; when there is room again, it goes on."""
    proxy.post(1)
    async with puller(tmp_path, proxy, start=False) as agent:
        agent.trouble = "disk_low"
        agent.start()
        await until(lambda: agent.pull.standing.state == "paused")
        assert (proxy.pulls[-1].paused, agent.pull.standing.paused) == ("disk_low", "disk_low")
        assert proxy.pulls[-1].wait <= 5
        assert (await agent.stored(), proxy.holder) == ({}, "one")
        agent.trouble = ""
        agent.pull.renew()
        await agent.has(1)


async def test_a_store_that_fails_is_said_and_tried_again(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is acknowledged that is not on disk; the next poll asks for nothing."""
    monkeypatch.setattr(module, "STORE_REST", 0.0)
    proxy.post(1)
    async with puller(tmp_path, proxy, start=False) as agent:
        put = agent.file.dock.put

        async def full(*_: object) -> None:
            raise StoreUnavailable("disk_full")

        monkeypatch.setattr(agent.file.dock, "put", full)
        agent.start()
        await until(lambda: agent.pull.standing.paused == "disk_full")
        await until(lambda: any(one.paused == "disk_full" for one in proxy.pulls))
        assert proxy.acknowledged == 0
        monkeypatch.setattr(agent.file.dock, "put", put)
        agent.pull.renew()
        await agent.has(1)


async def test_an_event_that_cannot_be_stored_takes_no_other_with_it(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that fails alone is kept sealed."""
    proxy.post(1, 2, 3)
    async with puller(tmp_path, proxy, start=False) as agent:
        put = agent.file.dock.put

        async def picky(proxy_id: str, incarnation: str, epoch: int, landed: list[Landed]) -> None:
            if any(int(one.arrival.event.id) == 2 and one.arrival.body == b"{}" for one in landed):
                raise StoreUnavailable("store_row_failed")
            await put(proxy_id, incarnation, epoch, landed)

        monkeypatch.setattr(agent.file.dock, "put", picky)
        agent.start()
        await agent.has(1, 3)
        assert (await agent.stored())[2] == (Verdict.REFUSED, "seal_unreadable")


async def test_a_clean_stop_lets_another_take_over_at_once(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """The lease is given back; the standby, which waits already, goes on."""
    async with puller(tmp_path, proxy, "one") as one, puller(tmp_path, proxy, "two", start=False) as two:
        await until(lambda: proxy.holder == "one")
        two.start()
        proxy.post(1)
        await one.has(1)
        await one.kill()
        await one.pull.close(grace=5)
        assert (one.pull.standing.state, proxy.released) == ("off", [1])
        proxy.post(2)
        await two.has(2)


async def test_a_jump_of_the_clock_makes_a_new_connection_at_once(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """A laptop that wakes does not wait for the deadline of a poll that nobody hears any more."""
    stuck = asyncio.Event()

    async def hang(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        if proxy.fault is hang and request.url.path == "/v1/pull":
            stuck.set()
            await asyncio.Event().wait()
        return await go()

    proxy.fault = hang
    async with puller(tmp_path, proxy) as agent:
        await stuck.wait()
        proxy.fault = None
        proxy.post(1)
        agent.pull.renew()
        await agent.has(1)


async def test_a_half_open_connection_is_noticed_by_its_deadline(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that gets no answer within its wait and a little is given up, within a minute; the next one waits less."""
    assert pull_pace.LONGEST_WAIT + remote.PULL_GRACE < 60
    monkeypatch.setattr("store.remote.PULL_GRACE", -24.9)
    hung = 0

    async def hang(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        nonlocal hung
        if hung < 2 and request.url.path == "/v1/pull":
            hung += 1
            await asyncio.Event().wait()
        return await go()

    proxy.fault = hang
    proxy.post(1)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1)
        assert hung == 2


async def test_a_busy_proxy_is_left_alone_as_long_as_it_says(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry-After lengthens the rest, up to half a lease; a stranger's error page ends nothing."""
    monkeypatch.setattr(module, "MOST_REST", 0.01)
    answers = [
        httpx.Response(503, headers={"retry-after": "120"}),
        httpx.Response(502, content=b"<html>bad gateway"),
        httpx.Response(302, headers={"location": "https://login.test/"}),
        httpx.Response(407),
        httpx.Response(200, content=b"<html>Welcome to the hotel", headers={"content-type": "text/html"}),
        httpx.Response(401, content=encode_problem(Problem("something_else", "No.", ""))),
    ]
    seen: list[str] = []

    async def strange(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        return answers.pop(0) if answers else await go()

    proxy.fault = strange
    proxy.post(1)
    async with puller(tmp_path, proxy, start=False) as agent:
        failed = agent.pull.standing.failed

        def note(error: Exception) -> None:
            failed(error)
            assert agent.pull.standing.problem is not None
            seen.append(agent.pull.standing.problem.code)

        monkeypatch.setattr(agent.pull.standing, "failed", note)
        agent.start()
        await agent.has(1)
    assert seen == ["proxy_busy", "proxy_busy", "proxy_stranger", "proxy_corporate", "proxy_stranger", "proxy_stranger"]


async def test_a_batch_waits_for_its_part_of_the_memory(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """While others hold the budget nothing large is read; a small budget is asked for small batches."""
    proxy.post(1, body=b"x" * 400_000)
    async with puller(tmp_path, proxy, start=False) as agent:
        agent.budget.resize(1_000_000)
        assert agent.budget.try_take(900_000)
        agent.start()
        await until(lambda: bool(agent.budget._large_waiting))
        assert (await agent.stored(), proxy.pulls[0].max_bytes) == ({}, 250_000)
        agent.budget.give(900_000)
        await agent.has(1)


async def test_settled_is_reported(tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far everything is settled, and how much is not."""
    monkeypatch.setattr(module, "LOOK_AT_SETTLED", 0)
    proxy.post(1, 2)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 2)
        agent.pull.renew()
        await until(lambda: (proxy.pulls[-1].settled, proxy.pulls[-1].unsettled) == (0, 2))


def test_the_senders_url_is_made_of_what_it_asked_for() -> None:
    """With the domain in the path or before the host; nothing of a Host header."""
    assert sender_url(pairing(), "/acme/orders/t?a=1") == "https://proxy.test/acme/orders/t?a=1"
    assert sender_url(pairing(wildcard=True), "/orders/t?a=/b") == "https://acme.proxy.test/orders/t?a=/b"


def test_the_pace_learns_what_lies_between() -> None:
    """Waits shrink below what cuts them and grow again by and by; rests double up to half a minute, with full jitter."""
    pace = PullPace(lambda: 1.0)
    pace.cut(3.0)
    assert pace.wait == 25
    for _ in range(7):
        pace.good(25.0)
    assert pace.wait == 25
    for _ in range(100):
        pace.good(pace.wait)
    assert pace.wait == 45
    pace.cut(30.0)
    assert pace.wait == 24
    for _ in range(31):
        pace.good(24.0)
    assert pace.wait == 24  # what was too long once is tried again later, and each time much later
    pace.good(24.0)
    assert pace.wait == 30
    for _ in range(10):
        pace.cut(6.0)
    assert pace.wait == 5
    for _ in range(2047):
        pace.good(5.0)
    assert pace.wait == 5
    pace.good(5.0)
    assert pace.wait == 6.25
    rests = [pace.rest() for _ in range(12)]
    assert rests[:4] == [0.2, 0.4, 0.8, 1.6]
    assert rests[-1] == 30
    assert PullPace(lambda: -1.0).rest() == 0
    assert PullPace(lambda: -1.0).rest(at_least=7) == 7
    pace.cut(6.0)
    pace.begin_anew()
    assert (pace.wait, pace.failures) == (25, 0)
    for _ in range(8):
        pace.good(25.0)
    assert pace.wait == 31.25


def test_the_pace_asks_less_of_a_line_that_brings_nothing_whole() -> None:
    """An eighth of a batch each time, down to 16 KiB and one event; what came whole doubles it. The wait was not at fault."""
    pace = PullPace(lambda: 1.0)
    shares = []
    for _ in range(5):
        pace.cut(600.0, coming=True)
        shares.append(pace.share)
    assert shares == [8, 64, 512, 512, 512]
    assert pace.wait == 25
    pace.good(1.0)
    assert pace.share == 256
    for _ in range(9):
        pace.good(1.0)
    assert pace.share == 1
    pace.cut(600.0, coming=True)
    pace.begin_anew()
    assert pace.share == 1


async def test_what_did_not_come_whole_is_asked_for_in_smaller_parts(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """A batch that was cut in the midst comes in parts; nothing is missing, and later batches are whole ones again."""
    cuts = iter([True, True])

    async def breaking(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        answer = await go()
        if answer.status_code == 200 and request.url.path == "/v1/pull" and next(cuts, False):
            return httpx.Response(200, headers=answer.headers, content=answer.content, extensions={"broken": True})
        return answer

    proxy.post(1, 2, 3)
    proxy.fault = breaking
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1, 2, 3)
        for number in range(4, 12):
            proxy.post(number)
            await agent.has(*range(1, number + 1))
        most = agent.budget.limit // 6
        assert [one.max_bytes for one in proxy.pulls][:5] == [most, most // 8, most // 64, most // 32, most // 16]
        await until(lambda: proxy.pulls[-1].max_bytes == most)


async def test_the_lease_is_kept_while_a_long_answer_comes(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life go beside it, and change nothing; with none before it begins, and none after its end."""
    monkeypatch.setattr(pull_lease, "KEEP_EVERY", 0.01)
    gate = asyncio.Event()

    async def slowly(request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        answer = await go()
        held = gate if answer.status_code == 200 and request.url.path == "/v1/pull" and proxy.pulls[-1].after == 1 else None
        return httpx.Response(200, headers=answer.headers, content=answer.content, extensions={"gate": held} if held else {})

    proxy.post(1)
    async with puller(tmp_path, proxy) as agent:
        await agent.has(1)
        await until(lambda: proxy.pulls[-1].after == 1)
        before = proxy.requests.count(("one", "/v1/acknowledge"))
        proxy.fault = slowly
        agent.pull.renew()
        proxy.post(2)
        await until(lambda: proxy.requests.count(("one", "/v1/acknowledge")) > before + 3)
        assert (await agent.ran(), proxy.acknowledged) == ([1], 1)
        gate.set()
        await agent.has(1, 2)
        assert proxy.acknowledged == 2
