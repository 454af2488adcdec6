"""The proxy's screen: pairing, the recovery key that is shown once, the switch, and every deed once paired."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Error, Page, expect

from store.log import Filter
from store.settings import AgentSettings
from tests.appliance.agents import apply, direct
from tests.page.browser import Site, needs_chromium, open_browser, open_site, open_tab, send, signed_in
from tests.page.doorstep import OWN_FORM, OWN_LINK, PASSWORD, browser, doorstep, sign_in
from tests.page.scene import until
from tests.page.standings import CODE, OTHER, PAIRED, RECOVERY_KEY, STATE, print_of, standings
from tests.web.api.stand_in import NOW, SETTINGS, StandIn, event
from tests.whole.destination import Destination
from tests.whole.test_proxy import ProxyProcess
from touchpoints.event import ArrivedBy
from touchpoints.moment import MINUTE
from touchpoints.problem import problem
from web.membership import Standing
from web.page.badge import badges
from web.page.need import needs_shown
from web.page.proxy_view import organisation
from web.page.road import road
from web.vitals import Vitals

pytestmark = pytest.mark.anyio

TO = """
[[touchpoint]]
name = "orders"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "%s"
"""
FORM = {"url": "https://proxy.example.net", "code": CODE, "name": "shop-server"}


@pytest.fixture
def proxied(stand_in: StandIn) -> StandIn:
    """Paired and connected, with another agent that has unsettled events."""
    stand_in.control.settings = replace(SETTINGS, agent=AgentSettings(mode="proxy"))
    stand_in.membership.stands = PAIRED
    stand_in.membership.told = replace(STATE, agents=(*STATE.agents, replace(OTHER, state="waiting", unsettled=3)))
    return stand_in


@pytest.fixture
async def proxy(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[ProxyProcess]:
    """A real proxy, which knows the organisation acme."""
    made = ProxyProcess(tmp_path, port=free_port(), admin=free_port())
    listens = ("--listen", f"127.0.0.1:{made.port}", "--public-url", f"http://127.0.0.1:{made.port}")
    await asyncio.to_thread(made.start, *listens)
    yield made
    assert await asyncio.to_thread(made.stop) == 0


def code_of(proxy: ProxyProcess) -> str:
    """A fresh pairing code for acme."""
    added = proxy.run("org", "add", "acme")
    assert added.returncode == 0, added.stderr
    return added.stdout.splitlines()[-1]


@needs_chromium
@pytest.mark.timeout(120)
async def test_from_direct_to_the_proxy_and_back(tmp_path: Path, free_port: Callable[[], int], proxy: ProxyProcess) -> None:
    """A person pairs, keeps the recovery key, switches, gives the new URL away, gets an event by it, and goes back."""
    erp, port = Destination(port=free_port()).start(), free_port()
    async with AsyncExitStack() as stack:
        stack.callback(erp.stop)
        site = await stack.enter_async_context(open_site(tmp_path / "data"))
        assert (await apply(site.agent, direct(port) + TO % erp.url)).problems == ()
        made = await stack.enter_async_context(open_browser())
        watched = await signed_in(await made.new_context(locale="en-GB"), site)
        page = watched.page
        key = await pair_by_hand(page, site, proxy)
        at_proxy = await switch_by_hand(page, site, "proxy")
        assert at_proxy.startswith(f"http://127.0.0.1:{proxy.port}/acme/orders/")
        await expect(page.locator(".badge")).to_contain_text("PROXY")
        await expect(page.locator(".badge")).to_contain_text("connected")

        hooks = f"http://127.0.0.1:{port}/hooks/orders"
        assert await send(at_proxy, [b'{"n": 1}'], {"content-type": "application/json"}) == [200]
        assert await send(hooks, [b'{"n": 2}'], {"content-type": "application/json"}) == [200]
        await until(lambda: len(erp.got) == 2)
        await look_at_events(page, site)

        await page.goto(site.at("/touchpoints/orders"))
        await expect(page.locator("#endpoints p").first).to_contain_text("new")
        await expect(page.locator("#endpoints")).to_contain_text("closing: last used")
        await page.goto(site.at("/settings"))
        await page.locator("summary", has_text="Close now").click()
        await page.locator("form[action$='/close'] button").click()
        await expect(page.locator("#notices")).to_contain_text("The direct way is closed.")
        with pytest.raises(httpx.ConnectError):
            await send(hooks, [b"{}"], {})

        assert await switch_by_hand(page, site, "direct") == hooks
        assert await send(at_proxy, [b'{"n": 3}'], {"content-type": "application/json"}) == [200]
        assert await switch_by_hand(page, site, "both", way="Proxy") == at_proxy  # endpoint URLs survive there and back
        await until(lambda: len(erp.got) == 3)
        assert watched.wrong == []
        await nowhere_but_on_the_screen(site, key, tmp_path)


async def pair_by_hand(page: Page, site: Site, proxy: ProxyProcess) -> str:
    """From the settings to the recovery key, and on to the switch; the key."""
    await page.goto(site.at("/settings"))
    await page.locator("input[value=proxy]").check()
    await page.get_by_role("button", name="See what the switch does").click()
    await page.get_by_role("link", name="Pair with a proxy").click()
    code = await asyncio.to_thread(code_of, proxy)
    await page.fill("[name=url]", f" http://127.0.0.1:{proxy.port}/ ")
    await page.fill("[name=code]", "0000 0000 0000 0000 0000")
    await page.get_by_role("button", name="Pair", exact=True).click()
    await expect(page.locator("main .notice.is-bad")).to_be_visible()
    await page.fill("[name=code]", f" {code.lower().replace('-', ' ')} ")
    await page.get_by_role("button", name="Pair", exact=True).click()
    key = await page.locator(".recovery-key code").inner_text()
    assert len(key.replace("-", "")) == 32
    assert key not in page.url
    await page.get_by_role("button", name="Go on").click()  # not before it is written down
    await expect(page.locator(".recovery-key")).to_be_visible()
    await page.get_by_label("I have written it down").check()
    await page.get_by_role("button", name="Go on").click()
    await page.wait_for_url("**/settings/mode?to=proxy")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        await page.go_back()  # the browser kept nothing of it
    await page.wait_for_url("chrome-error://**")
    return key


async def switch_by_hand(page: Page, site: Site, to: str, *, way: str = "") -> str:
    """Read what it will do, do it, and take the URL that stands in the list of touchpoints."""
    await page.goto(site.at(f"/settings/mode?to={to}"))
    await expect(page.locator(".will li").first).to_be_visible()
    await page.locator("main form button.go").click()
    await page.wait_for_url("**/touchpoints")
    await expect(page.locator("#notices")).to_contain_text("arrive")
    row = page.locator("td.w")
    for _ in range(40):
        urls = row.locator(".endpoint", has_text=way).locator("code")
        if await urls.count():
            return await urls.first.inner_text()
        await page.wait_for_timeout(250)
        await page.reload()
    raise AssertionError("no URL came")


async def look_at_events(page: Page, site: Site) -> None:
    """The event says by which way it came."""
    listed = await site.agent._desk.log().events(Filter(), limit=5)
    came = {one.event.arrived_by: one.event.id for one in listed}
    assert set(came) == {ArrivedBy.DIRECT, ArrivedBy.PROXY}
    await page.goto(site.at(f"/events/{came[ArrivedBy.PROXY]}"))
    await expect(page.locator(".timeline")).to_contain_text("through the proxy")
    await page.goto(site.at(f"/events/{came[ArrivedBy.DIRECT]}"))
    await expect(page.locator(".timeline")).to_contain_text("directly")


async def nowhere_but_on_the_screen(site: Site, key: str, folder: Path) -> None:
    """Not in the audit log, not in a file of the agent or the proxy, however written."""
    for _, line in await site.agent._opened.people.audited(limit=200):
        assert key not in line.detail
    wanted = (key.encode(), key.replace("-", "").encode())
    assert await asyncio.to_thread(holding, folder, wanted) == []


def holding(folder: Path, wanted: tuple[bytes, ...]) -> list[Path]:
    """The files that hold one of these."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".db" for file in files)
    return [file for file in files if any(one in file.read_bytes() for one in wanted)]


