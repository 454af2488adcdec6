"""Other sites, planted cookies and a hostile agent's words against the operator's page, in a browser that is signed in to it.

The gate is the agent's page's own, where each attack is tried in more ways: here it is held that the operator's page stands
behind it, with every screen, form, stream and export that it has of its own.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from playwright.async_api import expect

from tests.operator.besieged import NAME, SCREENS, VERSION, Siege, open_siege
from tests.page.attacker import EVIL, MARK, harmless
from tests.page.browser import needs_chromium, signed_in
from tests.page.doorstep import OWN_FORM, PASSWORD, TYPED
from tests.page.stranger import JUNK
from tests.page.test_attack_cross_site import EMBED, FETCH, NEAR, SUBMIT
from tests.page.test_attack_rebinding import ASKED
from tests.page.test_attack_redirect import ELSEWHERE
from web.guard_session import cookie_name

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(120)]

HOSTS = (EVIL, NEAR)
FORMS: dict[str, dict[str, str]] = {
    "/sign-out": {},
    "/add-organisation": {"name": "mallory"},
    "/organisations/acme/code": {},
    "/organisations/acme/remove": {"typed": "acme"},
    "/settings/section/server": {"server.max_age_days": "1"},
    "/settings/tokens/add": {"name": "mine", "scope": "admin"},
    "/api/v1/organisations": {'{"name": "mallory", "x": "': '"}'},  # as text/plain this reads as JSON
}
READ = [
    "/",
    "/organisations/acme",
    "/organisations/acme/export.jsonl",
    "/live",
    "/health",
    "/api/v1/status",
    "/api/v1/organisations/acme/export",
]
REBOUND = [
    *(("GET", path) for path in (*SCREENS, *READ)),
    ("GET", "/sign-in"),
    ("GET", "/nowhere"),
    ("GET", "/static/app.css"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/sign-in"),
    ("POST", "/add-organisation"),
    ("POST", "/api/v1/organisations"),
    ("DELETE", "/api/v1/organisations/acme"),
    ("OPTIONS", "/"),
]
LISTEN = """(url) => Promise.all([true, false].map((withCredentials) => new Promise((done) => {
  const stream = new EventSource(url, { withCredentials });
  stream.onopen = () => done("open");
  stream.onerror = () => done("refused");
})))"""


@pytest.fixture(scope="module")
async def siege(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Siege]:
    """One running proxy and one browser for all tests here."""
    async with open_siege(tmp_path_factory.mktemp("siege")) as made:
        yield made


async def test_no_address_answers_to_a_rebound_name(siege: Siege) -> None:
    """Screens, API, stream, export, what is not there, the link to set a password: refused, and nothing is told."""
    role, before = siege.site.role, await siege.state()
    page = await siege.victim.new_page()
    landed = await page.goto(f"http://{EVIL}:{siege.port}/")
    assert landed is not None
    assert landed.status == 403
    for path, status, text in await page.evaluate(ASKED, [*REBOUND, ("GET", role.link.renew())]):
        assert (status, "[page]" in text) == (403, True), path
        for told in (role._desk.vitals().version, "ann", "acme", str(role.opened.folder.path), siege.site.address):
            assert told in path or told not in text, (path, told)
    assert await page.evaluate(LISTEN, "/live") == ["refused", "refused"]
    assert await siege.state() == before
    await page.close()


@pytest.mark.parametrize("host", HOSTS)
async def test_no_form_of_another_site_is_taken(siege: Siege, host: str) -> None:
    """Every deed of the operator's page, as each kind of content a form can have; also by a redirect that keeps the form."""
    async with siege.unmoved(host) as page:
        for number, (path, fields) in enumerate(FORMS.items()):
            enctype = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data")[number % 3]
            for kind in {"text/plain"} if path.startswith("/api/") else {enctype, "application/x-www-form-urlencoded"}:
                await page.goto(siege.evil.at(host))
                async with page.expect_navigation(url=siege.site.at(path)):
                    await page.evaluate(SUBMIT, [siege.site.at(path), kind, fields])
                assert siege.statuses <= {401, 403}, (path, kind)
        await page.goto(siege.evil.at(host))
        siege.answers.clear()
        through = siege.evil.at(host, f"/to?status=307&url={siege.site.at('/organisations/acme/code')}")
        async with page.expect_navigation(url=siege.site.at("/organisations/acme/code")):
            await page.evaluate(SUBMIT, [through, "application/x-www-form-urlencoded", {}])
        assert siege.statuses == {403}
        if host == NEAR:  # else this would prove nothing: here the cookie came along
            sent = await siege.answers[0].request.all_headers()
            assert cookie_name(siege.site.role.opened.instance) in sent["cookie"]


