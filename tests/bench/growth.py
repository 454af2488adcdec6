"""Growth: what two million stored events, or a million waiting for a dead destination, cost those that come after."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.children import module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.fill import fill
from tests.bench.sink import ask
from tests.bench.subject import Place, Subject
from tests.free_port import free_port

STORED = 2_000_000
WAITING = 1_000_000


def growth(*, short: bool) -> Report:
    """Three Hookports in turns: an empty one, one with much settled, one with much waiting."""
    part, rounds, seconds = (10, 3, 2) if short else (1, 5, 3)
    stored, waiting = STORED // part, WAITING // part
    report = Report()
    with scratch() as folder, contextlib.ExitStack() as stack:
        port = free_port()
        ready = f"http://127.0.0.1:{port}/"
        stack.enter_context(running(module("tests.bench.sink", str(port)), log=folder / "sink.log", ready=ready))
        start = time.monotonic()
        subjects = {
            "empty": prepared(folder / "empty", port, "live", 0),
            "stored": prepared(folder / "stored", port, "live", stored),
            "waiting": prepared(folder / "waiting", port, "dead", waiting),
        }
        report.add("to fill the files", time.monotonic() - start, "s")
        runs: dict[str, Callable[[], float]] = {}
        for name, (subject, live) in subjects.items():
            stack.enter_context(subject.started())
            runs[f"{name} ingest"] = _ingest(subject, seconds)
            runs[f"{name} delivery"] = _delivery(subject, live, port, seconds)
        turns(1, runs)  # caches fill
        found = turns(rounds, runs)
    for what in ("ingest", "delivery"):
        report.add(f"{what}: empty", middle(found[f"empty {what}"]))
        for name, words in (("stored", f"{stored:,} stored"), ("waiting", f"{waiting:,} waiting for a dead destination")):
            report.add(f"{what}: {words}", middle(found[f"{name} {what}"]))
            kept = ratios(found[f"{name} {what}"], found[f"empty {what}"])
            report.add(f"{what}: {words} / empty", kept, "x", target=0.9)
    return report


def prepared(folder: Path, sink: int, touchpoint: str, count: int) -> tuple[Subject, Place]:
    """A stopped Hookport with `count` events like one that its touchpoint received, and the place of `live`."""
    subject = Subject(folder, sink=sink)
    with subject.started():
        places = {name: subject.place(name) for name in ("kept", "dead", "live")}
        subject.await_delivered(places["live"])
    if count:
        fill(subject.events, touchpoint=places[touchpoint].touchpoint, count=count, now=time.time_ns() // 1000)
    return subject, places["live"]


def _ingest(subject: Subject, seconds: int) -> Callable[[], float]:
    def run() -> float:
        load = subject.post("kept", seconds=seconds)
        subject.await_planned()
        return load.rate

    return run


def _delivery(subject: Subject, live: Place, sink: int, seconds: int) -> Callable[[], float]:
    def run() -> float:
        ask(sink)
        subject.post("live", seconds=seconds)
        subject.await_delivered(live)
        return ask(sink).rate

    return run
