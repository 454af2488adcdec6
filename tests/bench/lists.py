"""Lists: how long each screen, list, search and count takes on the server, with two million events stored."""

import time
from pathlib import Path

import httpx

from tests.bench.children import BenchError, module, running, scratch
from tests.bench.figures import Report, middle
from tests.bench.fill import fill
from tests.bench.person import signed_in
from tests.bench.subject import Subject
from tests.free_port import free_port

STORED = 2_000_000
WAITING = 20_000
TIMES = 10
LONGEST = 50  # milliseconds

# No index leads there: on dedup keys, which are random, one would nearly halve what is taken in. The search knows those of two
# weeks by the claims.
WALKS = frozenset({"list: by key", "list: by a key nobody has"})

Asked = dict[str, str]  # address by what is asked


def lists(*, short: bool) -> Report:
    """One Hookport, asked for everything a person looks at, each ten times."""
    stored = STORED // 10 if short else STORED
    report = Report()
    with scratch() as folder:
        port = free_port()
        ready = f"http://127.0.0.1:{port}/"
        with running(module("tests.bench.sink", str(port)), log=folder / "sink.log", ready=ready):
            subject = filled(folder / "hookport", port, stored)
            with subject.started(), signed_in(subject.page, subject.data) as person:
                gave_up(person)
                for what, address in asked(person).items():
                    target = None if what in WALKS else LONGEST
                    report.add(what, took(person, address), "ms", target=target, at_most=True)
    report.notes.append(f"{stored:,} events stored; the median of {TIMES} requests, on the wire")
    return report


def filled(folder: Path, sink: int, stored: int) -> Subject:
    """A stopped Hookport with many settled events, each with a number of its own, and some that wait for a dead destination."""
    subject = Subject(folder, sink=sink)
    with subject.started():
        places = {name: subject.place(name) for name in ("kept", "dead", "live")}
        subject.await_delivered(places["live"])
    now = time.time_ns() // 1000
    for name, count, first in (("live", stored, 10_000_000), ("dead", WAITING, 90_000_000)):
        number = {"reference": f"printf('%d', {first} + :events + n.i)"}
        fill(subject.events, touchpoint=places[name].touchpoint, count=count, now=now, changed=number)
    return subject


def gave_up(person: httpx.Client) -> None:
    """Give a part of the waiting up, so that something needs a person."""
    answer = person.post("/api/v1/events/act/give_up", json={"touchpoint": "dead"})
    if answer.status_code != 200 or answer.json()["changed"] == 0:
        raise BenchError(f"nothing could be given up: {answer.text[:300]}")


def asked(person: httpx.Client) -> Asked:
    """What a person asks for, by name."""
    old = person.get("/api/v1/events", params={"touchpoint": "live", "until": "9d", "limit": 1}).json()["events"][0]
    return {
        "home": "/",
        "home's chart": "/?period=day",
        "list: newest": "/events",
        "list: far down": "/events?before=200000",
        "list: by time, the last hour": "/events?since=1h",
        "list: by time, a day long ago": "/events?since=9d&until=8d",
        "list: by time, until long ago": "/events?until=9d",
        "list: a busy touchpoint": "/events?touchpoint=live",
        "list: a touchpoint with one event": "/events?touchpoint=kept",
        "list: a busy destination": "/events?touchpoint=live&destination=http",
        "list: a dead destination": "/events?touchpoint=dead&destination=http",
        "list: a touchpoint's given up": "/events?touchpoint=dead&state=given_up",
        **{f"list: state {state}": f"/events?state={state}" for state in STATES},
        "list: by id": f"/events?id={old['id']}",
        "list: by number": f"/events?reference={old['reference']}",
        "list: by a number nobody has": "/events?reference=nothing",
        "list: by key": f"/events?key={old['dedup_key']}",
        "list: by a key nobody has": "/events?key=nothing",
        "list: what is new": "/events/new?after=1",
        "search: a number": f"/search?q={old['reference']}",
        "search: a key": f"/search?q={old['dedup_key']}",
        "search: nothing found": "/search?q=nothing",
        "search: a slice of bodies": "/search/bodies?q=nothing&range=30d",
        "event": f"/events/{old['id']}",
        "event: its body": f"/events/{old['id']}/body",
        "deed: replay what was given up": "/events/act/replay?state=given_up",
        "deed: replay one": f"/events/act/replay?id={old['id']}",
        "touchpoints": "/touchpoints",
        "touchpoint: a busy one": "/touchpoints/live",
        "touchpoint: one with one event": "/touchpoints/kept",
        "export: its screen": "/export",
        "export: a day long ago": "/export?since=9d&until=8d",
        "export: count of all": "/export/count",
        "export: count of a day": "/export/count?since=9d&until=8d",
        "export: count of given up": "/export/count?state=given_up",
        "export: count of a touchpoint with one event": "/export/count?touchpoint=kept",
        "settings": "/settings",
        "audit": "/settings/audit",
        "status": "/api/v1/status",
    }


STATES = ("delivered", "pending", "held", "given_up", "refused", "duplicate", "filtered", "dismissed")


def took(person: httpx.Client, address: str) -> float:
    """The median in milliseconds; what is asked the first time, with cold pages, is left out."""
    found: list[float] = []
    for _ in range(TIMES + 1):
        start = time.perf_counter()
        answer = person.get(address)
        found.append((time.perf_counter() - start) * 1000)
        if answer.status_code not in (200, 303):
            raise BenchError(f"{address} answered {answer.status_code}: {answer.text[:300]}")
    return middle(found[1:])
