"""Attack: the speed of honest senders, and of the page, while strangers attack the listener; in turns with nobody there."""

import contextlib
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.bench.children import ROOT, BenchError, end, module, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.load import post
from tests.bench.person import signed_in
from tests.bench.proxy_process import ProxyProcess
from tests.bench.proxy_tenants import tenants
from tests.bench.subject import Subject
from tests.chaos.strangers import KINDS
from tests.free_port import free_port

HALF = 0.5
# Longer than this a person notices that a screen is late, and begins to doubt that it comes.
SOON_MS = 1000
PER_SECOND = 1000  # connections, requests or portions of 20 KB, of all strangers together
EVERYTHING = "all of this at once"


@dataclass(slots=True)
class Attack:
    """What was seen of one kind of attack."""

    tried: int = 0  # posts of honest senders
    refused: int = 0
    seconds: float = 0.0
    strangers: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Looks:
    """How soon the first byte of the home screen came."""

    client: httpx.Client
    taken: list[float] = field(default_factory=list)  # milliseconds
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def during(self) -> Iterator[None]:
        """Look five times a second while the block runs. Raises BenchError where a screen was not there."""
        self._stop.clear()
        wrong: list[str] = []

        def look() -> None:
            while not self._stop.wait(0.2):
                began = time.monotonic()
                try:
                    with self.client.stream("GET", "/") as answer:
                        self.taken.append((time.monotonic() - began) * 1000)
                        answer.read()
                    if answer.status_code != 200:
                        wrong.append(str(answer.status_code))
                except httpx.HTTPError as error:
                    wrong.append(type(error).__name__)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if wrong:
            raise BenchError(f"the home screen was answered {wrong}")

    def percentile(self, share: int) -> float:
        """Of all looks."""
        return sorted(self.taken)[len(self.taken) * share // 100] if self.taken else 0.0


def attack(*, short: bool) -> Report:
    """An agent under each kind in turn and under all at once, and a hosted proxy under all at once."""
    rounds, seconds, connections = (2, 2, 1000) if short else (3, 4, 10_000)
    report = Report()
    with scratch() as folder:
        _agent(report, folder, rounds=rounds, seconds=seconds, connections=connections)
        _proxy(report, folder, rounds=rounds, seconds=seconds, connections=connections)
    report.notes.append(
        f"{connections:,} connections, from 249 addresses where the system has them; what strangers do beside is held to"
        f" {PER_SECOND:,} connections, requests or 20 KB a second, since they run on the same processors as the program"
    )
    return report


def _agent(report: Report, folder: Path, *, rounds: int, seconds: int, connections: int) -> None:
    subject = Subject(folder / "agent", sink=free_port())
    with subject.started(), signed_in(subject.page, subject.data) as person:
        ways = {kind: [kind] for kind in KINDS} | {EVERYTHING: list(KINDS)}
        turn = _Turns(subject.url("kept"), folder, person, seconds, connections)
        subject.post("kept", seconds=seconds)  # its first thousands are slower
        found = turns(rounds, {"": turn.alone} | {name: turn.under(name, kinds) for name, kinds in ways.items()})
    report.add("nobody attacks", middle(found[""]))
    for name in ways:
        report.add(f"{name}: honest senders", middle(found[name]))
        report.ratio(f"{name} / nobody", *_both(found, name), target=HALF)
    report.add("home, nobody attacks: first byte, 95th percentile", turn.quiet.percentile(95), "ms")
    late = turn.looks.percentile(95)
    report.add("home, under attack: first byte, 95th percentile", late, "ms", target=SOON_MS, at_most=True)
    report.add("home, under attack: first byte, 99th percentile", turn.looks.percentile(99), "ms")
    report.notes += turn.notes()


def _proxy(report: Report, folder: Path, *, rounds: int, seconds: int, connections: int) -> None:
    hosted = ProxyProcess(folder / "proxy")
    put = tenants(folder, hosted.data, count=0)
    with hosted.started(), signed_in(hosted.page, hosted.data) as person:
        turn = _Turns(hosted.url + put.path, folder, person, seconds, connections)
        turn.alone()
        found = turns(rounds, {"": turn.alone, EVERYTHING: turn.under(EVERYTHING, list(KINDS))})
    report.add("proxy, nobody attacks", middle(found[""]))
    report.add(f"proxy, {EVERYTHING}: honest senders", middle(found[EVERYTHING]))
    report.ratio(f"proxy, {EVERYTHING} / nobody", *_both(found, EVERYTHING), target=HALF)
    late = turn.looks.percentile(95)
    report.add("proxy, home, under attack: first byte, 95th percentile", late, "ms", target=SOON_MS, at_most=True)
    report.notes += [f"proxy, {note}" for note in turn.notes()]


def _both(found: dict[str, list[float]], name: str) -> tuple[float, float]:
    return ratios(found[name], found[""]), 1.0


class _Turns:
    """Runs of honest senders with and without strangers."""

    def __init__(self, url: str, folder: Path, person: httpx.Client, seconds: int, connections: int) -> None:
        self._url, self._folder = url, folder
        self._seconds, self._connections = seconds, connections
        self._found: dict[str, Attack] = {}
        self.quiet, self.looks = Looks(person), Looks(person)

    def alone(self) -> float:
        """Nobody attacks."""
        with self.quiet.during():
            return post(self._url, seconds=self._seconds, folder=self._folder).rate

    def under(self, name: str, kinds: list[str]) -> Callable[[], float]:
        """A run under that attack; its rate."""

        def run() -> float:
            seen = self._found.setdefault(name, Attack())
            began = time.monotonic()
            with strangers(self._url, kinds, self._connections) as told, self.looks.during():
                load = post(self._url, seconds=self._seconds, folder=self._folder, refusals=True)
            seen.seconds += time.monotonic() - began
            seen.tried += load.accepted + load.refused
            seen.refused += load.refused
            for what in ("opened", "requests", "cpu"):
                seen.strangers[what] += told[what]
            return load.rate

        return run

    def notes(self) -> list[str]:
        """For each kind what the strangers did, and how many honest senders were refused."""
        return [
            f"{name}: {seen.strangers['opened'] / seen.seconds:,.0f} connections and"
            f" {seen.strangers['requests'] / seen.seconds:,.0f} requests a second,"
            f" {seen.strangers['cpu'] / seen.seconds:.2f} of a processor;"
            f" {seen.refused:,} of {seen.tried:,} honest posts refused"
            for name, seen in self._found.items()
        ]


@contextlib.contextmanager
def strangers(url: str, kinds: list[str], connections: int) -> Iterator[dict[str, Any]]:
    """They attack for as long as the block takes, once all have come; what they did stands in the dict afterwards."""
    place = urlsplit(url)
    command = module("tests.chaos.strangers", str(place.port), place.path, *kinds)
    command += ["--connections", str(connections), "--per-second", str(PER_SECOND)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    told: dict[str, Any] = {}
    try:
        if child.stdout.readline() != "ready\n":
            raise BenchError("the strangers did not come")
        yield told
        child.stdin.close()
        told |= json.loads(child.stdout.readline())
        child.wait(20)
    finally:
        end(child)
        child.stdout.close()
