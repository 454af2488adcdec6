"""Bodies that would be a thousand times larger if somebody decompressed them: nobody does, neither to store nor to show."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.appliance.agents import TOUCHPOINT, apply, direct
from tests.free_port import free_port
from tests.page.browser import Site, open_site
from tests.page.wire import signed_in_cookie

pytestmark = pytest.mark.anyio

INSIDE = "words that are inside alone"
OUTSIDE = "words-outside.txt"  # a gzip file names what it holds, in clear


def bomb(inflated: int) -> bytes:
    """So many bytes, packed into a thousandth."""
    made = io.BytesIO()
    with gzip.GzipFile(OUTSIDE, "wb", fileobj=made, mtime=0) as packed:
        packed.write(INSIDE.encode())
        packed.write(b"\0" * inflated)
    return made.getvalue()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A running agent with its page."""
    async with open_site(tmp_path / "data") as made:
        yield made


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip, deflate, br"])
async def test_a_bomb_stays_what_it_is(site: Site, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored, shown, given out and searched as the bytes that came, whatever its sender says of them."""
    port, body = free_port(), bomb(32 * 1024 * 1024)
    await apply(site.agent, direct(port) + TOUCHPOINT)
    cookie = {"cookie": await signed_in_cookie(site), "origin": site.address, "sec-fetch-site": "same-origin"}

    def inflate(*_arguments: object, **_options: object) -> bytes:
        raise AssertionError("somebody decompresses")

    for module, name in ((zlib, "decompress"), (zlib, "decompressobj"), (gzip, "decompress"), (gzip, "GzipFile")):
        monkeypatch.setattr(module, name, inflate)
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers={"accept-encoding": "identity"}) as client:
        told = {"content-encoding": encoding, "content-type": "application/json"}
        answer = await client.post(f"http://127.0.0.1:{port}/hooks/orders", content=body, headers=told)
        assert answer.status_code == 200
        async with asyncio.timeout(20):
            while not (events := (await client.get(site.at("/api/v1/events"), headers=cookie)).json()["events"]):
                await asyncio.sleep(0.05)
        (event,) = events
        assert event["body_bytes"] == len(body)
        kept = await client.get(site.at(f"/api/v1/events/{event['id']}/body"), headers=cookie)
        assert kept.content == body
        assert "content-encoding" not in kept.headers
        at = f"/events/{event['id']}"
        ways = [at, *(f"{at}/body?as={way}" for way in ("pretty", "raw", "hex"))]
        shown = [await client.get(site.at(way), headers=cookie) for way in ways]
        assert "1f 8b" in shown[-1].text
        for page in shown:
            assert page.status_code == 200
            assert INSIDE not in page.text
            assert len(page.content) < 1024 * 1024
        for words, found in ((OUTSIDE, True), (INSIDE, False)):
            page = await client.get(site.at("/search/bodies"), params={"q": words}, headers={**cookie, "hx-request": "true"})
            assert (event["id"] in page.text) is found
