"""The operator's page, without scripts: set up, organisations, settings, people."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.proxy.server import ProxyServer
from appliance.setup import link_at_start
from tests.operator.kit import Person, proxy_folder
from tests.page.doorstep import PASSWORD
from web.operator.render import environment
from web.page.words import known

pytestmark = pytest.mark.anyio

SCREENS = [
    "/",
    "/add-organisation",
    "/organisations/acme",
    "/settings/server",
    "/settings/backup",
    "/settings/people",
    "/settings/audit",
    "/settings/about",
    "/begin/server",
]


async def test_from_the_setup_link_to_the_first_code(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """A password, the public URL with a listener that is really bound, the first organisation with its code."""
    port = free_port()
    async with proxy_folder(tmp_path / "proxy", person=None) as role:
        role.page = "http://127.0.0.1:8431"
        link = await link_at_start(role.opened, role.link)
        assert link
        person = Person(role)
        try:
            opened = await person.get(link)
            assert "The public URL" in opened.text
            saved = await person.post(link, name="ann", password="horse battery staple", repeated="horse battery staple")
            assert saved.headers["location"] == "/begin/server"
            url = f"http://127.0.0.1:{port}"
            bad = await person.post("/begin/server", public_url=url, listen="0.0.0.0", port=str(port), trusted_proxies="")
            assert bad.status_code == 422
            assert "without TLS" in bad.text
            assert role.direct.state == "off"
            good = await person.post("/begin/server", public_url=url, listen="127.0.0.1", port=str(port), trusted_proxies="")
            assert good.headers["location"] == "/add-organisation"
            assert (role.direct.state, role.direct.address) == ("up", f"127.0.0.1:{port}")
            shown = await person.post("/add-organisation", name="acme", quota_events="", quota_bytes="")
            assert re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}", shown.text)
            assert f"--proxy {url}" in shown.text
        finally:
            await person.http.aclose()
            await role.direct.close(grace=0)


@pytest.mark.parametrize("path", SCREENS)
async def test_every_screen_opens_under_the_strict_policy(role: ProxyServer, ann: Person, path: str) -> None:
    """Whole, without anything inline."""
    await ann.post("/add-organisation", name="acme", quota_events="", quota_bytes="")
    answer = await ann.get(path)
    assert answer.status_code == 200, answer.text
    assert "<h1" in answer.text
    assert " style=" not in answer.text
    assert not re.search(r"<script(?![^>]*src=)", answer.text)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert 'href="/touchpoints"' not in answer.text


@pytest.mark.parametrize("path", [*SCREENS, "/live", "/organisations/acme/export.jsonl"])
async def test_nothing_opens_without_signing_in(role: ProxyServer, path: str) -> None:
    """Led to the sign-in, or refused."""
    person = Person(role)
    async with person.http:
        answer = await person.get(path)
    assert answer.status_code in (303, 401, 403)


async def test_forms_of_other_sites_do_nothing(role: ProxyServer, ann: Person) -> None:
    """The cookie alone is not enough."""
    answer = await ann.http.post("/add-organisation", data={"name": "acme"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert await role.control.organisations() == []


async def test_a_code_is_shown_once(role: ProxyServer, ann: Person) -> None:
    """In the answer to the form, and nowhere afterwards."""
    shown = (await ann.post("/add-organisation", name="acme", quota_events="", quota_bytes="")).text
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}", shown)
    assert code
    assert code[0] not in (await ann.get("/organisations/acme")).text
    another = (await ann.post("/organisations/acme/code", replaces="")).text
    assert re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}", another)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "ab"}, "too short"),
        ({"name": "Acme Ltd"}, "cannot be used"),
        ({"name": "acme", "quota_events": "many"}, "number of events"),
        ({"name": "acme", "quota_bytes": "12 cows"}, "size for a quota"),
    ],
)
async def test_a_wrong_form_comes_back_with_what_was_typed(
    role: ProxyServer, ann: Person, form: dict[str, str], words: str
) -> None:
    """And changes nothing."""
    answer = await ann.post("/add-organisation", **form)
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    assert html.escape(form["name"]) in answer.text
    assert await role.control.organisations() == []


async def test_a_quota_is_set_and_given_back(role: ProxyServer, ann: Person) -> None:
    """An empty field is the proxy's own."""
    await ann.post("/add-organisation", name="acme", quota_events="", quota_bytes="")
    assert (await ann.post("/organisations/acme/quota", quota_events="1,000", quota_bytes="2MiB")).status_code == 303
    assert (await role.control.organisation("acme")).own_events == 1000
    page = (await ann.get("/organisations/acme")).text
    assert 'value="1000"' in page
    assert 'value="2MiB"' in page
    await ann.post("/organisations/acme/quota", quota_events="", quota_bytes="")
    assert (await role.control.organisation("acme")).own_events is None


