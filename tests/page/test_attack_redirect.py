"""Open redirects: whatever a link or a form names as the way back, the browser stays on the page's own site."""

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.page.attacker import EVIL, Attack, open_attack
from tests.page.browser import needs_chromium
from tests.page.doorstep import OWN_FORM, PASSWORD

pytestmark = [pytest.mark.anyio, needs_chromium]

ELSEWHERE = [
    f"//{EVIL}",
    f"///{EVIL}",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"/\t/{EVIL}",
    f"/%09/{EVIL}",
    f"/%2f%2f{EVIL}",
    f"/%5c{EVIL}",
    f"/.//{EVIL}",
    f"/..//{EVIL}",
    f"/;//{EVIL}",
    f"http://{EVIL}/",
    f"http:{EVIL}",
    f"HTTP://{EVIL}",
    f"@{EVIL}",
    f"/@{EVIL}",
    f".{EVIL}",
    "javascript:window.__pwned=true",
    "data:text/html,<script>window.__pwned=true</script>",
    "/\r\nSet-Cookie: planted=1",
    "/%0d%0aSet-Cookie:%20planted=1",
    "/\u2028/x",
    "/" + "a" * 5000,
    "?next=//" + EVIL,
    "",
]
SUBMIT = """([action, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action });
  for (const [name, value] of Object.entries(fields)) {
    const field = Object.assign(document.createElement("textarea"), { name });
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    """One running page and one browser for all tests here."""
    async with open_attack(tmp_path_factory.mktemp("redirect")) as made:
        yield made


async def stayed(attack: Attack) -> None:
    """The browser is on the page's own site, nothing was planted, and nobody of the attacker's was asked."""
    page = attack.screen.page
    await page.wait_for_load_state()
    parts = urlsplit(page.url)
    assert f"{parts.scheme}://{parts.netloc}" == attack.site.address
    assert await page.evaluate("window.__pwned === true") is False
    assert [one for one in await attack.victim.cookies() if one.get("name") == "planted"] == []
    assert attack.evil.got == []


async def test_no_way_back_leads_elsewhere(attack: Attack) -> None:
    """After signing in, when signed in already, after choosing colours, after a deed: as the browser reads the address."""
    led: dict[str, str] = {}
    own = {**OWN_FORM, "origin": attack.site.address}
    async with httpx.AsyncClient(base_url=attack.site.address, headers=own) as person:
        for number, wanted in enumerate(ELSEWHERE):
            forms = {"/theme": {"theme": "system", "next": wanted}}
            if number < 6:  # a password takes its time
                forms["/sign-in"] = {"name": "ann", "password": PASSWORD, "next": wanted}
            for action, fields in forms.items():
                led[f"{action} {wanted}"] = (await person.post(action, data=fields)).headers["location"]
            led[f"signed in {wanted}"] = (await person.get("/sign-in", params={"next": wanted})).headers["location"]
            deed = await person.post("/events/act/replay", data={"back": wanted, "ticket": "none"})
            (href,) = re.findall(r'<p><a href="([^"]*)"', deed.text.partition("<main")[2])
            led[f"deed {wanted}"] = unescape(href)
    await attack.screen.page.goto(attack.site.at("/settings/people"))
    script = "(led) => Object.entries(led).filter(([, to]) => new URL(to, location.href).origin !== location.origin)"
    assert len(led) == 3 * len(ELSEWHERE) + 6
    assert await attack.screen.page.evaluate(script, led) == []
    assert not [to for to in led.values() if len(to) > 2100 or "\n" in to]


@pytest.mark.parametrize(
    "wanted", [f"//{EVIL}", f"/\\{EVIL}", f"/\t/{EVIL}", "javascript:window.__pwned=true", "/%0d%0aSet-Cookie:%20planted=1"]
)
async def test_the_browser_stays(attack: Attack, wanted: str) -> None:
    """The same by hand: the forms are sent and the links are followed."""
    page, at = attack.screen.page, attack.site.at
    forms = {
        "/sign-in": {"name": "ann", "password": PASSWORD, "next": wanted},
        "/theme": {"theme": "system", "next": wanted},
    }
    for action, fields in forms.items():
        await page.goto(at("/settings/about"))
        async with page.expect_navigation():
            await page.evaluate(SUBMIT, [action, fields])
        await stayed(attack)
    await page.goto(at(f"/sign-in?next={quote(wanted)}"))
    await stayed(attack)
