"""DNS rebinding: the attacker's own name is made to lead to the page, so that for the browser both are one site."""

from collections.abc import AsyncIterator

import pytest

from tests.page.attacker import EVIL, Attack, open_attack
from tests.page.browser import needs_chromium

pytestmark = [pytest.mark.anyio, needs_chromium]

ASKED = """async (paths) => Promise.all(paths.map(async ([method, path]) => {
  const headers = method === "POST" ? { "content-type": "application/json" } : {};
  const answer = await fetch(path, { method, credentials: "include", headers });
  return [path, answer.status, await answer.text()];
}))"""
PATHS = [
    ("GET", "/"),
    ("GET", "/sign-in"),
    ("GET", "/events"),
    ("GET", "/nowhere"),
    ("GET", "/static/app.css"),
    ("GET", "/health"),
    ("GET", "/live"),
    ("GET", "/settings/about/bundle.zip"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/nowhere"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/export/deliveries?format=csv"),
    ("POST", "/sign-in"),
    ("POST", "/api/v1/tokens"),
    ("PUT", "/"),
    ("DELETE", "/api/v1/status"),
    ("OPTIONS", "/"),
    ("OPTIONS", "/nowhere"),
]


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    """One running page and one browser for all tests here."""
    async with open_attack(tmp_path_factory.mktemp("rebinding")) as made:
        yield made


async def test_no_address_answers_to_a_rebound_name(attack: Attack) -> None:
    """Screens, API, stream, files, what is not there: each refusal names the setting, and tells nothing of who runs here."""
    setup = f"/setup{attack.site.agent.link.renew().removeprefix('/setup')}"
    page = await attack.victim.new_page()
    landed = await page.goto(f"http://{EVIL}:{attack.port}/")
    assert landed is not None
    assert landed.status == 403
    assert "[page]" in await page.inner_text("main")
    before = await attack.state()
    vitals = attack.site.agent._desk.vitals()
    for path, status, text in await page.evaluate(ASKED, [*PATHS, ("GET", setup)]):
        assert status == 403, path
        assert "[page]" in text, path
        for told in (vitals.version, "ann", str(attack.site.agent._opened.folder.path), attack.site.address):
            assert told not in text, (path, told)
    assert await attack.state() == before
    assert [cookie for cookie in await attack.victim.cookies() if cookie.get("domain") == EVIL] == []
    await page.close()


async def test_no_stream_opens_for_a_rebound_name(attack: Attack) -> None:
    """EventSource ends in an error before it has read anything."""
    page = await attack.victim.new_page()
    await page.goto(f"http://{EVIL}:{attack.port}/")
    heard = await page.evaluate(
        """() => new Promise((done) => {
          const stream = new EventSource("/live");
          stream.onopen = () => done("open");
          stream.onmessage = () => done("message");
          stream.onerror = () => done("refused " + (stream.readyState === EventSource.CLOSED));
        })"""
    )
    assert heard == "refused true"
    await page.close()


async def test_a_rebound_name_reads_no_answer_of_the_true_one(attack: Attack) -> None:
    """From the rebound page the true address is another site: its answers stay closed."""
    page = await attack.victim.new_page()
    await page.goto(f"http://{EVIL}:{attack.port}/")
    outcome = await page.evaluate(
        "(url) => fetch(url, {credentials: 'include'}).then(() => 'read', () => 'closed')", attack.site.at("/api/v1/status")
    )
    assert outcome == "closed"
    await page.close()
