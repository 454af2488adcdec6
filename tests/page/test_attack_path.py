"""Path traversal: no address of the page names a file of the machine, however it is written."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.page.browser import Site, open_site
from tests.page.doorstep import PASSWORD
from tests.page.wire import answer_to, head, signed_in_cookie

pytestmark = pytest.mark.anyio

UP = [
    "../" * 8 + "etc/passwd",
    "%2e%2e/" * 8 + "etc/passwd",
    "..%2f" * 8 + "etc%2fpasswd",
    "%2e%2e%2f" * 8 + "etc%2fpasswd",
    "%252e%252e%252f" * 8 + "etc%252fpasswd",
    "..%5c" * 8 + "windows%5cwin.ini",
    "%2e%2e%5c" * 8 + "windows%5cwin.ini",
    "....//" * 8 + "etc/passwd",
    "..;/" * 8 + "etc/passwd",
    "%c0%ae%c0%ae/" * 8 + "etc/passwd",
    "%e0%80%ae/" * 8 + "etc/passwd",
    "%2fetc%2fpasswd",
    "C:%5cwindows%5cwin.ini",
    "%5c%5cserver%5cshare",
    "%00",
    "app.css%00.js",
    "app.css%20",
    "app.css.",
    "app.css::$DATA",
    "CON",
    "~root",
    "..%2f..%2fapp.py",
    "..%2f..%2ftemplates%2flayout.html",
    ".stamp",
    "vendor/.stamp",
    "vendor",
    "",
    "a" * 7000,
]
PLACES = ["/static/", "/events/", "/touchpoints/", "/settings/", "/settings/about/", "/begin/touchpoint/", "/events/act/"]
PLACES += ["/setup/", "/api/v1/events/", "/api/v1/touchpoints/", "/api/v1/export/", "/api/v1/tokens/", "/"]
TELLTALE = (b"root:x:", b"[fonts]", b"SQLite format", b"import annotations", b"{% extends", b"from litestar", b"machine.token")


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One running page for all tests here."""
    async with open_site(tmp_path_factory.mktemp("path") / "data") as made:
        yield made


@pytest.mark.parametrize("place", PLACES)
async def test_no_address_leads_to_a_file(site: Site, place: str) -> None:
    """As a browser cannot write it: sent as it stands, signed in and not."""
    cookie = await signed_in_cookie(site)
    for name in UP:
        for line in (cookie, ""):
            status, answer = await answer_to(site, head(site, "GET", place + name, cookie=line))
            assert status in {200, 303, 400, 401, 404, 405, 422}, (place, name)
            assert not [one for one in TELLTALE if one in answer], (place, name)
            if place == "/static/":
                assert status == 404, name


async def test_names_of_files_are_ours(site: Site) -> None:
    """What an export, a body and the bundle are called on the disk of whoever saves them is never said by a stranger."""
    headers = {"origin": site.address, "sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=site.address, headers=headers) as person:
        await person.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/"})
        for path, name in (
            ("/api/v1/export/deliveries?format=csv&reference=..%2f..%2fx%22%0d%0ax", "deliveries.csv"),
            ("/api/v1/export/deliveries?format=jsonl&touchpoint=", "deliveries.jsonl"),
            ("/api/v1/export/deliveries?format=xlsx", "deliveries.xlsx"),
            ("/settings/about/bundle.zip?name=..%2fx", "hookport-support.zip"),
        ):
            answer = await person.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        for wanted in ("../../x", "csv%00", "CSV", "html", "csv/../../x"):
            answer = await person.get(f"/api/v1/export/deliveries?format={wanted}")
            assert answer.status_code == 400, wanted
