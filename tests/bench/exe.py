"""The executables of this system: how large, how quick to start, how much memory, and whether freezing costs speed."""

import contextlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from building.exe import DIST, KINDS, OWN_TARGET, executable
from building.exe_python import build_python, environment

from tests.bench.children import BenchError, end, module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.hook import body, headers
from tests.bench.processes import family, resident
from tests.bench.subject import HOOKPORT, Subject
from tests.free_port import free_port

START = {"onefile": 1.5, "folder": 0.8}
WORDS = {"onefile": "one file", "folder": "folder"}


def exe(*, short: bool) -> Report:
    """What `build.py exe` has put into dist, beside the same source."""
    rounds, seconds = (3, 2) if short else (7, 4)
    report = Report()
    made = {kind: executable(DIST / OWN_TARGET, kind, OWN_TARGET) for kind in KINDS}
    if lacking := [str(path) for path in made.values() if not path.exists()]:
        raise BenchError(f"{', '.join(lacking)}: not there; make it with `python3 build.py exe`")
    report.add("one file: size", made["onefile"].stat().st_size / 1_000_000, "MB", target=35, at_most=True)
    folder = sum(file.stat().st_size for file in made["folder"].parent.rglob("*") if file.is_file())
    report.add("folder: size", folder / 1_000_000, "MB")
    with scratch() as place:
        _starting(report, made, place, rounds)
        if shutil.which("wrk") is None:
            report.notes.append("wrk is not installed: the speed of the frozen build was not measured")
        else:
            _ingest(report, made["folder"], place, rounds, seconds)
    return report


def _starting(report: Report, made: dict[str, Path], place: Path, rounds: int) -> None:
    runs: dict[str, Callable[[], float]] = {}
    memory: dict[str, list[float]] = {kind: [] for kind in made}
    for kind, path in made.items():
        runs[f"{kind} version"] = _version(path)
        runs[f"{kind} start"] = _first_webhook([str(path)], place, memory[kind])
    turns(1, runs)  # the files come into the system's memory
    found = turns(rounds, runs)
    for kind in made:
        words = WORDS[kind]
        report.add(
            f"{words}: start to first accepted webhook", middle(found[f"{kind} start"]), "s", target=START[kind], at_most=True
        )
        report.add(f"{words}: version", middle(found[f"{kind} version"]), "s", target=0.5, at_most=True)
        report.add(f"{words}: idle memory of all its processes", middle(memory[kind]), "MB", target=90, at_most=True)


def _version(path: Path) -> Callable[[], float]:
    def run() -> float:
        start = time.monotonic()
        subprocess.run([str(path), "version"], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start

    return run


def _first_webhook(command: Sequence[str], place: Path, memory: list[float]) -> Callable[[], float]:
    """From the start of the process over a new data folder to the first 200."""

    def run() -> float:
        with _empty(place / "start") as folder:
            subject = Subject(folder, sink=free_port(), command=command)
            start = time.monotonic()
            child = subprocess.Popen(
                subject.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                _await_accepted(subject.url("kept"), child, start)
                took = time.monotonic() - start
                time.sleep(2)  # what starts up beside it comes to rest
                memory.append(resident(family(child.pid)) / 1_000_000)
            finally:
                end(child)
            return took

    return run


def _await_accepted(url: str, child: "subprocess.Popen[bytes]", start: float) -> None:
    content = body()
    proof = headers(content, f"first-{time.monotonic_ns()}")
    request = urllib.request.Request(url, content, proof)  # noqa: S310 - always http, and loopback
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - always http, and loopback
            return
        if child.poll() is not None or time.monotonic() - start > 60:
            raise BenchError(f"no webhook was accepted at {url}")
        time.sleep(0.005)


def _ingest(report: Report, path: Path, place: Path, rounds: int, seconds: int) -> None:
    """The frozen build, the source as `build.py run` starts it, and the source on the frozen build's own Python, in turns.

    PyInstaller needs a Python whose library is shared, and Debian's is slower than its program of the same version: the third
    tells what both cost.
    """
    commands = {"frozen": [str(path)], "source": HOOKPORT, "same": [environment(build_python()), *HOOKPORT[1:]]}
    with contextlib.ExitStack() as stack:
        sink = free_port()
        ready = f"http://127.0.0.1:{sink}/"
        stack.enter_context(running(module("tests.bench.sink", str(sink)), log=place / "sink.log", ready=ready))
        runs: dict[str, Callable[[], float]] = {}
        for name, command in commands.items():
            subject = Subject(place / name, sink=sink, command=command)
            stack.enter_context(subject.started())
            runs[name] = _load(subject, seconds)
        turns(1, runs)
        found = turns(rounds, runs)
    report.add("folder: verified, on disk, answered", middle(found["frozen"]))
    report.add("source, as build.py run starts it: the same", middle(found["source"]))
    report.add("frozen / source", ratios(found["frozen"], found["source"]), "x", target=0.95)
    report.add("source on the frozen build's Python: the same", middle(found["same"]))
    report.add("frozen / source on its Python", ratios(found["frozen"], found["same"]), "x")


def _load(subject: Subject, seconds: int) -> Callable[[], float]:
    def run() -> float:
        load = subject.post("kept", seconds=seconds)
        subject.await_planned()
        return load.rate

    return run


@contextlib.contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
