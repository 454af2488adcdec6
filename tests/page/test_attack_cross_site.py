"""Other sites, and other ports of this machine, against a page whose person is signed in: they change nothing, read nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.attacker import EVIL, Attack, open_attack
from tests.page.browser import PATIENCE, needs_chromium
from web.guard_session import cookie_name

pytestmark = [pytest.mark.anyio, needs_chromium]

NEAR = "127.0.0.1"  # another port of the page's own host: for cookies the same place, so that they travel along
HOSTS = (EVIL, "localhost", NEAR)

SUBMIT = """([url, enctype, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, enctype });
  for (const [name, value] of Object.entries(fields))
    form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
}"""
FORMS: dict[str, dict[str, str]] = {
    "/sign-out": {},
    "/sign-in": {"name": "mallory", "password": "a password of mallory"},
    "/settings/tokens/add": {"name": "mine", "scope": "admin"},
    "/api/v1/tokens": {'{"name": "mine", "scope": "admin", "x": "': '"}'},  # as text/plain this reads as JSON
}
FETCH = """async (tries) => Promise.all(tries.map(async ([url, init]) => {
  try {
    const answer = await fetch(url, { credentials: "include", ...init });
    return answer.type === "opaque" ? "opaque" : `read ${answer.status}`;
  } catch { return "closed"; }
}))"""
EMBED = """(urls) => Promise.all(urls.flatMap(([tag, key, url]) => new Promise((done) => {
  const one = document.createElement(tag);
  if (tag === "link") one.rel = "stylesheet";
  one.onload = () => done(tag + " loaded");
  one.onerror = () => done(tag + " refused");
  one[key] = url;
  document.body.append(one);
  setTimeout(() => done(tag + " silent"), 1500);
})))"""


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    """One running page and one browser for all tests here."""
    async with open_attack(tmp_path_factory.mktemp("cross-site")) as made:
        yield made


@asynccontextmanager
async def unmoved(attack: Attack, host: str) -> AsyncIterator[Page]:
    """The attacker's page, open in the victim's browser; afterwards nothing has changed and the victim is signed in."""
    before = await attack.state()
    page = await attack.victim.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(attack.evil.at(host))
    attack.forget()
    yield page
    await page.close()
    assert await attack.state() == before
    answer = await attack.screen.page.goto(attack.site.at("/settings/people"))
    assert answer is not None
    assert (answer.status, answer.url) == (200, attack.site.at("/settings/people"))


@pytest.mark.parametrize("host", HOSTS)
async def test_no_form_of_another_site_is_taken(attack: Attack, host: str) -> None:
    """Every kind of content a form can have, to forms of the page and to the API; also by a redirect that keeps the form."""
    async with unmoved(attack, host) as page:
        for path, fields in FORMS.items():
            for enctype in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
                await page.goto(attack.evil.at(host))
                async with page.expect_navigation(url=attack.site.at(path)):
                    await page.evaluate(SUBMIT, [attack.site.at(path), enctype, fields])
                assert attack.statuses <= {401, 403}, (path, enctype)
        await page.goto(attack.evil.at(host))
        attack.forget()
        through = attack.evil.at(host, f"/to?status=307&url={attack.site.at('/sign-out')}")
        async with page.expect_navigation(url=attack.site.at("/sign-out")):
            await page.evaluate(SUBMIT, [through, "application/x-www-form-urlencoded", {}])
        assert attack.statuses == {403}


async def test_what_the_near_port_sends_has_the_cookie(attack: Attack) -> None:
    """The tests here prove something: cookies know no ports, and the refusals are the page's own doing."""
    async with unmoved(attack, NEAR) as page:
        async with page.expect_navigation(url=attack.site.at("/sign-out")):
            await page.evaluate(SUBMIT, [attack.site.at("/sign-out"), "text/plain", {}])
        sent = await attack.answers[0].request.all_headers()
        assert cookie_name(attack.site.agent._instance) in sent["cookie"]
        assert attack.statuses == {403}


@pytest.mark.parametrize("host", HOSTS)
async def test_no_fetch_of_another_site_reads_or_does_anything(attack: Attack, host: str) -> None:
    """With the browser's credentials; simple ones, those that are asked about first, and those that are sent blindly."""
    at = attack.site.at
    paths = ("/", "/events", "/live", "/health", "/api/v1/status", "/settings/about/bundle.zip")
    simple: list[tuple[str, dict[str, Any]]] = [(at(path), {}) for path in paths]
    simple += [(at("/api/v1/export/deliveries?format=csv"), {}), (at("/sign-out"), {"method": "POST"})]
    json = {"method": "POST", "headers": {"content-type": "application/json"}, "body": '{"name": "mine", "scope": "admin"}'}
    asked = [
        (at("/api/v1/tokens"), json),
        (at("/api/v1/status"), {"headers": {"authorization": "Bearer guessed"}}),
        (at("/events"), {"headers": {"hx-request": "true"}}),
        (at("/api/v1/tokens/mine"), {"method": "DELETE"}),
    ]
    async with unmoved(attack, host) as page:
        assert set(await page.evaluate(FETCH, [*simple, *asked])) == {"closed"}
        blind = [(url, {**init, "mode": "no-cors", "keepalive": "method" in init}) for url, init in simple]
        assert set(await page.evaluate(FETCH, blind)) <= {"opaque", "closed"}
        await page.evaluate("(url) => navigator.sendBeacon(url, new Blob(['x=1'], {type: 'text/plain'}))", at("/sign-out"))
        assert attack.statuses <= {403}
        for answer in attack.answers:
            assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("host", HOSTS)
