"""`hookport export`: the delivery log as CSV, JSON Lines or XLSX."""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from appliance.command import flags
from appliance.command.aside import written_aside
from appliance.command.client import Agent, talk
from appliance.command.terminal import tell
from appliance.data_folder import DataFolder
from web.export.formats import Format, RowWriter, make_writer
from web.export.row import COLUMNS, Cells

PAGE_ROWS = 2000


@click.group()
def export() -> None:
    """Export the delivery log.

    \b
    Example:
      hookport export deliveries --format xlsx --since 30d --output deliveries.xlsx
    """


@export.command()
@click.option("--format", "name", type=click.Choice(["csv", "jsonl", "xlsx"]), required=True, help="The format.")
@flags.filters
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The file.  [default: stdout]")
@flags.data_dir
def deliveries(folder: DataFolder, name: Format, output: Path | None, **chosen: Any) -> None:
    """Export one row for each attempt.

    A delivery never tried, and an event refused, duplicate, filtered or split, has one row with attempt 0.

    CSV is UTF-8 without a byte order mark, with CRLF; for Excel take xlsx.

    \b
    Example:
      hookport export deliveries --format csv --since 2026-11-01 --touchpoint orders --output november.csv
    """
    if output is None and name == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("A workbook is not for a terminal: give --output FILE.xlsx.")
    with _interruptible(), _target(output, seekable=name == "xlsx") as file, _spool(output) as spool:
        writer = make_writer(name, file, spool=spool)
        try:
            count = talk(folder, lambda agent: _pull(agent, writer, flags.given(chosen)))
            writer.finish()
        except BaseException:
            writer.discard()
            raise
    tell(f"{count} row{'' if count == 1 else 's'}{'' if output is None else f' in {output}'}.")


async def _pull(agent: Agent, writer: RowWriter, params: dict[str, Any]) -> int:
    """Fetch the rows in parts and write each as it comes; how many there were."""
    from tqdm import tqdm

    with tqdm(unit=" rows", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        count, after = 0, None
        while True:
            asked = params | {"format": "jsonl", "limit": PAGE_ROWS} | ({"after": after} if after else {})
            answer = await agent.fetch("GET", "/export/deliveries", params=asked)
            if total := answer.headers.get("hookport-rows"):
                bar.total = int(total)
            rows = [_cells(line) for line in answer.content.splitlines()]
            writer.write(rows)
            count += len(rows)
            bar.update(len(rows))
            after = answer.headers.get("hookport-next")
            if after is None:
                return count


def _cells(line: bytes) -> Cells:
    row = json.loads(line)
    return tuple(row[column] for column in COLUMNS)


@contextmanager
def _interruptible() -> Iterator[None]:
    """An end asked for politely cleans up as Ctrl-C does, so that no half file stays."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _target(output: Path | None, *, seekable: bool) -> Iterator[BinaryIO]:
    """The output file, written aside, or stdout."""
    if output is not None:
        with written_aside(output.absolute()) as file:
            yield file
    elif seekable:
        with tempfile.TemporaryFile() as file:
            yield cast(BinaryIO, file)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
    else:
        yield sys.stdout.buffer


@contextmanager
def _spool(output: Path | None) -> Iterator[Path]:
    """A folder for what a workbook needs on the way, on the disk it is going to."""
    beside = None if output is None else output.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".hookport-", dir=beside) as folder:
        yield Path(folder)
