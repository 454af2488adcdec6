"""A refused event told in detail, and another secret tried on it: never kept before it is saved, never shown."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from appliance.agent import Agent
from store.log import Filter
from tests.appliance.agents import agent_over, apply, direct
from tests.page.browser import needs_chromium, open_browser, open_site, send, signed_in
from tests.page.doorstep import OWN_FORM, OWN_LINK, PASSWORD_HASH, browser, sign_in
from tests.page.scene import order, shopify_headers
from touchpoints.diagnosis import Finding
from touchpoints.form import Form
from touchpoints.moment import MINUTE
from touchpoints.problem import catalogue
from web.page.diagnosis_view import form_words, in_problem_words
from web.page.words import known

pytestmark = pytest.mark.anyio

RIGHT = "hush-right-secret"
WRONG = "hush-wrong-secret"
ORDERS = f"""
[[touchpoint]]
name = "orders"
provider = "shopify"
secrets = ["{WRONG}"]
"""


def headers(body: bytes) -> dict[str, str]:
    """What the sender sends, by the right secret."""
    mac = base64.b64encode(hmac.new(RIGHT.encode(), body, hashlib.sha256).digest()).decode()
    return {**shopify_headers(body), "x-shopify-hmac-sha256": mac}


async def refused_event(agent: Agent, port: int, *, number: int = 1042, given: dict[str, str] | None = None) -> str:
    """Send an order that is refused; its id."""
    body = order(number)
    assert await send(f"http://127.0.0.1:{port}/hooks/orders", [body], given or headers(body)) == [401]
    assert agent._works is not None
    await agent._refusals.flush(agent._works.events.inbox)
    return (await agent._desk.log().events(Filter(), limit=1))[0].event.id


@pytest.fixture
async def live(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[tuple[Agent, httpx.AsyncClient, int]]:
    """An agent with a wrong secret, ann signed in, and the port that senders reach."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        assert (await apply(agent, direct(port) + ORDERS)).problems == ()
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        async with browser(agent) as client:
            await sign_in(client)
            yield agent, client, port


async def test_trying_changes_nothing_and_saving_runs(live: tuple[Agent, httpx.AsyncClient, int]) -> None:
    """A wrong one is told why, the right one fits and is not kept, and saved it runs the event."""
    agent, client, port = live
    event = await refused_event(agent, port)
    before = await agent.control.show()
    page = (await client.get(f"/events/{event}", headers=OWN_LINK)).text
    fingerprint = before.partition("stored:")[2][:16]
    assert f"It does not fit the secret with the fingerprint {fingerprint}." in page
    bad = await client.post(f"/events/{event}/secret", data={"secret": "hush-other", "deed": "save"}, headers=OWN_FORM)
    assert "It does not fit either. Nothing was saved." in bad.text
    spaced = await client.post(f"/events/{event}/secret", data={"secret": "", "deed": "try"}, headers=OWN_FORM)
    assert "No secret was entered." in spaced.text
    good = await client.post(f"/events/{event}/secret", data={"secret": RIGHT, "deed": "try"}, headers=OWN_FORM)
    assert "It fits" in good.text
    assert "orders/create, #1042" in good.text
    for answer in (page, bad.text, good.text):
        assert not any(secret in answer for secret in (RIGHT, WRONG, "hush-other"))
    assert await agent.control.show() == before
    saved = await client.post(
        f"/events/{event}/secret", data={"secret": RIGHT, "deed": "save", "alone": "on"}, headers=OWN_FORM
    )
    assert (saved.status_code, saved.headers["location"]) == (303, f"/events/{event}")
    assert [one.secrets for one in agent.configuration.touchpoints] == [(RIGHT,)]
    timeline = await agent._desk.log().timeline(event)
    assert timeline is not None
    assert timeline.listed.event.verdict.value == "accepted"
    assert RIGHT not in str(await agent._opened.people.audited(limit=100))


async def test_the_others_that_fit_are_offered(live: tuple[Agent, httpx.AsyncClient, int]) -> None:
    """The one event is run; the rest waits for a person's word."""
    agent, client, port = live
    await refused_event(agent, port, number=1)
    event = await refused_event(agent, port, number=2)
    saved = await client.post(f"/events/{event}/secret", data={"secret": RIGHT, "deed": "save"}, headers=OWN_FORM)
    assert saved.headers["location"] == "/events/act/verify?touchpoint=orders&state=refused"
    asked = (await client.get(saved.headers["location"], headers=OWN_LINK)).text
    assert "1 more refused event would fit, too." in asked
    assert [one.secrets for one in agent.configuration.touchpoints] == [(RIGHT, WRONG)]


async def test_only_a_refused_event_has_such_a_form(live: tuple[Agent, httpx.AsyncClient, int]) -> None:
    """An event that is unknown or was accepted finds nothing."""
    agent, client, port = live
    event = await refused_event(agent, port)
    await client.post(f"/events/{event}/secret", data={"secret": RIGHT, "deed": "save"}, headers=OWN_FORM)
    assert 'name="deed"' not in (await client.get(f"/events/{event}", headers=OWN_LINK)).text
    for one in (event, "0" * 26):
        answer = await client.post(f"/events/{one}/secret", data={"secret": "x"}, headers=OWN_FORM)
        assert answer.status_code == 404


