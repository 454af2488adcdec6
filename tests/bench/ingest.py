"""Ingest: signed webhooks committed before the answer, against the same server without a store, and Debian's webhook."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.children import module, running, scratch
from tests.bench.figures import Report, middle, ratios, turns
from tests.bench.hook import SECRET
from tests.bench.load import post
from tests.bench.sink import ask
from tests.bench.subject import Subject
from tests.free_port import free_port


def ingest(*, short: bool) -> Report:
    """Three servers in turns, and Hookport once more while it delivers."""
    rounds, seconds = (2, 2) if short else (5, 4)
    report = Report()
    with scratch() as folder, contextlib.ExitStack() as stack:
        sink, bare, debian = free_port(), free_port(), free_port()
        subject = Subject(folder / "hookport", sink=sink)
        stack.enter_context(running(module("tests.bench.sink", str(sink)), log=folder / "sink.log", ready=_url(sink)))
        stack.enter_context(
            running(module("tests.bench.no_store", str(bare)), log=folder / "bare.log", ready=_url(bare, "health"))
        )
        stack.enter_context(subject.started())
        live = subject.place("live")
        planned: list[float] = []

        def kept() -> float:
            start = time.monotonic()
            load = subject.post("kept", seconds=seconds)
            subject.await_planned()
            planned.append(load.accepted / (time.monotonic() - start))
            return load.rate

        def delivering() -> float:
            load = subject.post("live", seconds=seconds)
            subject.await_delivered(live)
            ask(sink)
            return load.rate

        runs: dict[str, Callable[[], float]] = {
            "hookport": kept,
            "no store": lambda: post(_url(bare, "hooks/bench"), seconds=seconds, folder=folder).rate,
        }
        if stack.enter_context(debian_webhook(folder, debian)):
            runs["webhook"] = lambda: _forgotten(_url(debian, "hooks/bench"), seconds, folder)
        else:
            report.notes.append("webhook is not installed: apt-get install webhook")
        runs["delivering"] = delivering
        found = turns(rounds, runs)
    report.add("hookport: verified, on disk, answered", middle(found["hookport"]))
    report.add("hookport: and planned", middle(planned))
    report.add("hookport: while it delivers to a living destination", middle(found["delivering"]))
    report.add("the same server verifying without storing", middle(found["no store"]))
    if webhook := found.get("webhook"):
        report.add("webhook running /bin/true", middle(webhook))
        report.add("hookport / webhook", ratios(found["hookport"], webhook), "x", target=5)
    report.add("hookport / without storing", ratios(found["hookport"], found["no store"]), "x", target=0.33)
    return report


@contextlib.contextmanager
def debian_webhook(folder: Path, port: int) -> Iterator[bool]:
    """adnanh/webhook with the same check; false where it isn't installed."""
    webhook = shutil.which("webhook")
    if webhook is None:
        yield False
        return
    header = {"source": "header", "name": "X-Hub-Signature-256"}
    rule = {"match": {"type": "payload-hmac-sha256", "secret": SECRET, "parameter": header}}
    hook = {"id": "bench", "execute-command": shutil.which("true") or "/bin/true", "trigger-rule": rule}
    (folder / "hooks.json").write_text(json.dumps([hook]), encoding="utf-8")
    command = [webhook, "-hooks", str(folder / "hooks.json"), "-ip", "127.0.0.1", "-port", str(port)]
    with running(command, log=folder / "webhook.log", ready=_url(port)):
        yield True


def _forgotten(url: str, seconds: int, folder: Path) -> float:
    """One run, and a second for the commands it has started to end."""
    rate = post(url, seconds=seconds, folder=folder).rate
    time.sleep(1)
    return rate


def _url(port: int, path: str = "") -> str:
    return f"http://127.0.0.1:{port}/{path}"