@needs_chromium
async def test_setting_up_with_a_proxy(tmp_path: Path, proxy: ProxyProcess) -> None:
    """Step two with a proxy: no address, no port; pairing stands between, and the first choice counts without a switch."""
    async with open_site(tmp_path / "data", person=None) as site, open_browser() as made:
        watched = await open_tab(await made.new_context(locale="en-GB", java_script_enabled=False))
        page = watched.page
        await page.goto(site.at(site.agent.link.renew()))
        await page.fill("[name=password]", PASSWORD)
        await page.fill("[name=repeated]", PASSWORD)
        await page.click("main button")
        await page.locator("input[value=proxy]").check()
        assert not await page.locator("[name=port]").is_visible()
        await page.click("main button.go")
        await page.fill("[name=url]", f"http://127.0.0.1:{proxy.port}")
        await page.fill("[name=code]", await asyncio.to_thread(code_of, proxy))
        await page.click("main button.go")
        await page.get_by_label("I have written it down").check()
        await page.click("main button.go")
        await page.wait_for_url("**/begin/touchpoint")
        assert site.agent.configuration.agent.mode == "proxy"
        await page.goto(site.at("/settings/proxy"))
        await expect(page.locator("main")).to_contain_text("acme")


async def test_pairing_wants_a_session_and_an_own_form(tmp_path: Path) -> None:
    """A stranger is led to the sign-in, and another site's form is refused; nothing was asked of a proxy."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client:
        for path in ("/settings/proxy", "/settings/mode?to=proxy"):
            assert (await client.get(path, headers=OWN_LINK)).status_code in (303, 401)
        assert (await client.post("/settings/proxy/pair", data=FORM, headers=OWN_FORM)).status_code in (303, 401)
        await sign_in(client)
        crossed = {**OWN_FORM, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        for deed in ("pair", "written", "approve", "recover", "take-over", "seek", "left", "restored", "close", "leave"):
            assert (await client.post(f"/settings/proxy/{deed}", data=FORM, headers=crossed)).status_code == 403, deed
        assert (await client.post("/settings/mode", data={"to": "proxy"}, headers=crossed)).status_code == 403
        assert (await client.post("/touchpoints/orders/rotate", headers=crossed)).status_code == 403
        assert not agent.proxy.standing().paired


async def test_the_recovery_key_stands_in_one_answer(stand_in: StandIn) -> None:
    """Which no cache may keep; the same form once more shows it never again."""
    stand_in.membership.recovery_key = RECOVERY_KEY
    async with stand_in.signed_in() as client:
        shown = await client.post("/settings/proxy/pair", data=FORM)
        assert shown.status_code == 200
        assert RECOVERY_KEY in shown.text
        assert shown.headers["cache-control"] == "no-store"
        assert "set-cookie" not in shown.headers
        stand_in.membership.refuses = "proxy_unpaired"
        again = await client.post("/settings/proxy/pair", data=FORM)
        after = await client.post("/settings/proxy/written", data={"written": "on"})
        pages = [again.text, *[(await client.get(path)).text for path in ("/settings/proxy", "/settings/audit", "/")]]
    assert again.status_code == 422
    assert (after.status_code, after.headers["location"]) == (303, "/settings/proxy")
    assert not any(RECOVERY_KEY in page for page in pages)


async def test_a_code_that_was_refused_is_corrected(stand_in: StandIn) -> None:
    """What was typed stays, as text; a name that cannot be one asks no proxy."""
    async with stand_in.signed_in() as client:
        for name in ("", "x" * 65, "a\x1b[2J"):
            wrong = await client.post("/settings/proxy/pair", data={**FORM, "name": name})
            assert wrong.status_code == 422
            assert "This cannot be an agent" in wrong.text
        stand_in.membership.refuses = "pairing_code_malformed"
        wrong = await client.post("/settings/proxy/pair", data={**FORM, "code": '"><script>'})
    assert wrong.status_code == 422
    assert "This is not a pairing code." in wrong.text
    assert "&#34;&gt;&lt;script&gt;" in wrong.text
    assert stand_in.membership.calls == []


async def test_a_later_agent_waits_for_its_key(stand_in: StandIn) -> None:
    """It gets no recovery key to write down; its screen shows the fingerprint and takes the organisation's recovery key."""
    async with stand_in.signed_in() as client:
        paired = await client.post("/settings/proxy/pair", data=FORM)
        assert (paired.status_code, paired.headers["location"]) == (303, "/settings/proxy")
        stand_in.membership.stands, stand_in.membership.told = standings()["waiting-key"]
        stand_in.control.settings = replace(SETTINGS, agent=AgentSettings(mode="proxy"))
        shown = (await client.get("/settings/proxy")).text
        assert PAIRED.fingerprint in shown
        assert "Recovery key" in shown
        assert 'action="/settings/proxy/approve"' not in shown
        stand_in.membership.refuses = "recovery_key_wrong"
        wrong = await client.post("/settings/proxy/recover", data={"recovery_key": RECOVERY_KEY})
        assert wrong.status_code == 422
        assert RECOVERY_KEY not in wrong.text
        stand_in.membership.refuses = ""
        assert (await client.post("/settings/proxy/recover", data={"recovery_key": RECOVERY_KEY})).status_code == 303
    assert stand_in.membership.calls[-1] == ("recover", RECOVERY_KEY, "ann")


