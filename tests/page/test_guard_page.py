"""What other sites can do to a page whose person is signed in: nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.agent import Agent
from tests.page.doorstep import HERE, NAVIGATES, OWN_FORM, OWN_LINK, TYPED, browser, doorstep, sign_in
from web.guard_origin import Origin, origin_of
from web.guard_sign_in import safe_next, sign_in_path

pytestmark = pytest.mark.anyio

FETCH = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
PAGE = "/begin/password"


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with doorstep(tmp_path / "data") as made:
        yield made


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8421", "192.0.2.1", "localhost.evil.example"])
async def test_a_rebound_name_gets_a_page_that_names_the_setting(agent: Agent, host: str) -> None:
    """A stranger's name that was made to lead here is refused, sign-in and setup included, and told what to set."""
    async with browser(agent) as client:
        for path in ("/", "/sign-in", f"/setup{agent.link.renew().removeprefix('/setup')}"):
            answer = await client.get(path, headers={**TYPED, "host": host})
            assert answer.status_code == 403, path
            assert "[page]" in answer.text
            assert "set-cookie" not in answer.headers


STRANGE = [
    ("POST", {"origin": "https://evil.example", "sec-fetch-site": "cross-site", **NAVIGATES}),
    ("POST", {"origin": "null", "sec-fetch-site": "cross-site", **NAVIGATES}),
    ("POST", {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site", **NAVIGATES}),
    ("POST", {"origin": "http://localhost:8421", "sec-fetch-site": "cross-site", **NAVIGATES}),
    ("POST", {"origin": "https://127.0.0.1:8421"}),
    ("POST", {"origin": "http://127.0.0.1"}),
    ("POST", {"sec-fetch-site": "none", **NAVIGATES}),
    ("POST", {}),
    ("DELETE", {"origin": "https://evil.example", "sec-fetch-site": "cross-site", **FETCH}),
    ("GET", {"origin": "https://evil.example", "sec-fetch-site": "cross-site", **FETCH}),
    ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"}),
    ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}),
    ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"}),
    ("GET", {"sec-fetch-site": "same-site", **FETCH}),
    ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}),
    ("GET", {"sec-fetch-site": "none", **FETCH}),
    ("GET", {"origin": "http://127.0.0.1:9000"}),
]


@pytest.mark.parametrize(("method", "headers"), STRANGE)
def test_what_reaches_in_is_strange(method: str, headers: dict[str, str]) -> None:
    """Forms, fetch, images, frames and EventSource of other sites, and of other ports of this machine."""
    assert judged(method, headers) is Origin.STRANGE


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", TYPED),
        ("GET", OWN_LINK),
        ("GET", {"sec-fetch-site": "same-origin", **FETCH}),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "style"}),
        ("POST", OWN_FORM),
        ("POST", {"origin": HERE}),
        ("GET", {}),
    ],
)
def test_our_own_pages_and_typed_addresses_pass(method: str, headers: dict[str, str]) -> None:
    """Browsers that send no Sec-Fetch headers included."""
    assert judged(method, headers) is Origin.OURS


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_opens_whole_pages_alone(site: str) -> None:
    """An export, a stream or the API is no page: a link that leads there is refused."""
    link = {"sec-fetch-site": site, **NAVIGATES}
    assert judged("GET", link) is Origin.LINK
    assert judged("POST", link) is Origin.STRANGE
    assert judged("GET", link, whole_page=False) is Origin.STRANGE
    assert judged("GET", {}, whole_page=False) is Origin.STRANGE


def test_a_header_said_twice_is_strange() -> None:
    """No two readers shall take another one of them for the right one."""
    headers = [(b"host", b"127.0.0.1:8421"), (b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"cross-site")]
    assert origin_of(headers, method="GET", scheme="http", whole_page=True) is Origin.STRANGE


