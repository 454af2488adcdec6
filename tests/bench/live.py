"""Live: what a hundred open pages cost the webhooks, at a steady 500 a second and at full speed, in turns within one run."""

import contextlib
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.bench.children import ROOT, BenchError, end, finished, module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.person import signed_in
from tests.bench.sink import ask
from tests.bench.subject import Subject
from tests.free_port import free_port

PER_SECOND = 500
PAGES = 100


@dataclass(slots=True)
class Paced:
    """What the runs at a steady rate came to."""

    accepted: list[float] = field(default_factory=list)  # a second
    medians: list[float] = field(default_factory=list)  # milliseconds to the answer
    slowest: list[float] = field(default_factory=list)  # the 99th percentile
    refused: Counter[str] = field(default_factory=Counter)

    def run(self, url: str, seconds: int) -> float:
        """Send for some seconds; how many were accepted a second."""
        output = finished(module("tests.bench.paced", url, str(PER_SECOND), str(seconds), "--json"), seconds=seconds + 60)
        found = json.loads(output)
        self.accepted.append(found["accepted"] / seconds)
        self.medians.append(found["p50_ms"])
        self.slowest.append(found["p99_ms"])
        self.refused.update(found["others"])
        return self.accepted[-1]


def live(*, short: bool) -> Report:
    """One Hookport, posted to with nobody watching and with a hundred pages open, in turns."""
    rounds, seconds = (2, 5) if short else (5, 15)
    without, watched = Paced(), Paced()
    seen: list[dict[str, object]] = []
    with scratch() as folder, contextlib.ExitStack() as stack:
        sink = free_port()
        ready = f"http://127.0.0.1:{sink}/"
        stack.enter_context(running(module("tests.bench.sink", str(sink)), log=folder / "sink.log", ready=ready))
        subject = Subject(folder / "hookport", sink=sink)
        stack.enter_context(subject.started())
        place = subject.place("live")
        person = stack.enter_context(signed_in(subject.page, subject.data))
        cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        url = f"http://127.0.0.1:{subject.port}/hooks/live"

        def quiet(run: Callable[[], float]) -> Callable[[], float]:
            def turn() -> float:
                found = run()
                subject.await_delivered(place)
                ask(sink)
                return found

            return turn

        def crowded(run: Callable[[], float]) -> Callable[[], float]:
            def turn() -> float:
                with watching(subject.page, cookie) as told:
                    found = run()
                subject.await_delivered(place)
                ask(sink)
                seen.append(told)
                return found

            return turn

        def full() -> float:
            return subject.post("live", seconds=max(2, seconds // 3)).rate

        found = turns(
            rounds,
            {
                "paced": quiet(lambda: without.run(url, seconds)),
                "paced, watched": crowded(lambda: watched.run(url, seconds)),
                "full": quiet(full),
                "full, watched": crowded(full),
            },
        )
    report = Report()
    for name, paced in (("nobody watching", without), (f"{PAGES} pages open", watched)):
        report.add(f"at {PER_SECOND}/s, {name}: accepted", middle(paced.accepted))
        report.add(f"at {PER_SECOND}/s, {name}: median answer", middle(paced.medians), "ms")
        report.add(f"at {PER_SECOND}/s, {name}: 99th percentile", middle(paced.slowest), "ms")
        report.add(
            f"at {PER_SECOND}/s, {name}: other answers than 200", sum(paced.refused.values()), "", target=0, at_most=True
        )
    kept = ratios(found["paced, watched"], found["paced"])
    report.add(f"at {PER_SECOND}/s, accepted: watched / not", kept, "x", target=0.9)
    report.add("at full speed, nobody watching: accepted", middle(found["full"]))
    report.add(f"at full speed, {PAGES} pages open: accepted", middle(found["full, watched"]))
    report.add("at full speed: watched / not", ratios(found["full, watched"], found["full"]), "x", target=0.9)
    report.notes += [
        f"{name}: {dict(paced.refused)}" for name, paced in (("alone", without), ("watched", watched)) if paced.refused
    ]
    report.notes.append(f"the pages of each watched turn: {json.dumps(seen)}")
    return report


@contextlib.contextmanager
def watching(page: str, cookie: str) -> Iterator[dict[str, object]]:
    """A hundred pages for as long as the block takes; what they got stands in the dict afterwards."""
    told: dict[str, object] = {}
    command = module("tests.bench.watchers", page, cookie, str(PAGES))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    try:
        if child.stdout.readline() != "ready\n":
            raise BenchError("the pages could not be opened")
        yield told
        child.terminate()
        told |= json.loads(child.stdout.readline())
        child.wait(20)
    finally:
        end(child)
        child.stdout.close()
