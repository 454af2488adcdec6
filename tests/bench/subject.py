"""Hookport under measurement: a data folder of its own, its configuration, and the running agent."""

import contextlib
import json
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.children import BenchError, finished, running
from tests.bench.hook import SECRET, body, headers
from tests.bench.load import Load, post
from tests.free_port import free_port

HOOKPORT = [sys.executable, "-c", "from appliance.command import main; raise SystemExit(main())"]
NOWHERE = "http://127.0.0.1:1/"  # nobody listens there
TOUCHPOINTS = ("kept", "live", "dead")  # on hold; with a living destination; with a dead one

SELECT_WAITING = "SELECT coalesce(sum(n), 0) FROM counters WHERE state = 'inbox'"
SELECT_PENDING = "SELECT coalesce(sum(n), 0) FROM counters WHERE state = 'pending' AND whose = ?"
SELECT_STORED = "SELECT coalesce(max(seq), 0) FROM events"
SELECT_LAST = "SELECT touchpoint, destination FROM deliveries ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The numbers of a touchpoint and its destination in the events file."""

    touchpoint: int
    destination: int


class Subject:
    """One Hookport with the touchpoints `kept`, `live` and `dead`."""

    def __init__(self, folder: Path, *, sink: int, command: Sequence[str] = HOOKPORT) -> None:
        self.folder = folder
        self._command = list(command)
        self.data = folder / "data"
        self.port = free_port()
        self._admin = free_port()
        self._sink = sink
        self._file = folder / "hookport.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self._configure({})

    @property
    def events(self) -> Path:
        """The events file."""
        return self.data / "events.db"

    @property
    def page(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self._admin}"

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Run for as long as the block takes."""
        with running(self.command(), log=self.folder / "hookport.log", ready=self._ready, seconds=120):
            yield

    def command(self) -> list[str]:
        """What starts it."""
        options = ["--data-dir", str(self.data), "--admin", f"127.0.0.1:{self._admin}", "--config", str(self._file)]
        return [*self._command, "run", *options, "--no-browser"]

    def url(self, touchpoint: str) -> str:
        """A touchpoint's endpoint URL."""
        return f"http://127.0.0.1:{self.port}/hooks/{touchpoint}"

    def post(self, touchpoint: str, *, seconds: int) -> Load:
        """Post to a touchpoint at full speed."""
        return post(self.url(touchpoint), seconds=seconds, folder=self.folder)

    def post_one(self, touchpoint: str) -> None:
        """Post a single event."""
        content = body()
        request = urllib.request.Request(  # noqa: S310 - always http, and loopback
            self.url(touchpoint), content, headers(content, f"one-{time.monotonic_ns()}")
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - always http, and loopback

    def set_states(self, states: Mapping[str, str]) -> None:
        """Change touchpoints' states while it runs."""
        self._configure(states)
        finished([*self._command, "config", "apply", str(self._file), "--data-dir", str(self.data)], seconds=60)

    def await_planned(self, *, seconds: float = 180.0) -> None:
        """Return once the inbox is empty."""
        self._await(lambda db: bool(db.execute(SELECT_WAITING).fetchone()[0] == 0), seconds)

    def await_delivered(self, place: Place, *, seconds: float = 300.0) -> None:
        """Return once inbox and lane are empty."""
        self.await_planned(seconds=seconds)
        self._await(lambda db: bool(db.execute(SELECT_PENDING, (place.destination,)).fetchone()[0] == 0), seconds)

    def stored(self) -> int:
        """The highest number of a stored event."""
        with contextlib.closing(self.read()) as db:
            return int(db.execute(SELECT_STORED).fetchone()[0])

    def await_stored(self, number: int, *, seconds: float = 60.0) -> None:
        """Return once the event of that number is stored; one that waits elsewhere is in no count of its own yet."""
        deadline = time.monotonic() + seconds
        while (stored := self.stored()) < number:
            if time.monotonic() > deadline:
                raise BenchError(f"{self.folder.name} has stored {stored} events of {number}")
            time.sleep(0.01)

    def place(self, touchpoint: str) -> Place:
        """A touchpoint's place in the events file; posts one event to find it out."""
        self.post_one(touchpoint)
        self.await_planned()
        with contextlib.closing(self.read()) as db:
            numbers = db.execute(SELECT_LAST).fetchone()
        return Place(touchpoint=numbers[0], destination=numbers[1])

    def read(self) -> sqlite3.Connection:
        """The events file, to look into."""
        return sqlite3.connect(f"{self.events.as_uri()}?mode=ro", uri=True, timeout=10)

    def _await(self, true: Callable[[sqlite3.Connection], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with contextlib.closing(self.read()) as db:
            while not true(db):
                if time.monotonic() > deadline:
                    raise BenchError(f"{self.folder.name} did not get through its queue in {seconds:.0f} s")
                time.sleep(0.02)

    @property
    def _ready(self) -> str:
        """What answers once it runs."""
        return f"http://127.0.0.1:{self.port}/health"

    def _way_in(self) -> list[str]:
        """How events come to it, in its configuration."""
        return [
            "[agent]",
            'mode = "direct"',
            f'host_public_url = "http://127.0.0.1:{self.port}"',
            'listen = "127.0.0.1"',
            f"port = {self.port}",
        ]

    def _configure(self, states: Mapping[str, str]) -> None:
        lines = self._way_in()
        for name in TOUCHPOINTS:
            state = states.get(name, "hold" if name == "kept" else "running")
            url = NOWHERE if name == "dead" else f"http://127.0.0.1:{self._sink}/"
            lines += ["[[touchpoint]]", f'name = "{name}"', 'provider = "github"', f"secrets = [{json.dumps(SECRET)}]"]
            lines += [f'state = "{state}"', "[[touchpoint.destination]]", 'kind = "http"', f'url = "{url}"', "concurrency = 32"]
        self._file.write_text("\n".join(lines) + "\n", encoding="utf-8")
