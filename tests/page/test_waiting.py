"""Waiting for the first event: what came and is stored nowhere, and a secret that the sender set itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from tests.appliance.agents import agent_over, apply, direct
from tests.page.browser import needs_chromium, open_browser, open_site, signed_in
from tests.page.doorstep import OWN_FORM, OWN_LINK, PASSWORD_HASH, browser, sign_in
from tests.web.api.stand_in import NOW, SETTINGS, StandIn

pytestmark = pytest.mark.anyio

SECRETLESS = '[[touchpoint]]\nname = "{name}"\nprovider = "{name}"\n'


async def test_a_handshake_and_a_wrong_method_are_told(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """That the sender's question was answered, and that somebody opened the URL in a browser."""
    port = free_port()
    text = direct(port) + SECRETLESS.format(name="dropbox") + SECRETLESS.format(name="stripe")
    async with agent_over(tmp_path / "data") as agent, browser(agent) as client, httpx.AsyncClient() as sender:
        assert (await apply(agent, text)).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        await sign_in(client)
        first = "/begin/touchpoint/{}/first"
        assert "asked first" not in (await client.get(first.format("dropbox"), headers=OWN_LINK)).text
        hooks = f"http://127.0.0.1:{port}/hooks"
        assert (await sender.get(f"{hooks}/dropbox", params={"challenge": "abc"})).text == "abc"
        told = (await client.get(first.format("dropbox"), headers=OWN_LINK)).text
        assert "The sender asked first (by GET, from 127.0.0.1) and got its answer." in told
        assert (await sender.get(f"{hooks}/stripe")).status_code == 405
        told = (await client.get(first.format("stripe"), headers=OWN_LINK)).text
        assert "A GET came from 127.0.0.1; events come by POST." in told


async def test_a_captured_secret_is_told_until_somebody_has_seen_it(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """When, from where, and the value that is to be entered at the sender; then it is kept, or forgotten."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent, browser(agent) as client, httpx.AsyncClient() as sender:
        assert (await apply(agent, direct(port) + SECRETLESS.format(name="notion"))).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        await sign_in(client)
        value = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"
        answer = await sender.post(f"http://127.0.0.1:{port}/hooks/notion", json={"verification_token": value})
        assert answer.status_code == 200
        for path in ("/touchpoints/notion", "/begin/touchpoint/notion"):
            page = (await client.get(path, headers=OWN_LINK)).text
            assert "set this touchpoint&#39;s secret itself, from 127.0.0.1" in page
            assert f'data-copy="{value}"' in page
        seen = await client.post("/touchpoints/notion/captured", data={"back": "/begin/touchpoint/notion"}, headers=OWN_FORM)
        assert (seen.status_code, seen.headers["location"]) == (303, "/begin/touchpoint/notion")
        assert value not in (await client.get("/touchpoints/notion", headers=OWN_LINK)).text
        assert agent.configuration.touchpoints[0].secrets == (value,)


async def test_a_captured_secret_is_forgotten(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The touchpoint waits for another one, and a sender may set it."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent, browser(agent) as client, httpx.AsyncClient() as sender:
        assert (await apply(agent, direct(port) + SECRETLESS.format(name="asana"))).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        await sign_in(client)
        for secret in ("first-secret-of-asana-0123456789", "second-secret-of-asana-012345678"):
            asked = await sender.post(f"http://127.0.0.1:{port}/hooks/asana", headers={"x-hook-secret": secret})
            assert asked.headers["x-hook-secret"] == secret
            page = (await client.get("/touchpoints/asana", headers=OWN_LINK)).text
            assert "from 127.0.0.1" in page
            assert secret not in page
            gone = await client.post("/touchpoints/asana/captured", data={"deed": "forget"}, headers=OWN_FORM)
            assert gone.headers["location"] == "/touchpoints/asana"
            assert agent.configuration.touchpoints[0].state.value == "setup"


async def test_a_secret_that_a_person_added_beside_it_is_neither_shown_nor_forgotten(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """A stranger may have been first, and the person has the right one already."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent, browser(agent) as client, httpx.AsyncClient() as sender:
        assert (await apply(agent, direct(port) + SECRETLESS.format(name="notion"))).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        await sign_in(client)
        await sender.post(f"http://127.0.0.1:{port}/hooks/notion", json={"verification_token": "secret_of-a-stranger"})
        await client.post("/touchpoints/notion/secrets", data={"secret": "secret_of-a-person"}, headers=OWN_FORM)
        page = (await client.get("/touchpoints/notion", headers=OWN_LINK)).text
        assert "from 127.0.0.1" in page
        assert "secret_of-a-person" not in page
        for _ in range(2):  # nothing is left to forget the second time
            await client.post("/touchpoints/notion/captured", data={"deed": "forget"}, headers=OWN_FORM)
            assert agent.configuration.touchpoints[0].secrets == ("secret_of-a-person",)


async def test_what_cannot_be_tested_says_why(tmp_path: Path) -> None:
    """Without a secret, and where only the sender can sign."""
    async with agent_over(tmp_path / "data") as agent, browser(agent) as client:
        assert (await apply(agent, SECRETLESS.format(name="stripe") + SECRETLESS.format(name="sendgrid"))).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        await sign_in(client)
        for name, offered in (("stripe", True), ("sendgrid", False)):
            waiting = await client.get(f"/begin/touchpoint/{name}", headers=OWN_LINK)
            assert (f"/begin/touchpoint/{name}/test" in waiting.text) is offered
            told = await client.post(f"/begin/touchpoint/{name}/test", headers=OWN_FORM)
            assert told.status_code == 422
            assert 'class="notice is-bad"' in told.text


async def test_who_leads_back_leads_inside(stand_in: StandIn) -> None:
    """A form cannot send a person to another site."""
    stand_in.control.settings = replace(SETTINGS)
    stand_in.control.secrets_captured = (
        {"touchpoint": "orders", "at": NOW, "remote": "<b>", "fingerprint": "0" * 16, "value": ""},
    )
    async with stand_in.signed_in() as client:
        gone = await client.post("/touchpoints/orders/captured", data={"back": "//evil.example"})
        assert gone.headers["location"].startswith("/")
        assert not gone.headers["location"].startswith("//")


@needs_chromium
async def test_the_wait_turns_from_refused_to_green_by_itself(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The reason stands there within a moment; the right event turns it green, with nobody touching the page."""
    port = free_port()
    sender_says = 'provider = "generic"\nverify = { scheme = "token", header = "X-Key" }\nsecrets = ["hush-hush"]\n'
    generic = f'[[touchpoint]]\nname = "stock"\n{sender_says}'
    async with open_site(tmp_path / "data") as site, open_browser() as chromium, httpx.AsyncClient() as sender:
        assert (await apply(site.agent, direct(port) + generic)).problems == ()
        watched = await signed_in(await chromium.new_context(), site)
        await watched.page.goto(site.at("/begin/touchpoint/stock"))
        first = watched.page.locator("#first")
        url = f"http://127.0.0.1:{port}/hooks/stock"
        await sender.get(url)
        await expect(first).to_contain_text("A GET came from 127.0.0.1")
        await sender.post(url, content=b"{}", headers={"x-kay": "hush-hush"})
        assert site.agent._works is not None
        await site.agent._refusals.flush(site.agent._works.events.inbox)
        await expect(first).to_contain_text("Looked for the header X-Key: it is not there.")
        await sender.post(url, content=b"{}", headers={"x-key": "hush-hush"})
        await expect(watched.page.locator(".first-event.is-good")).to_be_visible()
        assert watched.wrong == []
