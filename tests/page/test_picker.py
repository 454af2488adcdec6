"""Choosing a sender: with scripts and without, by keyboard, and what each one's form then asks for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.appliance.agents import TOUCHPOINT, apply
from tests.page.browser import Site, needs_chromium, open_browser, open_site, signed_in
from tests.page.doorstep import OWN_FORM, doorstep, sign_in
from tests.page.doorstep import browser as browser_of
from tests.web.api.stand_in import StandIn
from touchpoints.provider import providers
from touchpoints.provider_settings import provider_settings
from touchpoints.verification import VERIFIERS
from web.page.picker import pick_groups
from web.page.provider_words import provider_words, secret_shape, step_shown, unsure_words
from web.page.touchpoint_boxes import ALL
from web.page.words import catalogue, known

pytestmark = pytest.mark.anyio

ADD = "/begin/touchpoint"


def test_every_provider_stands_in_the_picker_once() -> None:
    """Under one heading, generic at the very end, with what is unsure about it."""
    groups = pick_groups(lambda name: f"/to/{name}")
    picks = [one for group in groups for one in group.picks]
    assert sorted(one.name for one in picks) == sorted(providers())
    assert picks[-1].name == "generic"
    for one in picks:
        assert one.to == f"/to/{one.name}"
        assert bool(one.unsure) == bool(providers()[one.name].unsure)
    assert "whatsapp" in next(one for one in picks if one.name == "meta").sought


def test_another_name_is_that_of_a_provider() -> None:
    """No alias is left of a provider that is gone."""
    aliases = {key.removeprefix("provider.alias.") for key in catalogue() if key.startswith("provider.alias.")}
    assert aliases <= {*providers()}


def test_every_provider_has_words_and_a_place_for_the_url() -> None:
    """What to paste, and steps in which the endpoint URL can be copied where it is spoken of."""
    for one in providers().values():
        words = provider_words(one)
        assert words.secret, one.name
        shown = [str(step_shown(step, one.label, "https://here")) for step in words.steps]
        assert sum("https://here" in step for step in shown) >= 1, one.name
        assert "{" not in "".join(shown), one.name


def test_what_is_unsure_is_named() -> None:
    """In words, never by a key."""
    for one in providers().values():
        assert bool(unsure_words(one)) == bool(one.unsure)
        assert "provider." not in unsure_words(one) + unsure_words(one, short=True)


def test_every_scheme_is_named_in_words() -> None:
    """In the touchpoint's own line, and where a person may choose it."""
    for scheme in VERIFIERS:
        assert known(f"touchpoints.scheme.{scheme}"), scheme
    for path in ALL:
        assert path == "name" or known(f"touchpoints.field.{path}.label"), path
    for scheme in ALL["verify.scheme"].options:
        assert known(f"touchpoints.field.verify.scheme.options.{scheme}"), scheme


def test_a_step_is_text_whatever_the_url_holds() -> None:
    """Neither a step nor a plain URL becomes markup."""
    assert (
        step_shown("Open <b> of {label}: {url}", "A & B", "http://x/?a&b") == "Open &lt;b&gt; of A &amp; B: http://x/?a&amp;b"
    )


async def test_the_form_asks_what_the_provider_needs(stand_in: StandIn) -> None:
    """And nothing else: a verify token, a public key in several lines, the switch for several events in a body."""
    async with stand_in.signed_in() as client:
        for name, preset in providers().items():
            page = (await client.get(ADD, params={"provider": name})).text
            needs = provider_settings(preset)
            assert f'<input type="hidden" name="provider" value="{name}">' in page
            assert ('name="secret"' in page) == ("secrets" in needs)
            for field in ("verify_token", "credential", "public_url", "split"):
                assert (f'name="{field}"' in page) == (field in needs and "verify" not in needs), (name, field)
            assert ("<textarea" in page) == (secret_shape(preset) == "textarea"), name
            assert ('name="scheme"' in page) == (name == "generic")
        assert "data-picker" in (await client.get(ADD, params={"provider": "no<such"})).text


async def test_what_the_proof_does_not_cover_is_said_beforehand(stand_in: StandIn) -> None:
    """Fields, a checksum, nothing: each in its own words."""
    async with stand_in.signed_in() as client:
        for name, preset in providers().items():
            page = (await client.get(ADD, params={"provider": name})).text
            for covers, words in {
                "fields": "Only some fields",
                "checksum": "short checksum",
                "nothing": "signs nothing",
            }.items():
                if preset.covers == covers:
                    assert words in page, name


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with open_browser() as made:
        yield made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with one touchpoint."""
    async with open_site(tmp_path / "data") as made:
        assert (await apply(made.agent, TOUCHPOINT)).problems == ()
        yield made


@pytest.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """Ann's tab; nothing may go wrong in it."""
    context = await browser.new_context()
    watched = await signed_in(context, site)
    yield watched.page
    assert watched.wrong == []
    await context.close()


