"""Raw HTTP to a page: bytes as no browser would send them, and what is answered."""

import asyncio
from contextlib import suppress

import httpx

from tests.page.browser import Address
from tests.page.doorstep import OWN_FORM, PASSWORD


async def signed_in_cookie(site: Address) -> str:
    """The `Cookie` value of a fresh session of ann."""
    form = {"name": "ann", "password": PASSWORD, "next": "/"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(site.at("/sign-in"), data=form, headers={**OWN_FORM, "origin": site.address})
    return answer.headers["set-cookie"].partition(";")[0]


def head(site: Address, method: str, target: str, *lines: str, cookie: str = "", host: str = "") -> bytes:
    """A request's head as the page's own script sends it; the connection ends after it."""
    every = [
        f"{method} {target} HTTP/1.1",
        f"Host: {host or site.address.removeprefix('http://')}",
        *lines,
        "Connection: close",
    ]
    every += [f"Origin: {site.address}", *([f"Cookie: {cookie}"] if cookie else [])]
    return "\r\n".join(every).encode("latin-1") + b"\r\n\r\n"


async def answer_to(site: Address, data: bytes, *, seconds: float = 10) -> tuple[int, bytes]:
    """Status and all bytes of what comes back, until the page ends the connection; status 0 when it says nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.address.rpartition(":")[2]))
    found = b""
    try:
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        async with asyncio.timeout(seconds):
            with suppress(ConnectionError):
                while part := await reader.read(65536):
                    found += part
    finally:
        writer.close()
    return int(found[9:12] or b"0"), found
