"""The export of the delivery log, a small page at a time, so that a million rows take no more memory than a hundred."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, BinaryIO, cast

from litestar import Controller, get
from litestar.params import QueryParameter
from litestar.response import Stream

from store.log import ExportRow, Filter, Log
from touchpoints.problem import ProblemError, problem
from web.api.desk import AtDesk, Desk
from web.api.problems import REFUSALS
from web.api.selection import Selection
from web.export.formats import CONTENT_TYPES, Format, RowWriter, make_writer
from web.export.names import Names
from web.export.row import cells

# Small, because formatting a page holds up the event loop: 200 rows take about two milliseconds.
PAGE_ROWS = 200
_CHUNK = 256 * 1024
_LAST = 2**63 - 1  # the largest number of a row

Cursor = tuple[int, int, int]


class ExportController(Controller):
    """The delivery log for other programs and for people."""

    path = "/api/v1/export"
    tags = ("export",)

    @get(
        "/deliveries",
        summary="The delivery log, one row an attempt",
        media_type="application/octet-stream",
        responses=REFUSALS,
    )
    async def deliveries(
        self,
        desk: AtDesk,
        which: Selection,
        name: Annotated[Format, QueryParameter(name="format", description="csv, jsonl or xlsx.")] = "jsonl",
        limit: Annotated[int, QueryParameter(ge=0, le=10_000, description="How many rows at most; 0: all.")] = 0,
        after: Annotated[str, QueryParameter(description="The `Hookport-Next` before.", max_length=80)] = "",
    ) -> Stream:
        """`Hookport-Rows` tells how many rows there are in all (it may be off while events arrive).

        With `limit`, `Hookport-Next` tells where to go on, and is missing at the end.
        """
        start = _cursor(after)
        log = desk.log()
        headers = {"hookport-rows": str(await log.count_rows(which)) if not after else ""}
        pages = _pages(log, which, start)
        if limit:
            rows = await _first(log, which, start, limit)
            pages = _once(rows)
            if len(rows) == limit:
                headers["hookport-next"] = "-".join(map(str, rows[-1].cursor))
        headers["content-disposition"] = f'attachment; filename="deliveries.{name}"'
        return Stream(
            _written(name, pages, desk),
            media_type=CONTENT_TYPES[name],
            headers={header: value for header, value in headers.items() if value},
        )


def _cursor(text: str) -> Cursor:
    if not text:
        return (0, 0, 0)
    try:
        event, delivery, attempt = map(int, text.split("-"))
        if max(event, delivery, attempt) > _LAST:
            raise ValueError(text)
    except ValueError as error:
        raise ProblemError(problem("cursor_malformed")) from error
    return event, delivery, attempt


async def _pages(log: Log, which: Filter, after: Cursor) -> AsyncIterator[list[ExportRow]]:
    while rows := await log.rows(which, limit=PAGE_ROWS, after=after):
        yield list(rows)
        after = rows[-1].cursor


async def _once(rows: list[ExportRow]) -> AsyncIterator[list[ExportRow]]:
    for start in range(0, len(rows), PAGE_ROWS):
        yield rows[start : start + PAGE_ROWS]


async def _first(log: Log, which: Filter, after: Cursor, limit: int) -> list[ExportRow]:
    found: list[ExportRow] = []
    while rows := await log.rows(which, limit=min(PAGE_ROWS, limit - len(found)), after=after):
        found += rows
        after = rows[-1].cursor
        if len(found) >= limit:
            break
    return found


def _written(name: Format, pages: AsyncIterator[list[ExportRow]], desk: Desk) -> AsyncIterator[bytes]:
    if name == "xlsx":
        return _written_to_file(pages, desk.names, desk.spool)
    return _written_at_once(name, pages, desk.names, desk.spool)


async def _written_at_once(
    name: Format, pages: AsyncIterator[list[ExportRow]], names: Names, spool: Path
) -> AsyncIterator[bytes]:
    buffer = io.BytesIO()
    writer = make_writer(name, buffer, spool=spool)
    try:
        yield _drained(buffer)
        async for rows in pages:
            writer.write(cells(row, names) for row in rows)
            yield _drained(buffer)
        writer.finish()
    except BaseException:
        writer.discard()
        raise


def _drained(buffer: io.BytesIO) -> bytes:
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written


async def _written_to_file(pages: AsyncIterator[list[ExportRow]], names: Names, spool: Path) -> AsyncIterator[bytes]:
    with tempfile.TemporaryFile(dir=spool) as file:
        await _fill(make_writer("xlsx", cast(BinaryIO, file), spool=spool), pages, names)
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def _fill(writer: RowWriter, pages: AsyncIterator[list[ExportRow]], names: Names) -> None:
    """Write every page in a thread; whatever happens, nothing stays in the spool folder."""
    try:
        async for rows in pages:
            await asyncio.to_thread(writer.write, [cells(row, names) for row in rows])
        await asyncio.to_thread(writer.finish)
    except BaseException:
        writer.discard()
        raise
