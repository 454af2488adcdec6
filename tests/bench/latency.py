"""Latency: from the sender's first byte to the destination's receipt, at a steady 200 a second."""

import time

from tests.bench.children import BenchError, finished, module, running, scratch
from tests.bench.figures import Report
from tests.bench.sink import ask
from tests.bench.subject import Subject
from tests.free_port import free_port

PER_SECOND = 200


def latency(*, short: bool) -> Report:
    """One run of an open loop."""
    seconds = 5 if short else 20
    with scratch() as folder:
        port = free_port()
        subject = Subject(folder / "hookport", sink=port)
        ready = f"http://127.0.0.1:{port}/"
        with running(module("tests.bench.sink", str(port)), log=folder / "sink.log", ready=ready), subject.started():
            live = subject.place("live")
            subject.await_delivered(live)
            url = f"http://127.0.0.1:{subject.port}/hooks/live"
            pace(url, 2)
            subject.await_delivered(live)
            ask(port)
            sent = pace(url, seconds)
            subject.await_delivered(live)
            time.sleep(0.1)
            taken = sorted(ask(port).latencies_us)
    if len(taken) != sent:
        raise BenchError(f"{sent} were sent, and {len(taken)} arrived")
    report = Report()
    report.add("sent", sent / seconds)
    report.add("median", taken[len(taken) // 2] / 1000, "ms", target=5, at_most=True)
    report.add("99th percentile", taken[len(taken) * 99 // 100] / 1000, "ms", target=40, at_most=True)
    report.add("longest", taken[-1] / 1000, "ms")
    return report


def pace(url: str, seconds: int, *, per_second: int = PER_SECOND) -> int:
    """Let a process of its own send; how many it sent."""
    return int(finished(module("tests.bench.paced", url, str(per_second), str(seconds)), seconds=seconds + 60))