async def test_an_agent_is_approved_by_its_fingerprint(proxied: StandIn) -> None:
    """The one that stood on the screen goes along; who does not say that both are the same approves nobody."""
    compared = print_of(OTHER)
    form = {"agent": "other", "compared": compared}
    async with proxied.signed_in() as client:
        assert compared in (await client.get("/settings/proxy")).text
        assert (await client.post("/settings/proxy/approve", data=form)).status_code == 422
        assert proxied.membership.calls == []
        assert (await client.post("/settings/proxy/approve", data={**form, "same": "on"})).status_code == 303
    assert proxied.membership.calls == [("approve", "other", compared, "ann")]


async def test_deeds_are_told_before_and_after(proxied: StandIn) -> None:
    """Taking over says that events may repeat; seeking back goes where the agent stands behind, whatever a form says."""
    proxied.membership.stands = replace(PAIRED, behind=(40, 47))
    async with proxied.signed_in() as client:
        shown = (await client.get("/settings/proxy")).text
        assert "run a second time" in shown
        assert "7 events were fetched from the proxy and are not on this machine." in shown
        done = await client.post("/settings/proxy/take-over", data={"agent": "other"}, follow_redirects=True)
        assert "3 events are queued again." in done.text
        await client.post("/settings/proxy/seek", data={"to": "0"})
        proxied.membership.stands = PAIRED
        await client.post("/settings/proxy/seek")
        await client.post("/touchpoints/orders/rotate")
    assert proxied.membership.calls == [("take_over", "other", "ann"), ("seek", 40, "ann"), ("rotate", "orders", "ann")]


