"""Over raw HTTP to the operator's page: paths to files, requests within requests, headers within values, strange hosts."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.operator.besieged import OperatorSite, open_operator_site
from tests.page.doorstep import PASSWORD
from tests.page.test_attack_path import TELLTALE, UP
from tests.page.test_attack_wire import AMBIGUOUS, HOSTILE, HOSTS, SPLITS
from tests.page.wire import answer_to, head, signed_in_cookie

pytestmark = pytest.mark.anyio

PLACES = ["/static/", "/organisations/", "/settings/", "/begin/", "/setup/", "/api/v1/organisations/", "/api/v1/tokens/", "/"]


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OperatorSite]:
    """One running proxy for all tests here."""
    async with open_operator_site(tmp_path_factory.mktemp("wire") / "proxy") as (made, _):
        yield made


@pytest.mark.parametrize("place", PLACES)
async def test_no_address_leads_to_a_file(site: OperatorSite, place: str) -> None:
    """As a browser cannot write it: sent as it stands, by whoever is signed in."""
    cookie = await signed_in_cookie(site)
    for name in UP:
        for tail in ("", "/export.jsonl") if place == "/organisations/" else ("",):
            status, answer = await answer_to(site, head(site, "GET", place + name + tail, cookie=cookie))
            assert status in {200, 303, 400, 404, 405}, (place, name)
            assert not [one for one in TELLTALE if one in answer], (place, name)
            if place == "/static/":
                assert status == 404, name


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_no_request_hides_in_another(site: OperatorSite, name: str) -> None:
    """What two servers could part in two ways is answered 400 once, and the connection ends: the inner deed is not done."""
    cookie = await signed_in_cookie(site)
    inner = head(site, "POST", "/organisations/acme/code", "Content-Length: 0", cookie=cookie)
    outer = head(site, "POST", "/theme", AMBIGUOUS[name], "Content-Type: application/x-www-form-urlencoded", cookie=cookie)
    outer = outer.replace(b"Connection: close\r\n", b"")
    status, answer = await answer_to(site, outer + b"0\r\n\r\n" + inner)
    assert status == 400
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d", answer)) == 1


async def test_no_answer_is_split_and_no_doubtful_host_answered(site: OperatorSite, caplog: pytest.LogCaptureFixture) -> None:
    """Line ends never become a header; a host that reads in two ways is none; hostile headers mean nothing."""
    cookie = await signed_in_cookie(site)
    for split in SPLITS:
        for target in (f"/{split}", f"/organisations/{split}/export.jsonl", f"/sign-in?next=/{split}", f"/?after={split}"):
            _, answer = await answer_to(site, head(site, "GET", target, cookie=cookie))
            assert b"\nset-cookie: planted" not in answer.partition(b"\r\n\r\n")[0].lower(), target
    for host in HOSTS:
        status, _ = await answer_to(site, head(site, "GET", "/api/v1/status", cookie=cookie, host=host))
        assert status in {400, 403}, host
    for name, (line, expected) in HOSTILE.items():
        status, answer = await answer_to(site, head(site, "GET", "/settings/people", line, f"Cookie: {cookie}"))
        assert status == expected, name
        assert b"evil.test" not in answer.partition(b"\r\n\r\n")[0]
    assert "failed" not in caplog.text


async def test_an_export_is_a_file_that_we_name(site: OperatorSite) -> None:
    """JSON Lines, which no spreadsheet takes for formulas and no browser for a page; never shown, sniffed or kept."""
    headers = {"origin": site.address, "sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(base_url=site.address, headers=headers) as person:
        await person.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/"})
        for path in ("/organisations/acme/export.jsonl?name=..%2fx%22%0d%0ax", "/api/v1/organisations/acme/export"):
            answer = await person.get(path)
            assert answer.headers["content-disposition"] == 'attachment; filename="acme.jsonl"'
            assert answer.headers["content-type"].partition(";")[0] == "application/x-ndjson"
            assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
            assert all(line.startswith(b"{") for line in answer.content.splitlines())
