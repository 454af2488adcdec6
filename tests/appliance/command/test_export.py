"""`hookport export deliveries`."""

import csv
import io
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from store.log import ExportRow, Filter
from tests.appliance.command.conftest import Served
from tests.web.api.stand_in import export_row
from web.export.csv import CsvWriter
from web.export.row import COLUMNS

COUNT = 4500  # more than two parts


@pytest.fixture
def full(served: Served) -> Served:
    served.process.log.exported = [export_row(number, error="=1+1") for number in range(1, COUNT + 1)]
    return served


def test_every_row_comes_once_in_every_format(full: Served, tmp_path: Path) -> None:
    """Whatever the format and wherever it goes."""
    wanted = [export_row(number).event_id for number in range(1, COUNT + 1)]
    lines = full.run("export", "deliveries", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == wanted
    assert json.loads(lines[0])["error"] == "=1+1"
    written = full.run("export", "deliveries", "--format", "csv", "--output", str(tmp_path / "out.csv"))
    assert (written.exit_code, written.stdout) == (0, "")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["event_id"] for row in rows] == wanted
    assert rows[0]["error"] == "'=1+1"
    workbook = full.run("export", "deliveries", "--format", "xlsx").stdout_bytes
    book = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)
    assert [row[1] for row in book["deliveries"].iter_rows(min_row=2, values_only=True)] == wanted
    book.close()


def test_filters_reach_the_agent(full: Served) -> None:
    """The export takes the filters of lists."""
    full.run(
        "export", "deliveries", "--format", "csv", "--touchpoint", "orders", "--state", "delivered", "--since", "2026-01-01"
    )
    asked = full.process.log.asked[0]
    assert (asked.touchpoint, asked.state) == (1, "delivered")
    assert asked.since is not None


def test_an_empty_export_has_its_header(served: Served) -> None:
    """Nothing matched is no failure."""
    result = served.run("export", "deliveries", "--format", "csv")
    assert (result.exit_code, result.stdout_bytes) == (0, (",".join(COLUMNS) + "\r\n").encode())


@pytest.mark.parametrize("name", ["csv", "jsonl", "xlsx"])
def test_a_failure_in_the_middle_leaves_the_old_file(full: Served, tmp_path: Path, name: str) -> None:
    """When the store breaks, the exit code is 1, nothing half-made stays, and the file of last time is as it was."""
    place = tmp_path / "out"
    place.mkdir()
    (place / "log").write_bytes(b"last time")
    rows = full.process.log.rows
    calls = itertools.count()

    async def breaks(which: Filter, *, limit: int, after: tuple[int, int, int] = (0, 0, 0)) -> Sequence[ExportRow]:
        if next(calls) == 15:
            full.process.broken = "closing"
        return await rows(which, limit=limit, after=after)

    full.process.log.rows = breaks  # type: ignore[method-assign]  # the log of this test
    result = full.run("export", "deliveries", "--format", name, "--output", str(place / "log"))
    assert result.exit_code == 1
    assert "shutting down" in result.stderr
    assert [path.name for path in place.iterdir()] == ["log"]
    assert (place / "log").read_bytes() == b"last time"


def test_ctrl_c_leaves_nothing(full: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted, no file stands under the final name nor beside it."""
    place = tmp_path / "out"
    place.mkdir()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CsvWriter, "write", interrupted)
    assert full.run("export", "deliveries", "--format", "csv", "--output", str(place / "log.csv")).exit_code == 1
    assert list(place.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_sigterm_leaves_nothing(served: Served, tmp_path: Path) -> None:
    """A real process, ended in the middle of an endless export."""

    async def endless(which: Filter, *, limit: int, after: tuple[int, int, int] = (0, 0, 0)) -> Sequence[ExportRow]:
        return [export_row(after[0] + number) for number in range(1, limit + 1)]

    served.process.log.rows = endless  # type: ignore[method-assign]  # the log of this test
    place = tmp_path / "out"
    place.mkdir()
    code = "from appliance.command import main; main()"
    asked = [
        "export",
        "deliveries",
        "--format",
        "xlsx",
        "--output",
        str(place / "log.xlsx"),
        "--data-dir",
        str(served.folder.path),
    ]
    with subprocess.Popen([sys.executable, "-c", code, *asked], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while not _begun(place) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 1
    assert list(place.iterdir()) == []


def _begun(place: Path) -> bool:
    return any(path.is_file() and path.stat().st_size for path in place.glob(".hookport-*/*"))


def test_a_workbook_is_not_for_a_terminal(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It exits 2 before anything is asked."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    result = served.run("export", "deliveries", "--format", "xlsx")
    assert result.exit_code == 2
    assert "--output" in result.stderr


def test_a_place_that_is_not_there_fails_in_words(full: Served, tmp_path: Path) -> None:
    """The system's words, and the place."""
    result = full.run("export", "deliveries", "--format", "csv", "--output", str(tmp_path / "none" / "log.csv"))
    assert result.exit_code == 1
    assert "The system refused" in result.stderr