async def test_an_organisation_goes_only_when_its_name_was_typed(role: ProxyServer, ann: Person) -> None:
    """Then everything of it is erased."""
    await ann.post("/add-organisation", name="acme", quota_events="", quota_bytes="")
    assert (await ann.post("/organisations/acme/remove", typed="acm")).status_code == 422
    assert (await ann.post("/organisations/acme/remove", typed="acme")).headers["location"] == "/"
    assert (await ann.get("/organisations/acme")).status_code == 404
    assert "acme was removed" in (await ann.get("/")).text


@pytest.mark.parametrize("deed", ["code", "revoke", "take-over", "quota", "remove"])
async def test_deeds_at_an_organisation_that_is_not_there_find_nothing(ann: Person, deed: str) -> None:
    """404, as a page."""
    answer = await ann.post(f"/organisations/nobody/{deed}", typed="nobody", agent="x")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


async def test_settings_are_saved_by_section(role: ProxyServer, ann: Person) -> None:
    """Only what the form changes; a wrong value comes back at its field."""
    saved = await ann.post("/settings/section/server", **{"server.max_age_days": "7"})
    assert saved.headers["location"] == "/settings/server"
    assert role.configuration.server.max_age_days == 7
    wrong = await ann.post("/settings/section/server", **{"server.max_age_days": "0"})
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert (await ann.post("/settings/section/touchpoint")).status_code == 404


async def test_people_tokens_and_the_audit_log_are_the_agents_own(role: ProxyServer, ann: Person) -> None:
    """The same handlers over the proxy's people."""
    assert (await ann.post("/settings/tokens/add", name="nagios", scope="read")).status_code == 422
    made = await ann.post("/settings/tokens/add", name="nagios", scope="read", own=PASSWORD)
    assert "Copy it now" in made.text
    assert "nagios" in (await ann.get("/settings/people")).text
    assert "ann" in (await ann.get("/settings/audit")).text


async def test_what_needs_the_operator_leads_to_where_it_is_mended(role: ProxyServer, ann: Person) -> None:
    """The first is to set the proxy up."""
    page = (await ann.get("/")).text
    assert "/begin/server" in page
    assert "no public URL yet" in page


def test_every_template_reads_and_speaks_through_the_catalogue() -> None:
    """No sentence, script or style of its own; no word that is not there."""
    folder = Path(__file__).parents[2] / "web" / "operator"
    for file in folder.glob("templates/*.html"):
        environment().get_template(file.name)
        source = file.read_text(encoding="utf-8")
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<code>.*?</code>|<[^>]*>", " ", source, flags=re.DOTALL)
        assert set(re.findall(r"[A-Za-z]{4,}", text)) <= {"Hookport"}, file.name
        assert " style=" not in source
        assert "| safe" not in source
    asked = {
        key
        for file in [*folder.glob("templates/*.html"), *folder.glob("*.py")]
        for key in re.findall(r"""\bt\(\s*"([a-z0-9_.]+)"(?!\s*~)\s*[,)]""", file.read_text(encoding="utf-8"))
    }
    assert len(asked) > 60
    assert [key for key in sorted(asked) if not known(key)] == []