async def test_nothing_of_the_page_can_be_embedded(attack: Attack, host: str) -> None:
    """Images, scripts, styles, videos, frames and objects get a refusal, whichever address they name."""
    at = attack.site.at
    urls = [
        ("img", "src", at("/static/icons/mark.svg")),
        ("img", "src", at("/sign-out")),
        ("script", "src", at("/static/app.js")),
        ("script", "src", at("/api/v1/status")),
        ("link", "href", at("/static/app.css")),
        ("video", "src", at("/api/v1/export/deliveries?format=csv")),
        ("iframe", "src", at("/")),
        ("iframe", "src", at("/settings/about/bundle.zip")),
        ("object", "data", at("/events")),
        ("embed", "src", at("/live")),
    ]
    async with unmoved(attack, host) as page:
        outcome = await page.evaluate(EMBED, urls)
        assert not [one for one in outcome if one in ("img loaded", "script loaded", "link loaded", "video loaded")]
        assert attack.statuses <= {401, 403}
        for frame in page.frames[1:]:
            assert "Hookport" not in await frame.content()


@pytest.mark.parametrize("host", HOSTS)
async def test_no_stream_opens_for_another_site(attack: Attack, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With or without the browser's credentials, EventSource is refused, before a stream begins."""
    script = """(url) => Promise.all([true, false].map((withCredentials) => new Promise((done) => {
      const stream = new EventSource(url, { withCredentials });
      stream.onopen = () => done("open");
      stream.onerror = () => done("refused");
    })))"""
    begun: list[bool] = []
    async with unmoved(attack, host) as page:
        await attack.screen.page.goto("about:blank")
        monkeypatch.setattr(attack.site.agent._live, "stream", lambda: begun.append(True))
        assert await page.evaluate(script, attack.site.at("/live")) == ["refused", "refused"]
        assert begun == []
        monkeypatch.undo()


@pytest.mark.parametrize("host", HOSTS)
async def test_a_link_opens_a_screen_and_changes_nothing(attack: Attack, host: str) -> None:
    """Who follows one is found signed in, and lands where it leads; what is no screen is refused."""
    at = attack.site.at
    async with unmoved(attack, host) as page:
        for path in ("/events?state=given_up", "/settings/people", "/events/act/replay?state=given_up"):
            await page.goto(attack.evil.at(host))
            await page.evaluate("(url) => { location.href = url; }", at(path))
            await page.wait_for_url(at(path))
            await expect(page.locator("nav.sections")).to_be_visible()
        for path in ("/live", "/settings/about/bundle.zip", "/api/v1/export/deliveries?format=xlsx", "/api/v1/status"):
            await page.goto(attack.evil.at(host))
            attack.forget()
            async with page.expect_navigation(url=at(path)):
                await page.evaluate(
                    """(url) => { document.head.innerHTML = `<meta http-equiv="refresh" content="0; url=${url}">`; }""",
                    at(path),
                )
            assert attack.statuses <= {401, 403}, path


@pytest.mark.parametrize("host", HOSTS)
async def test_who_opens_the_page_keeps_no_hold_of_it(attack: Attack, host: str) -> None:
    """A window opened from elsewhere is parted from its opener: no reading, no steering, no messages."""
    async with unmoved(attack, host) as page:
        async with attack.victim.expect_page() as opened:
            await page.evaluate("(url) => { window.held = window.open(url); }", attack.site.at("/events"))
        window = await opened.value
        await window.wait_for_url(attack.site.at("/events"))
        await expect(window.locator("nav.sections")).to_be_visible()
        assert await window.evaluate("window.opener") is None
        await page.wait_for_function("window.held.closed")
        await page.evaluate("(url) => { window.held.location = url; }", attack.evil.at(EVIL))
        assert window.url == attack.site.at("/events")
        await window.close()


@pytest.mark.parametrize("host", HOSTS)
async def test_no_worker_is_registered_on_the_page(attack: Attack, host: str) -> None:
    """Neither by another site for the page's address, nor by the page with a script from elsewhere."""
    register = "(url) => navigator.serviceWorker.register(url).then(() => 'registered', () => 'refused')"
    async with unmoved(attack, host) as page:
        if host != EVIL:  # elsewhere a page without TLS has no workers at all
            assert await page.evaluate(register, attack.site.at("/static/app.js")) == "refused"
        own = attack.screen.page
        await own.goto(attack.site.at("/"))
        assert await own.evaluate(register, attack.evil.at(host, "/worker.js")) == "refused"


async def test_the_page_takes_no_base_script_style_or_frame_from_elsewhere(attack: Attack) -> None:
    """Even where a stranger's markup had found its way in, the content policy leaves it nothing to fetch or to send to."""
    page = attack.screen.page
    await page.goto(attack.site.at("/"))
    attack.evil.got.clear()
    refused = await page.evaluate(
        """async (evil) => {
          const make = (tag, values) => document.body.appendChild(Object.assign(document.createElement(tag), values));
          document.head.append(Object.assign(document.createElement("base"), { href: evil }));
          make("script", { src: evil }); make("link", { rel: "stylesheet", href: evil }); make("img", { src: evil });
          make("iframe", { src: evil }); make("object", { data: evil });
          make("script", { textContent: "window.__pwned = true" });
          make("form", { action: evil, method: "post" }).submit();
          await fetch(evil).catch(() => 0);
          await new Promise((done) => setTimeout(done, 100));
          return [document.baseURI.startsWith(evil), window.__pwned === true,
                  [...new Set(window.__violations.map((one) => one.split(" ")[0]))].sort()];
        }""",
        attack.evil.at(EVIL),
    )
    assert refused[:2] == [False, False]
    assert {"base-uri", "connect-src", "form-action", "frame-src", "img-src", "object-src"} <= set(refused[2])
    assert {"script-src-elem", "style-src-elem"} <= set(refused[2])
    assert attack.evil.got == []