@pytest.mark.parametrize("host", HOSTS)
async def test_no_fetch_image_frame_or_stream_of_another_site_gets_anything(siege: Siege, host: str) -> None:
    """With the browser's credentials: nothing is read, nothing done, nothing shown in a frame to be clicked on."""
    at = siege.site.at
    json = {"method": "POST", "headers": {"content-type": "application/json"}, "body": '{"name": "mallory"}'}
    simple: list[tuple[str, dict[str, Any]]] = [(at(path), {}) for path in READ]
    simple.append((at("/sign-out"), {"method": "POST"}))
    asked = [(at("/api/v1/organisations"), json), (at("/api/v1/organisations/acme"), {"method": "DELETE"})]
    urls = [
        ("img", "src", at("/static/icons/mark.svg")),
        ("img", "src", at("/sign-out")),
        ("script", "src", at("/static/operator.js")),
        ("script", "src", at("/api/v1/status")),
        ("link", "href", at("/static/operator.css")),
        ("video", "src", at("/organisations/acme/export.jsonl")),
        ("iframe", "src", at("/")),
        ("iframe", "src", at("/organisations/acme")),
        ("object", "data", at("/organisations/acme/export.jsonl")),
        ("embed", "src", at("/live")),
    ]
    async with siege.unmoved(host) as page:
        assert set(await page.evaluate(FETCH, [*simple, *asked])) == {"closed"}
        blind = [(url, {**init, "mode": "no-cors"}) for url, init in simple]
        assert set(await page.evaluate(FETCH, blind)) <= {"opaque", "closed"}
        outcome = await page.evaluate(EMBED, urls)
        assert not [one for one in outcome if one in ("img loaded", "script loaded", "link loaded", "video loaded")]
        for frame in page.frames[1:]:
            assert "Hookport" not in await frame.content()
        assert await page.evaluate(LISTEN, at("/live")) == ["refused", "refused"]
        assert siege.statuses <= {401, 403}
        for answer in siege.answers:
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert (answer.headers["x-frame-options"], answer.headers["x-content-type-options"]) == ("DENY", "nosniff")
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_link_opens_a_screen_and_no_export(siege: Siege) -> None:
    """Who follows one from another site lands signed in and has changed nothing; the export is no page to link to."""
    async with siege.unmoved(NEAR) as page:
        for path, status in (("/organisations/acme", 200), ("/organisations/acme/export.jsonl", 403), ("/live", 403)):
            await page.goto(siege.evil.at(NEAR))
            siege.answers.clear()
            async with page.expect_navigation(url=siege.site.at(path)):
                await page.evaluate("(url) => { location.href = url; }", siege.site.at(path))
            assert [one.status for one in siege.answers if one.url == siege.site.at(path)] == [status], path


async def test_a_hostile_agents_words_are_text_on_every_screen(siege: Siege) -> None:
    """Its name, its version, why it pauses, what it lacks: in the list, the organisation, the audit log, loaded and live."""
    page = siege.screen.page
    await page.goto(siege.site.at("/"))
    await expect(page.locator("[data-touch=connected]")).to_be_attached()
    await siege.agent.pull(paused="still_pwned")
    wrong: list[str] = []
    for path in [*SCREENS, "/organisations/acme"]:
        answer = await page.goto(siege.site.at(path))
        assert answer is not None
        assert answer.status == 200, path
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wrong += await harmless(siege.screen)
    assert wrong == []
    shown = await page.inner_text("main")
    for told in (NAME, f"{NAME} spare", VERSION[:40], "still_pwned"):
        assert told in shown, told
    await page.goto(siege.site.at("/settings/audit"))
    assert NAME in await page.inner_text("main")
    assert (siege.screen.wrong, siege.dialogs) == ([], [])


