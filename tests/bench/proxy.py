"""The hosted proxy: how fast it takes in beside a direct listener, a backlog pulled, the whole way, and 2,000 who wait."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.bench.children import ROOT, BenchError, end, module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.latency import pace
from tests.bench.load import post
from tests.bench.processes import resident
from tests.bench.proxy_agent import PullingSubject
from tests.bench.proxy_process import ProxyProcess
from tests.bench.proxy_tenants import Tenants, tenants
from tests.bench.sink import ask
from tests.bench.subject import Place, Subject
from tests.free_port import free_port

PER_SECOND = 100
BACKLOG = 100_000
WAITING = 2000


def proxy(*, short: bool) -> Report:
    """A proxy and its agent beside a direct agent; then a proxy on which 2,000 organisations wait."""
    report = Report()
    with scratch() as folder, contextlib.ExitStack() as stack:
        sink = free_port()
        ready = f"http://127.0.0.1:{sink}/"
        stack.enter_context(running(module("tests.bench.sink", str(sink)), log=folder / "sink.log", ready=ready))
        hosted = ProxyProcess(folder / "proxy")
        agent = PullingSubject(folder / "agent", sink=sink, proxy=hosted)
        with hosted.started():
            with agent.started():
                agent.pair("acme")
                live = agent.place("live")
                agent.await_delivered(live)
            direct = Subject(folder / "direct", sink=sink)
            with direct.started():
                beside = direct.place("live")
                _ingest(report, direct, agent, short=short)
            _fill(hosted, agent, BACKLOG // 10 if short else BACKLOG)
            waiting, before = hosted.waiting(), agent.stored()
            with agent.started():
                _backlog(report, hosted, agent, waiting=waiting, before=before)
                with direct.started():
                    _ways(report, ((agent, live), (direct, beside)), sink, rounds=2 if short else 5, seconds=5 if short else 10)
    with scratch() as folder:
        _crowd(report, folder, short=short)
    return report


def _ingest(report: Report, direct: Subject, agent: PullingSubject, *, short: bool) -> None:
    """Nobody pulls meanwhile: what is posted waits for `_backlog`."""
    rounds, seconds = (2, 2) if short else (7, 3)

    def directly() -> float:
        load = direct.post("kept", seconds=seconds)
        direct.await_planned()
        return load.rate

    turns(1, {"direct": directly})  # its first thousands are slower
    found = turns(rounds, {"direct": directly, "proxy": lambda: agent.post("kept", seconds=seconds).rate})
    report.add("direct listener: verified, on disk, answered", middle(found["direct"]))
    report.add("proxy: sealed, on disk, answered", middle(found["proxy"]))
    report.add("proxy / direct", ratios(found["proxy"], found["direct"]), "x", target=0.7)


def _fill(hosted: ProxyProcess, agent: PullingSubject, events: int) -> None:
    while hosted.waiting() < events:
        agent.post("kept", seconds=2)


def _backlog(report: Report, hosted: ProxyProcess, agent: PullingSubject, *, waiting: int, before: int) -> None:
    """From the first event that the started agent has stored, and the proxy has heard of, to the last."""
    deadline = time.monotonic() + 600
    first, began = 0, 0.0
    while (stored := agent.stored()) < before + waiting:
        if not began and stored > before:
            first, began = stored, time.monotonic()
        if time.monotonic() > deadline:
            raise BenchError(f"{stored - before} of {waiting} events were pulled in 10 minutes")
        time.sleep(0.01)
    spent = time.monotonic() - began
    hosted.await_empty()
    report.add(f"a backlog of {waiting:,} pulled and stored", (before + waiting - first) / spent, target=3000)
    agent.await_planned()
    report.add("and planned", (before + waiting - first) / (time.monotonic() - began))


def _ways(report: Report, ways: Sequence[tuple[Subject, Place]], sink: int, *, rounds: int, seconds: int) -> None:
    """From the sender's first byte to the destination's receipt, by way of the proxy and directly, in turns."""
    for subject, place in ways:
        _paced(subject, place, sink, 2)
    found = [[_paced(subject, place, sink, seconds) for subject, place in ways] for _ in range(rounds)]
    proxied, direct = zip(*found, strict=True)
    way = f"sender, proxy, agent, destination at {PER_SECOND}/s"
    report.add(f"{way}: median", _middle(proxied, 50), "ms", target=15, at_most=True)
    report.add(f"{way}: 99th percentile", _middle(proxied, 99), "ms", target=80, at_most=True)
    report.add(f"{way}: longest", max(taken[-1] for taken in proxied) / 1000, "ms")
    report.add("the direct way, in the same rounds: median", _middle(direct, 50), "ms")
    report.add("the direct way, in the same rounds: 99th percentile", _middle(direct, 99), "ms")


def _middle(rounds: Iterable[list[int]], percentile: int) -> float:
    """Milliseconds: the median of the rounds' percentiles."""
    return middle([taken[len(taken) * percentile // 100] / 1000 for taken in rounds])


def _paced(subject: Subject, place: Place, sink: int, seconds: int) -> list[int]:
    """Microseconds of each event, sorted. Raises BenchError where one did not arrive, or one came twice."""
    ask(sink)
    before = subject.stored()
    sent = pace(subject.url("live"), seconds, per_second=PER_SECOND)
    subject.await_stored(before + sent)
    subject.await_delivered(place)
    time.sleep(0.1)
    taken = sorted(ask(sink).latencies_us)
    if len(taken) != sent:
        raise BenchError(f"{sent} were sent, and {len(taken)} arrived")
    return taken


def _crowd(report: Report, folder: Path, *, short: bool) -> None:
    """A busy organisation alone, and among many that only wait, in turns."""
    rounds, seconds = (2, 2) if short else (10, 4)
    hosted = ProxyProcess(folder / "proxy")
    put = tenants(folder, hosted.data, count=WAITING)

    def busy() -> float:
        return post(hosted.url + put.path, seconds=seconds, folder=folder).rate

    others: list[int] = []

    def among() -> float:
        with _polling(hosted, put) as told:
            time.sleep(1)
            found = busy()
        others.append(int(told["others"]))
        return found

    with hosted.started():
        busy()
        before = _memory(hosted)
        with _polling(hosted, put):
            grown = _memory(hosted) - before
        runs = {"alone": busy, "among": among}
        found = turns(1, runs)
        for _ in range(rounds):  # in both orders, since the file that both fill grows slower to write
            runs = dict(reversed(runs.items()))
            for name, rates in turns(1, runs).items():
                found[name] += rates
    report.add(f"memory of {WAITING:,} waiting polls", grown / 1e6, "MB", target=150, at_most=True)
    report.add("a busy organisation alone", middle(found["alone"]))
    report.add(f"while {WAITING:,} others wait", middle(found["among"]))
    report.add("among them / alone", ratios(found["among"], found["alone"]), "x", target=0.9)
    report.add("polls answered with other than 200", sum(others), "", target=0, at_most=True)


def _memory(hosted: ProxyProcess) -> int:
    assert hosted.process is not None
    return resident([hosted.process.pid])


@contextlib.contextmanager
def _polling(hosted: ProxyProcess, put: Tenants) -> Iterator[dict[str, int]]:
    """Everybody waits for as long as the block takes; what they got stands in the dict afterwards."""
    told: dict[str, int] = {}
    command = module("tests.bench.proxy_polls", "127.0.0.1", str(hosted.port), str(put.agents))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    try:
        if child.stdout.readline() != "ready\n":
            raise BenchError("the waiting agents could not connect")
        yield told
        child.terminate()
        told |= json.loads(child.stdout.readline())
        child.wait(20)
    finally:
        end(child)
        child.stdout.close()
