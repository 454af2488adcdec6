"""The alerts' screen: saved by its form, tested by what is typed, and what was told; with and without scripts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest

from appliance.agent import Agent
from appliance.alerts.alerts import TESTS_APART
from store.settings import ALERT_KINDS
from tests.appliance.agents import apply, direct
from tests.appliance.alerts.mail_server import MailServer
from tests.page.browser import needs_chromium, open_browser, open_site, signed_in
from tests.page.doorstep import OWN_FORM, OWN_LINK, audited, browser, doorstep, sign_in
from tests.whole.destination import Destination

pytestmark = pytest.mark.anyio

HUSH = "hush-typed-password"


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with doorstep(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def ann(agent: Agent) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(agent) as client:
        await sign_in(client)
        yield client


@pytest.fixture
def mail(free_port: Callable[[], int]) -> Iterator[MailServer]:
    server = MailServer(port=free_port(), user="ann", password=HUSH).start()
    yield server
    server.stop()


def typed(mail: MailServer, **more: str) -> dict[str, str]:
    plain = {
        "alerts.email_to": "ann@example.com\r\nbob@example.com",
        "alerts.email_from": "hookport@example.com",
        "alerts.smtp_host": "127.0.0.1",
        "alerts.smtp_port": str(mail.port),
        "alerts.smtp_security": "none",
        "alerts.smtp_user": "ann",
        "alerts.smtp_password": HUSH,
        "about.": "",
        **{f"about.{kind}": "on" for kind in ALERT_KINDS},
    }
    return {**plain, **more}


async def test_what_is_typed_is_tested_then_saved_then_tested_again(
    ann: httpx.AsyncClient, agent: Agent, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test saves nothing; the password is never seen again, and is used all the same."""
    tested = await ann.post("/settings/alerts/test", data=typed(mail), headers=OWN_FORM)
    assert tested.status_code == 200
    assert "Sent by e-mail. Look whether it arrives." in tested.text
    assert "127.0.0.1" in tested.text
    assert HUSH not in tested.text
    assert len(mail.letters) == 1
    assert agent.configuration.alerts.smtp_host == ""
    saved = await ann.post("/settings/alerts", data=typed(mail), headers=OWN_FORM)
    assert saved.status_code == 303
    assert agent.configuration.alerts.email_to == ("ann@example.com", "bob@example.com")
    assert [*agent.configuration.alerts.about] == []
    html = (await ann.get("/settings/alerts", headers=OWN_LINK)).text
    assert HUSH not in html
    assert "It was typed in." in html
    monkeypatch.setattr("appliance.alerts.alerts.TESTS_APART", 0)
    again = await ann.post("/settings/alerts/test", data=typed(mail, **{"alerts.smtp_password": ""}), headers=OWN_FORM)
    assert "Sent by e-mail" in again.text
    assert len(mail.letters) == 2
    assert [what for who, what in await audited(agent) if who == "ann"].count("alerts.test") == 2


async def test_a_piece_is_answered_to_a_script(ann: httpx.AsyncClient, mail: MailServer) -> None:
    """So that the typed password stays in its field."""
    answer = await ann.post("/settings/alerts/test", data=typed(mail), headers={**OWN_FORM, "hx-request": "true"})
    assert "<form" not in answer.text
    assert "Sent by e-mail" in answer.text


