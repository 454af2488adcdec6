"""The proxy path: it follows mode and pairing, declares what there is, and lets an old way in end gently."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance import proxy_link
from appliance.direct_path import DirectPath
from appliance.hops import pull_pace
from appliance.path_overlap import PathOverlap
from appliance.proxy_link import ProxyNeeds
from appliance.proxy_membership import Membership, checked_url
from appliance.proxy_path import ProxyPath
from appliance.tasks import Tasks
from store import remote
from store.dock import Landed
from store.remote_errors import RemoteError
from store.settings import AgentSettings, Configuration
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from store.sqlite.old_path import SqliteOldPaths
from store.sqlite.pairing import SqlitePairing
from store.vault import Vault
from tests.appliance.hops import scripted_proxy as faults
from tests.appliance.hops.scripted_proxy import ORGANISATION_KEY, ScriptedProxy, pairing
from tests.appliance.stage import FakeClock, changed, touchpoint, until, until_async
from tests.store.configuration_kit import KEY, MACHINE, Kit, open_kit
from tests.store.make import opened
from touchpoints.moment import DAY, HOUR, MINUTE
from touchpoints.problem import Problem, ProblemError
from touchpoints.pull.body import decode
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint
from touchpoints.pull.key import exchange_public, signing_public
from touchpoints.pull.message import PullRequest
from touchpoints.pull.pairing import fingerprint
from touchpoints.pull.sealing import unwrap_organisation_key, wrap_organisation_key, wrap_token
from touchpoints.pull.token import token_digest
from touchpoints.touchpoint import TouchpointState
from web.listener.budget import Budget

pytestmark = pytest.mark.anyio

ORDERS = touchpoint(1, name="orders")
STOCK = touchpoint(2, name="stock", aliases=("old-stock",), handshake="json_challenge:x", methods=("POST", "PUT"))
STOCK_FILE = """
[[touchpoint]]
name = "stock"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
[[touchpoint.destination]]
kind = "http"
url = "http://127.0.0.1:1/"
"""


class Home:
    """A path with everything around it, over real files."""

    def __init__(self, kit: Kit, file: EventsFile, proxy: ScriptedProxy, mode: str) -> None:
        self.kit, self.file, self.proxy = kit, file, proxy
        self.clock = FakeClock()
        self.tasks = Tasks()
        self.pairings = SqlitePairing(kit.database, Vault(KEY))
        self.old_paths = SqliteOldPaths(kit.database)
        self.configuration = Configuration(agent=AgentSettings(mode=mode), touchpoints=(ORDERS, STOCK))
        self.verified: list[int] = []
        self.unseen = False
        self.landed: list[Landed] = []
        self.clients: list[str] = []
        self.path = ProxyPath(
            ProxyNeeds(
                pairings=self.pairings,
                old_paths=self.old_paths,
                dock=lambda: file.dock,
                client=self.client,
                configuration=lambda: self.configuration,
                budget=Budget(48 * 1024 * 1024),
                clock=self.clock,
                jitter=lambda: -1.0,
                chance=self.chance,
                tasks=self.tasks,
                released=lambda _: None,
                trouble=lambda: "",
                verify=self.verify,
                unseen=lambda: self.unseen,
                landed=self.landed.extend,
                version="1.2.3",
            )
        )
        self.membership = Membership(
            self.path, pairings=self.pairings, client=self.client, clock=self.clock, chance=self.chance, version="test"
        )
        self._drawn = 0

    def client(self, url: str) -> httpx.AsyncClient:
        self.clients.append(url)
        return self.proxy.client()

    def chance(self, size: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(size, "little")

    async def verify(self, number: int) -> None:
        self.verified.append(number)

    async def set(self, mode: str | None = None, **fields: Any) -> None:
        agent = replace(self.configuration.agent, mode=mode) if mode else self.configuration.agent
        self.configuration = replace(self.configuration, agent=agent, **fields)
        await self.path.follow()

    async def ran(self) -> list[int]:
        return [int(one.event.id) for one in await self.file.inbox.take(limit=100)]

    async def has(self, *numbers: int) -> None:
        async def there() -> bool:
            return await self.ran() == list(numbers)

        await until_async(there)

    def names(self) -> dict[str, str]:
        return {one.name: one.state for one in self.proxy.declared.touchpoints}


@asynccontextmanager
async def home(
    folder: Path, proxy: ScriptedProxy, *, mode: str = "proxy", paired: bool = True, start: bool = True, **fields: Any
) -> AsyncIterator[Home]:
    """Paired, started, and ended as the process ends it."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - once, before anything runs
    kit = await open_kit(folder)
    async with opened(folder / "events.db", AiosqliteDatabase.open) as file:
        made = Home(kit, file, proxy, mode)
        if paired and await made.pairings.load() is None:
            await made.pairings.save(pairing(key_renewed_at=made.clock.now(), **fields), actor="test", now=1)
        if start:
            await made.path.start()
        try:
            yield made
        finally:
            await made.path.close(grace=1)
    await kit.database.close()