@needs_chromium
async def test_typing_narrows_and_the_keyboard_chooses(page: Page, site: Site) -> None:
    """Every word counts, groups without a fit go, arrows walk, escape empties, enter opens the first."""
    await page.goto(site.at(ADD))
    find, links = page.locator("[data-picker-find]"), page.locator("[data-pick]:visible")
    await expect(find).to_be_focused()
    await expect(links).to_have_count(len(providers()))
    await page.keyboard.type("twil")
    await expect(links.filter(has_text="Twilio")).to_be_visible()
    await expect(page.locator("[data-picker-group]:visible")).not_to_have_count(9)
    await page.keyboard.press("Escape")
    await expect(links).to_have_count(len(providers()))
    await page.keyboard.type("whats meta")
    await expect(links).to_have_count(1)
    await expect(page.locator("[data-picker-count]")).to_have_text("1 fits")
    await page.keyboard.press("ArrowDown")
    await expect(links).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(find).to_be_focused()
    await find.fill("no such application")
    await expect(links).to_have_text([r"Generic"])
    await expect(page.locator("[data-picker-none]")).to_be_visible()
    await find.fill("pay")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(links.nth(1)).to_be_focused()
    await find.fill("shopify")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/begin/touchpoint?provider=shopify")


@needs_chromium
async def test_without_scripts_it_is_a_list_of_links(browser: Browser, site: Site) -> None:
    """Everything is there, and the form after it works."""
    context = await browser.new_context(java_script_enabled=False)
    watched = await signed_in(context, site)
    page = watched.page
    await page.goto(site.at(ADD))
    await expect(page.locator("[data-picker-find]")).to_be_hidden()
    await page.get_by_role("link", name="Stripe").click()
    await page.fill("[name=name]", "payments")
    await page.fill("[name=url]", "http://127.0.0.1:1/")
    await page.click("main button.go")
    await page.wait_for_url("**/begin/touchpoint/payments")
    await expect(page.get_by_role("heading", name="In the settings of Stripe")).to_have_count(0)  # no way in is chosen yet
    await context.close()


@needs_chromium
async def test_a_touchpoint_gets_another_sender(page: Page, site: Site) -> None:
    """Picked the same way; the old secrets go, and it says what the new one needs."""
    await page.goto(site.at("/touchpoints/orders?box=sender"))
    await page.locator("#sender").get_by_role("link", name="Another web application").click()
    await page.locator("[data-picker-find]").fill("stripe")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/touchpoints/orders/sender?to=stripe")
    await page.get_by_role("button", name="Change the sender").click()
    await page.wait_for_url("**/begin/touchpoint/orders")
    await expect(page.locator("#notices")).to_contain_text("It has another sender now.")
    (changed,) = site.agent.configuration.touchpoints
    assert (changed.provider, changed.secrets, changed.state.value) == ("stripe", (), "setup")


@needs_chromium
async def test_known_event_types_are_marked_and_others_written(page: Page, site: Site) -> None:
    """Both end up in one list, and come back where they belong."""
    await apply(site.agent, '[[touchpoint]]\nname = "orders"\nprovider = "shopify"\nsecrets = ["hush-hush"]\n')
    await page.goto(site.at("/touchpoints/orders?box=events"))
    await page.locator("#events details summary").click()
    await page.get_by_label("orders/create", exact=True).check()
    await page.fill("[name='touchpoint.events']", "own/type\norders/create")
    await page.locator("#events").get_by_role("button", name="Save").click()
    await expect(page.locator("#notices")).to_contain_text("Saved.")
    assert site.agent.configuration.touchpoints[0].events == ("orders/create", "own/type")
    await expect(page.get_by_label("orders/create", exact=True)).to_be_checked()
    assert await page.input_value("[name='touchpoint.events']") == "own/type"


async def test_a_preset_that_is_open_keeps_its_way_of_checking(tmp_path: Path) -> None:
    """NetSuite's token stays a token when only its header is another; generic's list of events may be the body itself."""
    text = '[[touchpoint]]\nname = "erp"\nprovider = "netsuite"\nsecrets = ["hush-hush"]\n'
    async with doorstep(tmp_path / "data") as agent, browser_of(agent) as client:
        assert (await apply(agent, text + TOUCHPOINT)).problems == ()
        await sign_in(client)
        box = "/touchpoints/erp/box/verification"
        form = {"touchpoint.verify.header": "X-Own", "again": "hush-hush"}
        assert (await client.post(box, data=form, headers=OWN_FORM)).status_code == 303
        changed = next(one for one in agent.configuration.touchpoints if one.name == "erp")
        assert (changed.verification.scheme, changed.verification.credential) == ("token", "header:X-Own")
        split = {"touchpoint.split": "on", "touchpoint.items": ""}
        assert (await client.post("/touchpoints/orders/box/events", data=split, headers=OWN_FORM)).status_code == 303
        assert next(one for one in agent.configuration.touchpoints if one.name == "orders").split == ""
