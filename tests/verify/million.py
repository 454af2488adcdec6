"""A million attempts, exported in one go in each format, by a process whose memory stays bounded."""

import contextlib
import subprocess
import time
import zipfile
from pathlib import Path

from tests.bench.children import module, running, scratch
from tests.bench.figures import Report
from tests.bench.fill import fill
from tests.bench.processes import most_resident
from tests.bench.subject import HOOKPORT, Subject
from tests.free_port import free_port
from tests.verify.case import FailedError, must

ROWS = 1_000_000
MEMORY = 300.0  # MB for the command, and as much again for the agent it asks
SECONDS = 900.0
_ROW = b"<row "


def million() -> Report:
    """Export while the agent runs, as a person would."""
    report = Report()
    with scratch() as folder, contextlib.ExitStack() as stack:
        sink = free_port()
        ready = f"http://127.0.0.1:{sink}/"
        stack.enter_context(running(module("tests.bench.sink", str(sink)), log=folder / "sink.log", ready=ready))
        subject = Subject(folder / "subject", sink=sink)
        with subject.started():
            place = subject.place("live")
            subject.await_delivered(place)
        fill(subject.events, touchpoint=place.touchpoint, count=ROWS - 1, now=time.time_ns() // 1000)
        with subject.started():
            agent = next(iter(_agents(subject.data)))
            for name in ("csv", "jsonl", "xlsx"):
                took, memory = _export(subject, folder / f"deliveries.{name}", name)
                report.add(f"{name}: {ROWS:,} rows", took, "s")
                report.add(f"{name}: the command's memory", memory, "MB", target=MEMORY, at_most=True)
            report.add(
                "the agent's memory after all three", most_resident(agent) / 1_000_000, "MB", target=MEMORY, at_most=True
            )
        must(_lines(folder / "deliveries.csv") == ROWS + 1, "the CSV does not hold every row and its head")
        must(_lines(folder / "deliveries.jsonl") == ROWS, "the JSON Lines do not hold every row")
        report.add("the workbook's rows", _workbook_rows(folder / "deliveries.xlsx"), "", target=ROWS + 1)
    return report


def _export(subject: Subject, file: Path, name: str) -> tuple[float, float]:
    """Seconds, and megabytes at most."""
    command = [*HOOKPORT, "export", "deliveries", "--format", name, "--output", str(file), "--data-dir", str(subject.data)]
    start, most = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            most = max(most, most_resident(process.pid))
            if time.monotonic() - start > SECONDS:
                process.kill()
                raise FailedError(f"the export as {name} takes longer than {SECONDS:.0f} s")
            time.sleep(0.2)
        told = process.stderr.read().decode() if process.stderr else ""
    must(process.returncode == 0, f"the export as {name} failed: {told[-500:]}")
    return time.monotonic() - start, most / 1_000_000


def _agents(data: Path) -> list[int]:
    from appliance.data_folder import DataFolder
    from appliance.running import read_running

    found = read_running(DataFolder(path=data))
    must(found is not None, "the agent did not write down that it runs")
    return [found.pid] if found else []


def _lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b""))


def _workbook_rows(file: Path) -> int:
    """Rows of all sheets, told by their tags: reading a million rows cell by cell would take minutes."""
    with zipfile.ZipFile(file) as book:
        return sum(_rows(book, name) for name in book.namelist() if name.startswith("xl/worksheets/"))


def _rows(book: zipfile.ZipFile, name: str) -> int:
    count, kept = 0, b""
    with book.open(name) as sheet:
        while block := sheet.read(1 << 20):
            text = kept + block
            count += text.count(_ROW)
            kept = text[-len(_ROW) + 1 :]
    return count