def judged(method: str, headers: dict[str, str], *, whole_page: bool = True) -> Origin:
    raw = [(b"host", b"127.0.0.1:8421"), *((name.encode(), value.encode()) for name, value in headers.items())]
    return origin_of(raw, method=method, scheme="http", whole_page=whole_page)


@pytest.mark.parametrize(("method", "headers"), [one for one in STRANGE if one[0] != "DELETE"])
async def test_no_strange_request_reaches_a_handler(agent: Agent, method: str, headers: dict[str, str]) -> None:
    """Though the session's cookie came along, as it does between ports of one machine, nothing happens."""
    async with browser(agent) as client:
        await sign_in(client)
        form = {"next": "/", "theme": "dark"}
        for path in (PAGE, "/sign-out", "/sign-in"):
            answer = await client.request(method, path, headers=headers, data=form if method == "POST" else None)
            assert answer.status_code == 403, path
            assert "set-cookie" not in answer.headers
        assert (await client.get(PAGE, headers=OWN_LINK)).status_code == 200


async def test_a_link_in_a_mail_finds_the_person_signed_in(agent: Agent) -> None:
    """It comes without the Strict cookie, gets a page of ours that moves on, and from there the sign-in leads back."""
    link = {"sec-fetch-site": "cross-site", **NAVIGATES}
    async with browser(agent) as client:
        await sign_in(client)
        async with browser(agent) as bare:
            first = await bare.get(f"{PAGE}?a=1&b=2", headers=link)
        assert first.status_code == 200
        onward = first.headers["refresh"].partition("url=")[2]
        assert onward == "/sign-in?next=/begin/password%3Fa%3D1%26b%3D2"
        assert "set-cookie" not in first.headers
        second = await client.get(onward, headers=OWN_LINK)
        assert (second.status_code, second.headers["location"]) == (303, f"{PAGE}?a=1&b=2")
        stranger = await bare_get(agent, onward)
        assert 'name="password"' in stranger
        assert 'value="/begin/password?a=1&amp;b=2"' in stranger


async def bare_get(agent: Agent, path: str) -> str:
    async with browser(agent) as client:
        return (await client.get(path, headers=OWN_LINK)).text


async def test_a_script_without_a_session_is_led_to_the_sign_in(agent: Agent) -> None:
    """htmx is told by its own header to leave, and to come back to where the person was; not to another site."""
    own = {"sec-fetch-site": "same-origin", **FETCH, "hx-request": "true"}
    async with browser(agent) as client:
        answer = await client.get(PAGE, headers={**own, "hx-current-url": f"{HERE}/events?q=1"})
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=/events%3Fq%3D1")
        answer = await client.get(PAGE, headers={**own, "hx-current-url": "http://evil.example//evil.example"})
        assert answer.headers["hx-redirect"] == "/sign-in"


async def test_a_token_opens_no_page(agent: Agent) -> None:
    """A token with scope read must not do through a form what the API keeps from it."""
    async with browser(agent) as client:
        answer = await client.get(PAGE, headers={**TYPED, "authorization": f"Bearer {agent.machine_token}"})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "evil.example",
        "",
        "/" + "a" * 3000,
        "/é",
    ],
)
async def test_the_sign_in_leads_to_no_other_site(agent: Agent, wanted: str) -> None:
    """What is no plain path of ours becomes the home screen."""
    assert safe_next(wanted) == "/"
    assert sign_in_path(wanted) == "/sign-in"
    if wanted in ("https://evil.example", "//evil.example", "/\\evil.example"):
        async with browser(agent) as client:
            assert (await sign_in(client, onward=wanted)).headers["location"] == "/"


async def test_every_page_is_closed_to_frames_and_foreign_scripts(agent: Agent) -> None:
    """The policy stands on pages, refusals, redirects and what is not there."""
    async with browser(agent) as client:
        for path in ("/sign-in", "/", "/nowhere", "/setup/x"):
            headers = (await client.get(path, headers=TYPED)).headers
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
