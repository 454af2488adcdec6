"""The export over the API."""

import csv
import io
import json

import openpyxl
import pytest
from litestar.exceptions import LitestarException

from tests.web.api.stand_in import StandIn, export_row
from web.export.row import COLUMNS

pytestmark = pytest.mark.anyio

PATH = "/api/v1/export/deliveries"


async def test_each_format_holds_every_row(stand_in: StandIn) -> None:
    """Over many pages, each row comes once and in order, and the header tells how many there are."""
    stand_in.log.exported = [export_row(number) for number in range(1, 1001)]
    async with stand_in.client() as client:
        answers = {name: await client.get(PATH, params={"format": name}) for name in ("csv", "jsonl", "xlsx")}
    assert {answer.headers["hookport-rows"] for answer in answers.values()} == {"1000"}
    wanted = [export_row(number).event_id for number in range(1, 1001)]
    assert [row["event_id"] for row in csv.DictReader(io.StringIO(answers["csv"].text))] == wanted
    assert [json.loads(line)["event_id"] for line in answers["jsonl"].text.splitlines()] == wanted
    book = openpyxl.load_workbook(io.BytesIO(answers["xlsx"].content), read_only=True)
    assert [row[1] for row in book["deliveries"].iter_rows(min_row=2, values_only=True)] == wanted
    book.close()
    assert list(stand_in.spool.iterdir()) == []


async def test_it_can_be_fetched_in_parts(stand_in: StandIn) -> None:
    """With `limit`, `Hookport-Next` leads on to the end, however the rows divide."""
    stand_in.log.exported = [export_row(number) for number in range(1, 801)]
    seen, after = [], None
    async with stand_in.client() as client:
        while True:
            answer = await client.get(PATH, params={"limit": 400} | ({"after": after} if after else {}))
            seen += [json.loads(line)["reference"] for line in answer.text.splitlines()]
            after = answer.headers.get("hookport-next")
            if after is None:
                break
        assert (await client.get(PATH, params={"after": "1-x"})).json()["problems"][0]["code"] == "cursor_malformed"
    assert seen == [str(number) for number in range(1, 801)]


async def test_an_empty_export_still_has_its_columns(stand_in: StandIn) -> None:
    """CSV and XLSX begin with the header row; an unknown format is refused."""
    async with stand_in.client() as client:
        assert (await client.get(PATH, params={"format": "csv"})).text == ",".join(COLUMNS) + "\r\n"
        workbook = (await client.get(PATH, params={"format": "xlsx"})).content
        assert (await client.get(PATH, params={"format": "pdf"})).status_code == 400
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    assert [cell.value for cell in book["deliveries"][1]] == list(COLUMNS)


async def test_a_workbook_that_fails_leaves_nothing(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store breaks in the middle, the answer breaks off and the spool folder is empty."""
    stand_in.log.exported = [export_row(number) for number in range(1, 1001)]
    rows, calls = stand_in.log.rows, []

    async def breaks(*args: object, **options: object) -> object:
        calls.append(args)
        if len(calls) > 2:
            raise OSError("gone")
        return await rows(*args, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(stand_in.log, "rows", breaks)
    async with stand_in.client() as client:
        with pytest.raises(LitestarException, match="after response started"):
            await client.get(PATH, params={"format": "xlsx"})
    assert list(stand_in.spool.iterdir()) == []
