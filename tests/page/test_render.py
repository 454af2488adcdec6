"""Rendering: escaping, what stands around a screen, what was said once, the theme."""

from urllib.parse import quote

import httpx
import pytest
from jinja2 import UndefinedError

from tests.web.api.stand_in import StandIn
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND
from web.page import figures
from web.page.render import environment, fragment
from web.page.theme import inside

pytestmark = pytest.mark.anyio


def test_what_a_template_is_given_is_escaped() -> None:
    """A problem's text cannot become markup."""
    shown = fragment("_problems.html", problems=[{"text": "<script>", "mend": "'\""}])
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_an_undefined_name_is_an_error() -> None:
    """A forgotten value fails at once."""
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing.there }}").render()


def test_every_template_reads() -> None:
    """Each template is well formed."""
    for name in environment().list_templates():
        environment().get_template(name)


def test_no_template_holds_script_or_style_of_its_own() -> None:
    """The strict policy would block it."""
    for name in environment().list_templates():
        source = environment().loader.get_source(environment(), name)[0]  # type: ignore[union-attr]  # it has a loader
        assert " style=" not in source, name
        assert "<style" not in source, name
        assert " onclick=" not in source, name
        assert "| safe" not in source, name
        assert "|safe" not in source, name


async def test_what_the_last_deed_said_is_shown_once(stand_in: StandIn) -> None:
    """The notice stands on the next page, and its cookie goes."""
    async with stand_in.signed_in() as client:
        client.cookies.set("hookport-said", quote("Saved <b>it</b>"))
        answer = await client.get("/")
    assert "Saved &lt;b&gt;it&lt;/b&gt;" in answer.text
    assert "hookport-said" in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_the_theme_is_kept_in_a_cookie_and_stands_in_the_page(stand_in: StandIn) -> None:
    """The first paint already has the chosen colours; an unknown theme is the system's."""
    async with stand_in.signed_in() as client:
        answer = await client.post("/theme", data={"theme": "dark", "next": "/nope"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/nope")
        assert 'data-theme="dark"' in (await client.get("/")).text
        await client.post("/theme", data={"theme": '"><script>'})
        assert 'data-theme="dark"' in (await client.get("/")).text


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "", "javascript:x"])
def test_a_way_back_leads_nowhere_else(path: str) -> None:
    """What could lead to another site leads home."""
    assert inside(path) == "/"


def test_figures_read_as_people_say_them() -> None:
    """Spans and sizes in their largest fitting unit."""
    assert [figures.span(one) for one in (0, 800, 6_000, 1_400_000, 3 * SECOND, 61 * SECOND)] == [
        "0 ms",
        "1 ms",
        "6 ms",
        "1.4 s",
        "3 s",
        "61 s",
    ]
    assert [figures.span(one) for one in (4 * MINUTE, 3 * HOUR, 3 * DAY)] == ["4 min", "3 h", "3 days"]
    assert [figures.size(one) for one in (1, 312, 1536, 20 * 1024**2)] == ["1 byte", "312 bytes", "1.5 KB", "20 MB"]


async def test_a_missing_page_says_so_in_words_and_the_api_in_json(stand_in: StandIn) -> None:
    """Each half of the port answers in its own tongue."""
    async with stand_in.signed_in() as client:
        page = await client.get("/nope")
        api = await client.get("/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert 'href="/touchpoints"' in page.text  # who is signed in keeps the navigation
    assert page.headers["content-type"].startswith("text/html")
    assert api.json()["problems"][0]["code"] == "no_such_event"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("PUT", "/events", 405), ("GET", "/events/x", 404)]
)
async def test_an_error_shows_nothing_of_the_inside_to_a_stranger(
    stand_in: StandIn, method: str, path: str, status: int
) -> None:
    """Without a session there is neither navigation nor a name; with one, both are there."""
    async with stand_in.signed_in() as client:
        mine = await client.request(method, path)
        client.cookies.clear()
        theirs = await client.request(method, path)
    assert mine.status_code == status
    assert "data-live-address" in mine.text
    assert ">ann<" in mine.text
    assert "data-live-address" not in theirs.text
    assert ">ann<" not in theirs.text


async def test_a_piece_of_a_screen_gets_its_problem_as_a_notice(stand_in: StandIn) -> None:
    """htmx shows it where notices stand, not where the piece was to go."""
    async with stand_in.signed_in(**{"hx-request": "true"}) as client:
        answer = await client.get("/nope")
    assert answer.headers["hx-retarget"] == "#notices"
    assert "<html" not in answer.text


async def test_a_crash_tells_nothing_of_itself(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What went wrong inside stands in the log alone."""

    async def crash() -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(stand_in.control, "status", crash)
    async with stand_in.signed_in() as client:
        answer: httpx.Response = await client.get("/")
    assert answer.status_code == 500
    assert "the inside" not in answer.text
    assert "Something went wrong inside Hookport" in answer.text
    assert "the inside" in caplog.text
