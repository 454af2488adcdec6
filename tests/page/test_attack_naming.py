"""Markup in names and settings: refused where a name cannot hold it, and shown as text where any text may stand."""

from collections.abc import AsyncIterator

import pytest

from tests.appliance.agents import TOUCHPOINT, apply
from tests.page.attacker import MARK, Attack, harmless, open_attack
from tests.page.browser import needs_chromium
from tests.page.doorstep import PASSWORD
from tests.page.stranger import JUNK, Ears, looked

pytestmark = [pytest.mark.anyio, needs_chromium]

TO = "[[touchpoint]]\nname = 'orders'\n[[touchpoint.destination]]\nname = 'erp'\nkind = 'http'\n"
REFUSED = {
    "a path after the host": f"[agent]\nhost_public_url = 'http://127.0.0.1:1/{MARK}'",
    "a host of markup": f"[agent]\nhost_public_url = 'http://<{MARK}>'",
    "a script as the host's address": "[agent]\nhost_public_url = 'javascript:alert(1)'",
    "a name of the page": f"[page]\nhosts = ['<{MARK}>']",
    "a name of a touchpoint": f"[[touchpoint]]\nname = '<{MARK}>'\nprovider = 'shopify'",
    "an older name": f"[[touchpoint]]\nname = 'orders'\naliases = ['<{MARK}>']",
    "a name of a destination": TO.replace("erp", f"<{MARK}>") + "url = 'http://127.0.0.1:1'",
    "a script as an address": f"{TO}url = 'javascript:alert(1)'",
    "a method": f"{TO}method = '<{MARK}>'",
    "a header's name": f"{TO}headers = {{ '<{MARK}>' = 'a' }}",
    "a header in two lines": f'{TO}headers = {{ X-A = "a\\r\\nX-B: b" }}',
    "an address in two lines": f'{TO}url = "http://127.0.0.1:1/\\r\\nX-B: b"',
}
TEXT = {
    "an address": f"{TO}url = 'http://127.0.0.1:1/{MARK}?q=%3C{MARK}%3E&\"><{MARK}>'",
    "a header": f"{TO}headers = {{ X-A = '\"><{MARK}>' }}",
    "an event's type": f"[[touchpoint]]\nname = 'orders'\nevents = ['*', '<{MARK}>']",
    "a number": f"[[touchpoint]]\nname = 'orders'\nreference = 'const:<{MARK}>'",
    "a signed address": f"[[touchpoint]]\nname = 'orders'\npublic_url = 'http://127.0.0.1/?a=<{MARK}>'",
}
SUBMIT = """([action, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action });
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture(scope="module")
def ears() -> Ears:
    """What hears dialogs."""
    return Ears()


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory, ears: Ears) -> AsyncIterator[Attack]:
    """One running page and one browser for all tests here."""
    async with open_attack(tmp_path_factory.mktemp("naming")) as made:
        made.victim.on("dialog", ears.hear)
        assert (await apply(made.site.agent, TOUCHPOINT)).problems == ()
        yield made


@pytest.mark.parametrize("what", REFUSED)
async def test_what_no_name_can_hold_is_refused(attack: Attack, what: str) -> None:
    """Whoever applies it, and nothing is changed."""
    before = await attack.state()
    assert (await apply(attack.site.agent, REFUSED[what])).problems != ()
    assert await attack.state() == before


async def test_what_may_be_any_text_is_shown_as_text(attack: Attack, ears: Ears) -> None:
    """In the forms where it is set, and wherever else it is shown; what is refused after all is not stored."""
    taken = [what for what, text in TEXT.items() if not (await apply(attack.site.agent, text)).problems]
    assert "a header" in taken
    paths = ["/", "/touchpoints", "/touchpoints/orders", "/touchpoints/orders/to/erp", "/touchpoints/orders/add/http"]
    paths += [
        "/settings",
        "/settings/access",
        "/settings/storage",
        "/settings/backup",
        "/settings/audit",
        "/settings/about",
        "/events",
        "/export",
    ]
    wrong = [problem for path in paths for problem in await looked(attack.screen, attack.site.at(path))]
    assert wrong == []
    assert attack.screen.wrong == []
    assert ears.dialogs == []


@pytest.mark.parametrize("name", [f"<{MARK}>", JUNK, "=cmd()", "a/b", "", "\u202eann"])
async def test_nobody_and_no_token_is_called_by_markup(attack: Attack, name: str) -> None:
    """The forms refuse such names, and show them as text."""
    before = await attack.state()
    page = attack.screen.page
    for action, others in (
        ("/settings/people/add", [("password", "a long pass phrase"), ("own", "wrong")]),
        ("/settings/tokens/add", [("scope", "read"), ("own", PASSWORD)]),
    ):
        await page.goto(attack.site.at("/settings/people"))
        async with page.expect_navigation():
            await page.evaluate(SUBMIT, [action, [("name", name), *others]])
        assert await harmless(attack.screen) == []
    after = await attack.state()
    assert (after["people"], after["tokens"]) == (before["people"], before["tokens"])