async def test_the_waiting_step_says_what_is_missing(live: tuple[Agent, httpx.AsyncClient, int]) -> None:
    """Which header, whose it looks like, and which form was expected."""
    agent, client, port = live
    waiting = "/begin/touchpoint/orders/first"
    await refused_event(agent, port, given={"x-hub-signature-256": "sha256=00"})
    told = (await client.get(waiting, headers=OWN_LINK)).text
    assert "Looked for the header X-Shopify-Hmac-Sha256, or the header Shopify-Hmac-Sha256: it is not there." in told
    assert "GitHub" in told
    await refused_event(agent, port, given={"x-shopify-hmac-sha256": "ab" * 32})
    told = (await client.get(waiting, headers=OWN_LINK)).text
    assert "came 64 hexadecimal characters; expected: 44 Base64 characters." in told
    assert "ab" * 32 not in told


async def test_the_first_secret_is_entered_while_waiting(
    live: tuple[Agent, httpx.AsyncClient, int], free_port: Callable[[], int]
) -> None:
    """A touchpoint in setup gets it there; what was refused meanwhile and fits is run."""
    agent, client, port = live
    assert (await apply(agent, '[[touchpoint]]\nname = "orders"\nprovider = "shopify"\nsecrets = []\n')).problems == ()
    waiting = "/begin/touchpoint/orders"
    assert "Save the secret" in (await client.get(waiting, headers=OWN_LINK)).text
    none = await client.post(f"{waiting}/secret", data={"secret": RIGHT, "deed": "try"}, headers=OWN_FORM)
    assert "There is no refused event here to try it on" in none.text
    event = await refused_event(agent, port)
    saved = await client.post(f"{waiting}/secret", data={"secret": RIGHT, "deed": "save"}, headers=OWN_FORM)
    assert (saved.status_code, saved.headers["location"]) == (303, waiting)
    timeline = await agent._desk.log().timeline(event)
    assert timeline is not None
    assert timeline.listed.event.verdict.value == "accepted"
    assert "The first event has arrived" in (await client.get(waiting, headers=OWN_LINK)).text


@needs_chromium
async def test_in_a_browser_the_typed_secret_stays_while_it_is_tried(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The result comes beside the form; then it is saved without being typed again."""
    port = free_port()
    async with open_site(tmp_path / "data") as site, open_browser() as chromium:
        assert (await apply(site.agent, direct(port) + ORDERS)).problems == ()
        event = await refused_event(site.agent, port)
        watched = await signed_in(await chromium.new_context(), site)
        page = watched.page
        await page.goto(site.at(f"/events/{event}"))
        await page.get_by_text("Try another secret on this event").click()
        await page.fill(".trial [name=secret]", RIGHT)
        await page.get_by_role("button", name="Try it").click()
        await expect(page.locator("#tried")).to_contain_text("It fits")
        assert await page.input_value(".trial [name=secret]") == RIGHT
        await page.get_by_role("button", name="Save and run what fits").click()
        await expect(page.locator("#notices")).to_contain_text("The secret is saved, and the event is run.")
        assert watched.wrong == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form(kind="hex", length=64, prefix="sha256="), "“sha256=” and then 64 hexadecimal characters"),
        (Form(kind="hex", length=64, tag="v1="), "a list with “v1=” and then 64 hexadecimal characters"),
        (Form(kind="empty"), "nothing"),
        (Form(kind="digits"), "a number"),
        (Form(kind="base64url", length=1), "1 letter, digit, - or _"),
    ],
)
def test_a_form_in_words(form: Form, words: str) -> None:
    """As somebody would say it who may not say the value."""
    assert form_words(form) == words


def test_every_kind_of_form_has_words() -> None:
    """With a length and without."""
    for kind in ("digits", "hex", "letters", "base64", "base64url", "jwt", "either", "text"):
        assert known(f"provider.form.{kind}"), kind
        assert known(f"provider.form_any.{kind}"), kind


def test_values_become_words() -> None:
    """Spans, places, providers; a code that nobody knows is shown as it is."""
    off = in_problem_words(Finding(code="diagnosis_behind", values={"off": 7 * MINUTE, "allowed": 5 * MINUTE}))
    assert off.text == "The sender's time is 7 min behind this machine's; 5 min are allowed."
    other = in_problem_words(Finding(code="diagnosis_other_provider", values={"providers": ("github", "stripe")}))
    assert other.text == "It is signed the way of GitHub, Stripe."
    assert "no_such_code" in in_problem_words(Finding(code="no_such_code")).text
    assert "\\u202e" in in_problem_words(Finding(code="diagnosis_topic", values={"came": "a\u202eb"})).text
    assert "diagnosis_topic" in catalogue()