async def test_what_fails_is_told_in_words(ann: httpx.AsyncClient, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password, contradictions at their fields, nothing to send to, and impatience."""
    monkeypatch.setattr("appliance.alerts.alerts.TESTS_APART", 0)
    wrong = await ann.post(
        "/settings/alerts/test", data=typed(mail, **{"alerts.smtp_password": "hush-other-1"}), headers=OWN_FORM
    )
    assert "It could not be sent by e-mail: The mail server" in wrong.text
    assert "hush" not in wrong.text
    lonely = await ann.post("/settings/alerts/test", data=typed(mail, **{"alerts.email_to": ""}), headers=OWN_FORM)
    assert lonely.status_code == 422
    assert 'id="alerts.email_to-error"' in lonely.text
    nowhere = await ann.post("/settings/alerts/test", data={}, headers=OWN_FORM)
    assert "There is nowhere to send an alert to." in nowhere.text
    monkeypatch.setattr("appliance.alerts.alerts.TESTS_APART", TESTS_APART)
    hasty = await ann.post("/settings/alerts/test", data=typed(mail), headers=OWN_FORM)
    assert "Tests are sent a few seconds apart." in hasty.text
    assert mail.letters == []


async def test_another_site_sends_no_test(ann: httpx.AsyncClient, agent: Agent, mail: MailServer) -> None:
    """Nor does somebody who is not signed in."""
    for headers in ({"origin": "https://evil.test", "sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        refused = await ann.post("/settings/alerts/test", data=typed(mail), headers=headers)
        assert refused.status_code == 403
    async with browser(agent) as stranger:
        assert (await stranger.post("/settings/alerts/test", data=typed(mail), headers=OWN_FORM)).status_code == 303
    assert mail.letters == []


async def test_only_some_kinds(ann: httpx.AsyncClient, agent: Agent) -> None:
    """What is ticked is told; nothing ticked is everything."""
    await ann.post("/settings/alerts", data={"about.": "", "about.given_up": "on", "about.disk_low": "on"}, headers=OWN_FORM)
    assert [*agent.configuration.alerts.about] == ["given_up", "disk_low"]
    html = (await ann.get("/settings/alerts", headers=OWN_LINK)).text
    assert html.count('name="about.') == len(ALERT_KINDS) + 1
    assert html.count(" checked") == 2
    await ann.post("/settings/alerts", data={"about.": ""}, headers=OWN_FORM)
    assert [*agent.configuration.alerts.about] == []


async def test_a_forms_leaving_out_changes_nothing(ann: httpx.AsyncClient, agent: Agent) -> None:
    """A form without the boxes keeps what is told."""
    await ann.post("/settings/alerts", data={"about.": "", "about.given_up": "on"}, headers=OWN_FORM)
    await ann.post("/settings/alerts", data={"alerts.group": "2m"}, headers=OWN_FORM)
    assert agent.configuration.alerts.about == ("given_up",)


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
async def test_a_person_sets_up_a_chat_in_the_browser(
    tmp_path: Path, free_port: Callable[[], int], width: int, scheme: Literal["light", "dark"]
) -> None:
    """Types an address, sends a test, saves, is told of a dead destination, and sees what was told."""
    chat = Destination(port=free_port()).start()
    try:
        async with open_site(tmp_path / "data") as site, open_browser() as chromium:
            port = free_port()
            dead = f"http://127.0.0.1:{free_port()}/<b>"
            text = f"""
[[touchpoint]]
name = "orders"
provider = "generic"
verify = {{ scheme = "none", allow_unsigned = true }}
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "{dead}"
"""
            assert (await apply(site.agent, direct(port) + text)).problems == ()
            watched = await signed_in(
                await chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme), site
            )
            page = watched.page
            await page.goto(site.at("/settings"))
            await page.get_by_role("link", name="Alerts").click()
            await page.fill('[name="alerts.webhook_url"]', chat.url)
            await page.select_option('[name="alerts.webhook_shape"]', "slack")
            await page.fill('[name="alerts.group"]', "0s")
            await page.click("text=Send a test")
            await page.wait_for_selector("#tested .is-good")
            assert b"This is a test." in chat.got[0].body
            assert await page.input_value('[name="alerts.webhook_url"]') == chat.url
            await page.click("main button.go")
            await page.wait_for_selector("#notices .is-good")
            async with httpx.AsyncClient() as sender:
                await sender.post(f"http://127.0.0.1:{port}/hooks/orders", content=b"{}")
            async with asyncio.timeout(20):
                while len(chat.got) < 2:
                    await asyncio.sleep(0.05)
            assert b"erp of orders does not take deliveries" in chat.got[1].body
            await page.reload()
            row = page.locator("tbody tr", has_text="erp of orders")
            assert "still there" in await row.inner_text()
            assert watched.wrong == []
    finally:
        chat.stop()