async def test_what_a_former_pairing_left_is_settled_also_when_there_is_no_other(proxied: StandIn) -> None:
    """Run or dropped, each after its consequence was read; where nothing is left, nothing is offered."""
    async with proxied.signed_in() as client:
        assert "/settings/proxy/left" not in (await client.get("/settings/proxy")).text
        for standing in (replace(PAIRED, left=7), Standing(left=7)):
            proxied.membership.stands = standing
            shown = (await client.get("/settings/proxy")).text
            assert "7 events were left by a former pairing." in shown
            assert "already run a second time" in shown
            ran = await client.post("/settings/proxy/left", data={"run": "on"}, follow_redirects=True)
            assert "5 events run now." in ran.text
            dropped = await client.post("/settings/proxy/left", follow_redirects=True)
            assert "5 events were dropped." in dropped.text
    assert proxied.membership.calls == [("settle_left", True, "ann"), ("settle_left", False, "ann")] * 2


async def test_that_the_proxy_was_restored_is_dismissed(proxied: StandIn) -> None:
    """By who has compared what ran."""
    proxied.membership.stands = replace(PAIRED, notices=("proxy_restored",))
    async with proxied.signed_in() as client:
        assert "The proxy was restored from a backup" in (await client.get("/settings/proxy")).text
        done = await client.post("/settings/proxy/restored", follow_redirects=True)
        assert "It is not shown any more." in done.text
    assert proxied.membership.calls == [("dismiss_restored", "ann")]