async def test_addresses_that_hold_markup_are_answered_in_text(siege: Siege) -> None:
    """What is not there, what makes no sense, and names that no organisation can have."""
    junk, page = quote(JUNK, safe=""), siege.screen.page
    paths = [f"/{junk}", f"/organisations/{junk}", f"/organisations/{junk}/export.jsonl", f"/?after={junk}", f"/setup/{junk}"]
    wrong: list[str] = []
    for path in [*paths, f"/sign-in?next={junk}", f"/static/{junk}", f"/settings/{junk}"]:
        answer = await page.goto(siege.site.at(path))
        assert answer is not None
        assert answer.status < 500, path
        wrong += await harmless(siege.screen)
    for field, given in (("name", f"<{MARK}>"), ("quota_bytes", f"<{MARK}>")):
        await page.goto(siege.site.at("/add-organisation"))
        async with page.expect_navigation():
            await page.evaluate(SUBMIT, ["/add-organisation", "application/x-www-form-urlencoded", {"name": "x", field: given}])
        wrong += await harmless(siege.screen)
        assert f"<{MARK}>" in await page.content() or f"&lt;{MARK}&gt;" in await page.content()
    assert wrong == []
    assert (siege.screen.wrong, siege.dialogs) == ([], [])


async def test_a_planted_session_signs_nobody_in(siege: Siege) -> None:
    """The sign-in makes a new value; after signing out neither it nor the planted one opens anything."""
    name = cookie_name(siege.site.role.opened.instance)
    context = await siege.browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(siege.evil.at(NEAR, f"/cookie?set={quote(f'{name}=planted-by-a-stranger; Path=/')}"))
    watched = await signed_in(context, siege.site)
    [mine] = [one.get("value", "") for one in await context.cookies(siege.site.address) if one.get("name") == name]
    assert mine != "planted-by-a-stranger"
    assert [await opens(siege, value) for value in (mine, "planted-by-a-stranger")] == [True, False]
    await page.goto(siege.evil.at(NEAR, f"/cookie?set={quote(f'{name}=tossed; Path=/organisations; HttpOnly')}"))
    await watched.page.goto(siege.site.at("/organisations/acme"))
    assert watched.page.url == siege.site.at("/organisations/acme")
    await watched.page.locator("footer form[action='/sign-out'] button").click()
    await watched.page.wait_for_url(siege.site.at("/sign-in"))
    assert not await opens(siege, mine)
    await context.close()


async def opens(siege: Siege, value: str) -> bool:
    """Whether a cookie's value lets anybody in."""
    headers = {**TYPED, "cookie": f"{cookie_name(siege.site.role.opened.instance)}={value}"}
    async with httpx.AsyncClient() as thief:
        return (await thief.get(siege.site.at("/settings/people"), headers=headers)).status_code == 200


async def test_no_way_back_leads_elsewhere(siege: Siege) -> None:
    """After signing in, when signed in already, after choosing colours: as the browser reads the address."""
    led: list[str] = []
    own = {**OWN_FORM, "origin": siege.site.address}
    async with httpx.AsyncClient(base_url=siege.site.address, headers=own) as person:
        for number, wanted in enumerate(ELSEWHERE):
            if number < 2:  # a password takes its time
                form = {"name": "ann", "password": PASSWORD, "next": wanted}
                led.append((await person.post("/sign-in", data=form)).headers["location"])
            led.append((await person.post("/theme", data={"theme": "system", "next": wanted})).headers["location"])
            led.append((await person.get("/sign-in", params={"next": wanted})).headers["location"])
    page = siege.screen.page
    await page.goto(siege.site.at("/settings/people"))
    script = "(led) => led.filter((to) => new URL(to, location.href).origin !== location.origin)"
    assert await page.evaluate(script, led) == []
    await page.goto(siege.site.at(f"/sign-in?next={quote(f'//{EVIL}')}"))
    assert urlsplit(page.url).netloc == urlsplit(siege.site.address).netloc