@pytest.fixture
def proxy() -> ScriptedProxy:
    return ScriptedProxy()


async def test_it_is_off_until_mode_and_pairing_want_it(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Without a pairing it says what to do; in direct mode nothing is asked of the proxy."""
    async with home(tmp_path, proxy, mode="direct", paired=False) as one:
        assert (one.path.state, one.path.problem) == ("off", None)
        await one.set("proxy")
        assert one.path.state == "off"
        assert one.path.problem is not None
        assert one.path.problem.code == "proxy_unpaired"
        await one.set("direct")
        await one.pairings.save(pairing(), actor="test", now=1)
        await one.path.follow()
        assert (one.path.state, proxy.requests) == ("off", [])
        await one.set("both")
        await until(lambda: one.path.state == "connected")


async def test_it_declares_what_there_is_and_shows_its_urls(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Names, aliases, methods, handshakes and states; each with a token that is kept; changes follow by themselves."""
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.names() == {"orders": "running", "stock": "running"})
        stock = next(each for each in proxy.declared.touchpoints if each.name == "stock")
        assert (stock.aliases, stock.methods, stock.handshake) == (("old-stock",), ("POST", "PUT"), "json_challenge:x")
        urls = dict(one.path.urls)
        assert set(urls) == {1, 2}
        token = urls[2].removeprefix("https://proxy.test/acme/stock/")
        assert token_digest(token) == stock.tokens[0].digest
        assert {each.token for each in await one.pairings.tokens()} == {url.rpartition("/")[2] for url in urls.values()}
        await one.set(touchpoints=(changed(ORDERS, state=TouchpointState.DISABLED),))
        await until(lambda: one.names() == {"orders": "disabled", "stock": "running"})  # as another agent's would
        await one.kit.apply(STOCK_FILE)
        await one.kit.store.remove("stock", actor=MACHINE, undelivered={}, now=5)
        await one.set()
        await until(lambda: one.names() == {"orders": "disabled"})
        await one.path.rotate(1)
        await until(lambda: len(proxy.declared.touchpoints[0].tokens) == 2)
        assert [each.retiring for each in proxy.declared.touchpoints[0].tokens] == [True, False]
        assert one.path.urls[1] != urls[1]
    requests = len([path for _, path in proxy.requests if path == "/v1/declaration"])
    async with home(tmp_path, proxy) as one:
        one.configuration = replace(one.configuration, touchpoints=(changed(ORDERS, state=TouchpointState.DISABLED),))
        await until(lambda: one.path.state == "connected" and bool(one.path.urls))
    assert len([path for _, path in proxy.requests if path == "/v1/declaration"]) <= requests + 4


