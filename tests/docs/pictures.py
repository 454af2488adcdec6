"""The pictures of the documents, painted from a real agent: `python -m tests.docs.pictures` writes them anew."""

import asyncio
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import Browser, Page

from store.log import Filter
from tests.docs.hour import LAST, MINUTES, played_hour
from tests.page.browser import Site, open_browser, open_site, signed_in

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COMMAND = ".venv/bin/python -m tests.docs.pictures"
WIDTH, NARROW = 1280, 360
NAMES = (
    *(
        f"{name}-{theme}.png"
        for name in ("home", "events", "event", "touchpoint", "sender", "setup", "settings")
        for theme in ("light", "dark")
    ),
    "home-narrow.png",
)
_PNG = b"\x89PNG\r\n\x1a\n"


async def paint(to: Path, *, minutes: int = MINUTES) -> None:
    """Play an hour, or some minutes of it, and paint every picture into a folder."""
    await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hookport-pictures-") as folder:
        async with open_browser("--disable-lcd-text", "--hide-scrollbars") as browser:
            async with open_site(Path(folder) / "fresh") as fresh:
                await _paint(browser, fresh, {"setup": ("/begin/arrival", 860)}, to)
            async with played_hour(Path(folder) / "hour", minutes) as site:
                await _paint(browser, site, await _screens(site), to)


async def _screens(site: Site) -> dict[str, tuple[str, int]]:
    """Address and height of each."""
    (refused,) = await site.agent._desk.log().events(Filter(reference=f"#{LAST}"), limit=1)
    return {
        "home": ("/", 880),
        "events": ("/events", 760),
        "event": (f"/events?open={refused.event.id}", 860),
        "touchpoint": ("/touchpoints/orders?box=test", 960),
        "sender": ("/begin/touchpoint", 860),
        "settings": ("/settings", 900),
    }


async def _paint(browser: Browser, site: Site, screens: dict[str, tuple[str, int]], to: Path) -> None:
    context = await browser.new_context(reduced_motion="reduce", locale="en-GB")
    page = (await signed_in(context, site)).page
    for name, (path, height) in screens.items():
        await page.set_viewport_size({"width": WIDTH, "height": height})
        await page.goto(site.at(path))
        if path == "/":
            await page.wait_for_selector(".plot canvas")
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await _keep(page, to / f"{name}-{theme}.png")
        if name == "home":
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size({"width": NARROW, "height": 900})
            await _keep(page, to / "home-narrow.png")
    await context.close()


async def _keep(page: Page, file: Path) -> None:
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await asyncio.to_thread(file.write_bytes, squeezed(await page.screenshot(animations="disabled")))


def squeezed(png: bytes) -> bytes:
    """The same picture, packed as well as zlib can, and nothing in it but the picture."""
    kept = [(kind, data) for kind, data in chunks(png) if kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND")]
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in kept if kind == b"IDAT")), 9)
    parts = [(kind, data) for kind, data in kept if kind != b"IDAT"]
    parts.insert(len(parts) - 1, (b"IDAT", pixels))
    return _PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, data) of each chunk of a PNG."""
    place = len(_PNG)
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    width, height = struct.unpack_from(">II", png, 16)
    return width, height


if __name__ == "__main__":
    asyncio.run(paint(PICTURES))