async def test_an_old_way_is_closed_once(proxied: StandIn) -> None:
    """Only one that is closing, and with what went wrong said."""
    proxied.membership.stands, _ = standings()["direct-closing"]
    async with proxied.signed_in() as client:
        assert "last used" in (await client.get("/settings")).text
        for way in ("proxy", "", "../x"):
            assert (await client.post("/settings/proxy/close", data={"way": way})).status_code == 303
        assert (await client.post("/settings/proxy/close", data={"way": "direct"})).status_code == 303
        proxied.membership.refuses = "proxy_unpaired"
        assert (await client.post("/settings/proxy/close", data={"way": "direct"})).status_code == 422
    assert proxied.membership.calls == [("close_old", "direct", "ann")]


async def test_what_becomes_of_an_old_way_is_said_as_it_is(proxied: StandIn) -> None:
    """A port closes by itself; the URLs at a proxy do not, they are only looked at less often."""
    direct, _ = standings()["direct-closing"]
    fresh, _ = standings()["proxy-closing"]
    closing = fresh.closing
    assert closing is not None
    late = replace(fresh, closing=replace(closing, closes_at=closing.since))
    words = ("Closes by itself", "looks there only every 10 minutes from", "looks there every 10 minutes.")
    said = []
    async with proxied.signed_in() as client:
        for stands in (direct, fresh, late):
            proxied.membership.stands = stands
            page = (await client.get("/settings")).text
            said.append([known for known in words if known in page])
    assert said == [[known] for known in words]


async def test_leaving_works_without_the_proxy(proxied: StandIn) -> None:
    """When it cannot be told, that is said, and one may leave all the same."""
    proxied.membership.refuses = "proxy_not_known"
    async with proxied.signed_in() as client:
        told = await client.post("/settings/proxy/leave")
        assert told.status_code == 422
        assert 'name="anyway"' in told.text
        proxied.membership.refuses = ""
        assert (await client.post("/settings/proxy/leave", data={"anyway": "on"})).status_code == 303
        assert "Pair with a proxy" in (await client.get("/settings/proxy")).text
    assert proxied.membership.calls == [("leave", True, "ann")]


async def test_a_switch_is_told_before_it_is_done(stand_in: StandIn) -> None:
    """Unpaired it leads to the pairing; what is not a mode leads back; the settings' form does not switch."""
    async with stand_in.signed_in() as client:
        assert "Pair it first" in (await client.get("/settings/mode?to=both")).text
        assert (await client.post("/settings/mode", data={"to": "proxy"})).status_code == 422
        assert (await client.get("/settings/mode?to=elsewhere")).headers["location"] == "/settings"
        assert (await client.post("/settings/mode", data={"to": ""})).headers["location"] == "/settings"
        await client.post("/settings/section/agent", data={"agent.mode": "proxy"})
        for data in ({"port": "8420"}, {"port": "x", "host_public_url": "https://a.example"}):
            assert (await client.post("/settings/mode", data={"to": "direct", **data})).status_code == 422
        assert stand_in.control.calls == []
        stand_in.membership.stands = PAIRED
        told = (await client.get("/settings/mode?to=proxy")).text
        assert "acme.proxy.example.net" in told
        assert (await client.post("/settings/mode", data={"to": "proxy"})).status_code == 303
    assert stand_in.control.calls[0][1] == {"agent": {"mode": "proxy"}}