async def test_a_new_agent_adopts_what_was_declared(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """No sender's URL changes; what it lacks it says, and goes on declaring it."""
    async with home(tmp_path / "old", proxy) as old:
        await until(lambda: len(old.names()) == 2)
        urls = dict(old.path.urls)
    async with home(tmp_path / "new", proxy, agent_id="two", signing_key=faults.signing_key("two")) as new:
        new.configuration = replace(new.configuration, touchpoints=(ORDERS,))
        await until(lambda: new.path.state == "connected" and 1 in new.path.urls)
        await until(lambda: proxy.holder == "two")
        assert new.path.urls == {1: urls[1]}
        assert new.path.lacking == ("stock",)
        assert new.names() == {"orders": "running", "stock": "running"}
        proxy.rung.set()
        await new.set(touchpoints=(ORDERS, changed(STOCK, state=TouchpointState.SETUP)))
        await until(lambda: new.names() == {"orders": "running", "stock": "setup"})
        assert new.path.urls == urls


async def test_a_standby_says_what_it_lacks(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Also a secret it does not have; it declares nothing."""
    proxy.holder, proxy.epoch = "other", 5
    token = "t" * 32
    sealed = wrap_token(token, pairing().sealing_key, organisation=7, touchpoint="stock")
    one_token = DeclaredToken(digest=token_digest(token), sealed=sealed)
    broken = DeclaredToken(digest=token_digest("x"), sealed=b"nothing at all")
    proxy.declared = Declaration(
        touchpoints=(
            DeclaredTouchpoint(name="stock", tokens=(one_token, broken)),
            DeclaredTouchpoint(name="crm"),
            DeclaredTouchpoint(name="gone", state="disabled"),
        )
    )
    async with home(tmp_path, proxy, start=False) as one:
        one.configuration = replace(one.configuration, touchpoints=(changed(STOCK, state=TouchpointState.SETUP),))
        await one.path.start()
        await until(lambda: one.path.lacking == ("stock", "crm"))
        assert one.path.state == "standby"
        assert one.path.standing.holder == "agent other"
        assert one.path.urls == {2: f"https://proxy.test/acme/stock/{token}"}
        assert set(one.names()) == {"stock", "crm", "gone"}
        one.path.jumped()
        await until(lambda: proxy.pulls[-1].lacking == ("stock", "crm"))


async def test_direct_to_proxy_and_back_loses_nothing(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old path goes on by itself for the overlap, then is visited, over a restart too, until a person closes it."""
    monkeypatch.setattr(proxy_link, "VISIT_LASTS", 0.3)
    monkeypatch.setattr(proxy_link, "VISIT_EVERY", 600_000)
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.02)
    async with home(tmp_path, proxy) as one:
        await until(lambda: len(one.names()) == 2)
        await one.set("direct")
        assert one.path.closing is not None
        proxy.post(1)
        await one.has(1)
        assert one.path.state == "connected"
        await one.path.watch()
        assert one.path.closing.used_at == one.clock.now()
    async with home(tmp_path, proxy, mode="direct") as one:
        assert one.path.closing is not None
        proxy.post(2)
        await one.has(1, 2)
        one.clock.forward(DAY + HOUR)
        await until(lambda: len(proxy.released) >= 2)
        proxy.post(3)
        await one.has(1, 2, 3)
        await one.path.close_now()
        await until(lambda: set(one.names().values()) == {"disabled"})
        await until(lambda: one.path.state == "off")
        urls = {each.name: each.tokens for each in proxy.declared.touchpoints}
        await one.set("proxy")
        await until(lambda: set(one.names().values()) == {"running"})
        assert {each.name: [t.digest for t in each.tokens] for each in proxy.declared.touchpoints} == {
            name: [t.digest for t in tokens] for name, tokens in urls.items()
        }


async def test_an_old_path_that_the_proxy_was_not_told_of_stays_open(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Whoever closed it was told that it failed: nothing closes it later, unasked."""

    async def silent(request: httpx.Request, answer: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        if request.url.path == "/v1/declaration":
            raise httpx.ConnectError("no route")
        return await answer()

    async with home(tmp_path, proxy) as one:
        await until(lambda: len(one.names()) == 2)
        await one.set("direct")
        link = one.path._link
        assert link is not None
        proxy.fault = silent
        with pytest.raises(RemoteError):
            await one.path.close_now()
        proxy.fault = None
        proxy.post(1)
        await one.has(1)
        await until(lambda: not link.declaring.due(link._digest, holds=True))
        assert set(one.names().values()) == {"running"}
        assert one.path.closing is not None


async def test_what_waits_is_fetched_before_an_old_path_closes(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at it something was accepted: a person who closes it gets that, or is told that it stays open."""
    monkeypatch.setattr(proxy_link, "VISIT_LASTS", 0.1)
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(proxy_link, "FETCH_LOOKS", 0.02)

    async def nothing_comes(request: httpx.Request, answer: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        if request.url.path == "/v1/pull" and not decode(PullRequest, request.read()).paused:
            raise httpx.ConnectError("no route")
        return await answer()

    async with home(tmp_path, proxy) as one:
        await until(lambda: len(one.names()) == 2)
        await one.set("direct")
        one.clock.forward(DAY + HOUR)
        await until(lambda: len(proxy.released) >= 2)  # the first look is over: the next is ten minutes away
        proxy.post(1)
        proxy.fault = nothing_comes
        monkeypatch.setattr(proxy_link, "FETCH_LASTS", 0.1)
        with pytest.raises(RemoteError, match="1 in all"):
            await one.path.close_now()
        assert one.path.closing is not None
        assert not one.path._link or not one.path._link.closed
        proxy.fault = None
        monkeypatch.setattr(proxy_link, "FETCH_LASTS", 10.0)
        await one.path.close_now()
        await one.has(1)
        assert set(one.names().values()) == {"disabled"}
        assert one.path.closing is None


def test_an_old_path_is_looked_at_every_ten_minutes() -> None:
    """A look lasts longer than a whole poll."""
    assert proxy_link.VISIT_EVERY == 10 * MINUTE
    assert proxy_link.VISIT_LASTS > pull_pace.LONGEST_WAIT + remote.PULL_GRACE


async def test_it_waits_for_its_key_and_takes_it_up(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Approved on another agent it goes on by itself; a wrong key is said."""
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.01)
    async with home(tmp_path, proxy, opening_key=b"") as one:
        await until(lambda: ("one", "/v1/key") in proxy.requests)
        assert one.path.state == "waiting_key"
        assert one.path.problem is not None
        assert one.path.problem.code == "proxy_key_waits"
        public = exchange_public(pairing().exchange_key)
        proxy.wrapped = wrap_organisation_key(bytes(32), public, organisation=7, agent="one")
        await until(lambda: one.path.problem is not None and one.path.problem.code == "proxy_key_unreadable")
        proxy.wrapped = wrap_organisation_key(ORGANISATION_KEY, public, organisation=7, agent="one")
        await until(lambda: one.path.state == "connected")
        assert ("one", "/v1/ready") in proxy.requests
        kept = await one.pairings.load()
        assert kept is not None
        assert kept.opening_key == ORGANISATION_KEY


async def test_a_challenge_that_grew_old_is_fetched_anew(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy was started anew between the two calls, or has its list of agents back from an older backup."""
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.01)
    proxy.refusing["/v1/ready"] = Problem("ready_unproved", "Not what the challenge holds.", "Fetch it anew.")
    async with home(tmp_path, proxy):
        await until(lambda: "one" in proxy.ready)
        assert proxy.requests.count(("one", "/v1/ready")) == 2
        await until(lambda: bool(proxy.declared.touchpoints))


async def test_lacking_touchpoints_are_verified_once_they_are_there(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Their events waited refused; nothing runs unverified."""
    proxy.post(1, touchpoint="crm")
    async with home(tmp_path, proxy) as one:
        await until(lambda: proxy.acknowledged == 1)
        await until_async(one.file.dock.lacking)
        (number,) = await one.file.dock.lacking()
        assert (await one.ran(), one.verified) == ([], [])
        await one.set(touchpoints=(ORDERS, touchpoint(number, name="crm")))
        assert one.verified == [number]


async def test_after_a_restore_they_wait_until_somebody_has_looked(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """The touchpoint may have come after the backup, and these events have run: they do not by themselves a second time."""
    proxy.post(1, touchpoint="crm")
    async with home(tmp_path, proxy) as one:
        await until_async(one.file.dock.lacking)
        (number,) = await one.file.dock.lacking()
        one.unseen = True
        await one.set(touchpoints=(ORDERS, touchpoint(number, name="crm")))
        await one.path.watch()
        assert one.verified == []
        one.unseen = False
        await one.path.watch()
        assert one.verified == [number]


@pytest.mark.parametrize("fields", [{"name": "crm"}, {"name": "stock", "aliases": ("crm",)}])
async def test_a_touchpoint_that_takes_the_name_takes_the_events(
    tmp_path: Path, proxy: ScriptedProxy, fields: dict[str, Any]
) -> None:
    """Renamed or aliased to what was lacking, it has an id of its own: the events become its own, and are verified once."""
    async with home(tmp_path, proxy) as one:
        for name in ("first", "second", "third"):
            await one.pairings.touchpoint_id(name)
        proxy.post(1, touchpoint="crm")
        await until_async(one.file.dock.lacking)
        assert await one.file.dock.lacking() == {4: 1}
        await one.set(touchpoints=(ORDERS, touchpoint(2, **fields)))
        assert await one.file.dock.lacking() == {2: 1}
        assert one.verified == [2]
        await one.path.watch()
        assert one.verified == [2]  # this stand-in accepts nothing: what did not verify is not tried all day
        await one.path.follow()
        assert one.verified == [2, 2]
        await until(lambda: set(one.names()) == {"orders", fields["name"]})


async def test_events_that_were_judged_before_their_touchpoint_came_are_not_forgotten(
    tmp_path: Path, proxy: ScriptedProxy
) -> None:
    """They land after the touchpoint was made: the next look finds them."""
    async with home(tmp_path, proxy) as one:
        _, _, late = [await one.pairings.touchpoint_id(name) for name in ("first", "second", "crm")]
        await one.set(touchpoints=(ORDERS, STOCK, touchpoint(late, name="crm")))
        assert one.verified == []
        proxy.post(1, touchpoint="gone")
        await until_async(one.file.dock.lacking)
        (gone,) = await one.file.dock.lacking()
        await one.file.dock.adopt(gone, late)  # as if it had been judged just before
        await one.path.watch()
        assert one.verified == [late]


async def test_the_signing_key_is_renewed_and_kept_before_it_is_used(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time; the agent then signs with the new one, also after a restart."""
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.01)
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "connected")
        before = signing_public(faults.signing_key("one"))
        one.clock.forward(91 * DAY)
        await until(lambda: proxy.signing.get("one", before) != before)
        await until_async(lambda: _signs_with(one, proxy))
        proxy.post(1)
        await one.has(1)
    async with home(tmp_path, proxy) as one:
        proxy.post(2)
        await one.has(1, 2)


async def test_a_proxy_put_back_to_before_the_renewal_still_knows_the_agent(
    tmp_path: Path, proxy: ScriptedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the key it had then, which at once gives way to a fresh one; also where the agent was started in between."""
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.01)
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "connected")
        one.clock.forward(91 * DAY)
        await until_async(lambda: _signs_with(one, proxy))
        await until(lambda: one.path.state == "connected")
        proxy.signing.clear()
        lost = (await one.pairings.load() or pairing()).signing_key
        proxy.post(1)
        await one.has(1)
        await until_async(lambda: _signs_with(one, proxy))
        assert (await one.pairings.load() or pairing()).signing_key != lost
    proxy.signing.clear()
    async with home(tmp_path, proxy) as one:
        proxy.post(2)
        await one.has(1, 2)
        await until_async(lambda: _signs_with(one, proxy))


async def _signs_with(one: Home, proxy: ScriptedProxy) -> bool:
    kept = await one.pairings.load()
    return kept is not None and signing_public(kept.signing_key) == proxy.signing.get("one")


async def test_an_unreachable_proxy_is_said_in_words(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """And a proxy setting of the environment that is none."""
    proxy.fault = faults.cut
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "down")
        assert one.path.problem is not None
        assert "Connection refused" in one.path.problem.text
        proxy.fault = None
        await until(lambda: one.path.state == "connected")

    async with home(tmp_path / "b", proxy, start=False) as other:

        def none(_: str) -> httpx.AsyncClient:
            raise ValueError("its proxy is not an http or https URL")

        other.path._needs = replace(other.path._needs, client=none)
        await other.path.start()
        await until(lambda: other.path.problem is not None)
        assert other.path.problem is not None
        assert other.path.problem.code == "proxy_corporate"


async def test_a_person_approves_another_agent_by_its_fingerprint(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Only by the one that was compared; the key that is handed over opens for that agent alone."""
    proxy.accepted["two"] = set()
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "connected")
        signing, exchange = faults.signing_key("two"), faults.signing_key("two x")
        compared = fingerprint(signing_public(signing), exchange_public(exchange))
        for agent, said, code in (
            ("two", "00000", "agent_fingerprint_changed"),
            ("three", compared, "proxy_agent_unknown"),
        ):
            with pytest.raises(ProblemError) as caught:
                await one.membership.approve(agent, said)
            assert caught.value.problems[0].code == code
        await one.membership.approve("two", compared.replace(" ", ""))
        (approved,) = proxy.approved
        opened_key = unwrap_organisation_key(
            approved.wrapped_key, exchange, organisation=7, agent="two", sealing_key=pairing().sealing_key
        )
        assert opened_key == ORGANISATION_KEY
        assert one.membership.fingerprint == fingerprint(
            signing_public(pairing().signing_key), exchange_public(pairing().exchange_key)
        )


async def test_leaving_forgets_the_pairing(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Where the proxy cannot be told it is refused, unless wanted anyway."""
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "connected")
        proxy.fault = faults.cut
        with pytest.raises(ProblemError):
            await one.membership.leave(actor="ann")
        assert await one.pairings.load() is not None
        await one.membership.leave(actor="ann", anyway=True)
        assert await one.pairings.load() is None
        await until(lambda: one.path.state == "off")
        assert one.path.closing is None
        with pytest.raises(ProblemError) as caught:
            await one.membership.leave(actor="ann")
        assert caught.value.problems[0].code == "proxy_no_pairing"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy.test",
        "http://proxy.test",
        "https://proxy.test/a",
        "https://u:p@proxy.test",
        "ftp://x",
        "https://x:0",
        "https://[",
    ],
)
def test_what_is_no_proxys_url_is_refused(url: str) -> None:
    """A secret would travel in clear, or it names no host."""
    with pytest.raises(ProblemError) as caught:
        checked_url(url)
    assert caught.value.problems[0].code == "proxy_url_invalid"


def test_a_proxys_url_is_kept_without_its_slash() -> None:
    assert checked_url(" https://proxy.test:8443/ ") == "https://proxy.test:8443"
    assert checked_url("http://127.0.0.1:8430") == "http://127.0.0.1:8430"


async def test_the_listener_stays_after_a_switch_until_it_is_over(tmp_path: Path, free_port: Any) -> None:
    """Also over a restart; use lengthens it; a person may close it now; wanted again it is in use."""
    kit = await open_kit(tmp_path)
    clock = FakeClock()
    port = free_port()

    async def app(_scope: Any, _receive: Any, _send: Any) -> None: ...

    def make() -> DirectPath:
        overlap = PathOverlap("direct", SqliteOldPaths(kit.database), now=clock.now)
        return DirectPath(app, trusted=lambda _: False, overlap=overlap)

    def settings(mode: str) -> AgentSettings:
        return AgentSettings(mode=mode, listen="127.0.0.1", port=port)

    path = make()
    await path.start(settings("direct"))
    assert (path.state, path.closing) == ("up", None)
    await path.close(grace=0)
    path = make()
    await path.start(settings("proxy"))  # the mode changed while it was stopped
    assert path.state == "up"
    assert path.closing is not None
    clock.forward(20 * HOUR)
    path.used()
    await path.watch()
    clock.forward(20 * HOUR)
    await path.watch()
    assert path.state == "up"
    assert path.closing.used_at == clock.now() - 20 * HOUR
    clock.forward(4 * HOUR + MINUTE)
    await path.watch()
    assert _stands(path) == ("off", None)
    await path.follow(settings("both"))
    await path.follow(settings("proxy"))
    assert path.state == "up"
    await path.close_now()
    assert _stands(path) == ("off", None)
    await path.follow(settings("proxy"))
    assert path.state == "off"
    await path.close(grace=0)
    await kit.database.close()


def _stands(path: DirectPath) -> tuple[str, object]:
    return path.state, path.closing


async def test_a_changed_configuration_does_not_give_the_lease_away(tmp_path: Path, proxy: ScriptedProxy) -> None:
    """Nobody takes over because a touchpoint was edited."""
    async with home(tmp_path, proxy) as one:
        await until(lambda: one.path.state == "connected")
        await one.set(touchpoints=(ORDERS,))
        await until(lambda: set(one.names()) == {"orders", "stock"} or set(one.names()) == {"orders"})
        await asyncio.sleep(0.05)
        assert (proxy.released, proxy.epoch) == ([], 1)
