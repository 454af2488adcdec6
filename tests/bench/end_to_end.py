"""End to end: accepted to delivered, sustained, and a backlog drained, against a bare httpx-over-aiohttp loop."""

import time
from collections.abc import Callable

from tests.bench.children import BenchError, finished, module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.sink import Received, ask
from tests.bench.subject import Subject
from tests.free_port import free_port

WORKERS = 32


def end_to_end(*, short: bool) -> Report:
    """Hookport, its backlog and the bare loop in turns, all to the same sink."""
    rounds, seconds = (2, 1) if short else (4, 3)
    with scratch() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        subject = Subject(folder / "hookport", sink=port)
        with running(module("tests.bench.sink", str(port)), log=folder / "sink.log", ready=url), subject.started():
            live = subject.place("live")

            def sustained() -> float:
                subject.await_delivered(live)
                ask(port)
                start = time.monotonic_ns()
                load = subject.post("live", seconds=seconds)
                subject.await_delivered(live)
                received = _whole(ask(port), load.accepted)
                return received.count / ((received.last_ns - start) / 1e9)

            def backlog() -> float:
                subject.set_states({"live": "hold"})
                load = subject.post("live", seconds=seconds)
                subject.await_planned()
                ask(port)
                subject.set_states({"live": "running"})
                subject.await_delivered(live)
                return _whole(ask(port), load.accepted).rate

            def bare() -> float:
                command = module("tests.bench.bare", url, str(seconds), str(WORKERS))
                return float(finished(command, seconds=seconds + 60))

            runs: dict[str, Callable[[], float]] = {"sustained": sustained, "backlog": backlog, "bare": bare}
            found = turns(rounds, runs)
    report = Report()
    report.add("hookport: accepted to delivered, while it is posted to", middle(found["sustained"]))
    report.add("hookport: a backlog delivered", middle(found["backlog"]))
    report.add("a bare httpx-over-aiohttp loop", middle(found["bare"]))
    report.add("accepted to delivered / bare loop", ratios(found["sustained"], found["bare"]), "x", target=0.6)
    report.add("backlog / bare loop", ratios(found["backlog"], found["bare"]), "x")
    return report


def _whole(received: Received, accepted: int) -> Received:
    """What wrk counted must have arrived; it doesn't count what was under way when it stopped."""
    if received.count < accepted:
        raise BenchError(f"{accepted} were accepted, and {received.count} arrived")
    return received