async def test_a_proxy_that_does_not_answer_holds_no_screen_up(proxied: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a moment, and not at all while it cannot be reached."""
    monkeypatch.setattr("web.page.proxy_view.PATIENCE", 0.01)

    async def silent() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(proxied.membership, "state", silent)
    shown, why = await organisation(proxied.membership, PAIRED)
    assert (shown, why and why.code) == (None, "proxy_silent")
    assert await organisation(proxied.membership, replace(PAIRED, state="down")) == (None, None)
    async with proxied.signed_in() as client:
        assert "did not answer" in (await client.get("/settings/proxy")).text


def test_the_badge_tells_every_way_and_state() -> None:
    """Word, icon and colour; why on hover; both ways side by side."""
    up = Vitals(direct="up", direct_url="https://hooks.example:8420")
    (one,) = badges(up, PAIRED, "proxy")
    assert (one.word, one.place, one.how, one.tone) == ("PROXY", "acme.proxy.example.net", "connected", "good")
    assert [one.word for one in badges(up, PAIRED, "both")] == ["DIRECT", "PROXY"]
    assert [one.word for one in badges(up, PAIRED, "direct")] == ["DIRECT"]
    (down,) = badges(Vitals(), replace(PAIRED, state="down", problem=problem("proxy_silent", seconds="60")), "proxy")
    assert (down.tone, down.how) == ("bad", "down")
    assert "did not answer within 60 s" in down.hint
    assert badges(Vitals(), Standing(), "proxy")[0].how == "not paired"
    assert badges(Vitals(), Standing(), None)[0].word == "NOT LISTENING"
    told = {name: badges(up, standing, "proxy")[0] for name, (standing, _) in standings().items()}
    assert {one.tone for one in told.values()} == {"good", "warn", "bad", "mute", "info"}
    assert all(one.how and one.hint for one in told.values())


def test_the_road_shows_the_proxy_and_what_waits_there() -> None:
    """And turns when a person must act; an old way is there until it is closed."""
    status = {
        "mode": "proxy",
        "direct": {"address": None},
        "backlog": {"inbox": 0, "outbox": 0, "held": 0, "oldest_seconds": None},
    }
    stop = road(status, [], Vitals(), standings()["troubled"][0])[1]
    assert (stop.ways[0].name, stop.ways[0].state, stop.aside) == ("Proxy", "connected", "1,234 wait at the proxy")
    assert (stop.to, stop.tone) == ("/settings/proxy", "")
    assert road(status, [], Vitals(), standings()["down"][0])[1].tone == "bad"
    assert road(status, [], Vitals(), standings()["waiting-key"][0])[1].tone == "warn"
    assert road(status, [], Vitals(), Standing())[1].ways[0].state == "unpaired"
    assert [one.state for one in road(status, [], Vitals(), standings()["direct-closing"][0])[1].ways] == [
        "connected",
        "closing",
    ]


def test_needs_of_the_proxy_lead_to_its_screen() -> None:
    """And events without a touchpoint lead to making one."""
    need = {"count": 2, "text": "A.", "mend": "", "touchpoint": None, "destination": None}
    codes = (
        "proxy_unreachable",
        "proxy_key_waits",
        "proxy_behind",
        "proxy_quota_near",
        "proxy_lacking",
        "events_lack_touchpoint",
    )
    shown = {code: needs_shown({"needs_you": [{**need, "code": code}]})[0].deed for code in codes}
    assert shown.pop("events_lack_touchpoint") == ("Add a touchpoint", "/begin/touchpoint")
    assert {deed and deed[1] for deed in shown.values()} == {"/settings/proxy"}


async def test_an_event_says_by_which_clock_it_was_received(stand_in: StandIn) -> None:
    """By the proxy's, when it came through one."""
    stand_in.log.keep(event(1, arrived_by=ArrivedBy.PROXY, received_at=NOW - MINUTE), b"{}")
    async with stand_in.signed_in() as client:
        shown = (await client.get(f"/events/{1:026d}")).text
    assert "by the proxy&#39;s clock" in shown
    assert "through the proxy" in shown
