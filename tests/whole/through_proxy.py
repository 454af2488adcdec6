"""Agents and a proxy, as processes: paired by commands, posted to at their endpoint URLs."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.whole.destination import Destination
from tests.whole.hookport import Hookport
from tests.whole.senders import github
from tests.whole.test_proxy import ProxyProcess

RECOVERY_KEY = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){7}")


class Site:
    """One proxy with the organisation acme, and as many agents as a test wants; nothing is left running."""

    def __init__(self, folder: Path, free_port: Callable[[], int]) -> None:
        self.proxy = ProxyProcess(folder, port=free_port(), admin=free_port())
        self.url = f"http://127.0.0.1:{self.proxy.port}"
        self._folder, self._free_port = folder, free_port
        self._agents: list[Hookport] = []

    def start(self) -> str:
        """Start the proxy, add the organisation; its first code."""
        self.proxy.start("--listen", f"127.0.0.1:{self.proxy.port}", "--public-url", self.url)
        return self.code("add", "acme")

    def code(self, *arguments: str) -> str:
        """A pairing code of `org add` or `org code`."""
        made = self.proxy.run("org", *arguments)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def agent(self, name: str, configuration: str) -> Hookport:
        """An agent with a configuration file of its own, not started."""
        folder = self._folder / name
        folder.mkdir()
        made = Hookport(folder, port=self._free_port(), admin=self._free_port())
        made.config.write_text(configuration, encoding="utf-8")
        self._agents.append(made)
        return made

    def pair(self, agent: Hookport, code: str, name: str) -> str:
        """`hookport pair`; what it prints on stdout."""
        done = agent.run("pair", code, "--proxy", self.url, "--name", name)
        assert done.returncode == 0, done.stderr
        assert f"as {name} of acme" in done.stderr
        return done.stdout

    def close(self) -> None:
        """End whatever runs."""
        for agent in self._agents:
            agent.close()
        self.proxy.kill()


def connected(agent: Hookport, state: str = "connected") -> Any:
    """Wait for a state of the way through the proxy; the status."""
    return agent.await_status(lambda status: status["proxy"]["state"] == state)


def needs(agent: Hookport, code: str) -> Any:
    """Wait until something needs a person; that need."""
    status = agent.await_status(lambda status: any(one["code"] == code for one in status["needs_you"]))
    return next(one for one in status["needs_you"] if one["code"] == code)


def endpoint(agent: Hookport, name: str) -> str:
    """Wait until the proxy answers under a touchpoint's endpoint URL; the URL."""
    url: str | None = None
    deadline = time.monotonic() + 20
    while url is None or httpx.post(url, content=b"?").status_code == 404:
        assert time.monotonic() < deadline, f"no endpoint of {name}: {agent.stderr()[-2000:]}"
        time.sleep(0.05)
        with agent.api() as api:
            lines = api.get("/touchpoints").json()["touchpoints"]
        url = next(one["endpoint_urls"]["proxy"] for one in lines if one["name"] == name)
    return url


def post(url: str, body: bytes, headers: list[tuple[str, str]], *, chunked: bool = False) -> int:
    """Post exactly these headers, in this order; the status."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.putrequest("POST", parts.path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(iter([body]), encode_chunked=True)
        else:
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


@dataclass(slots=True)
class Traffic:
    """What senders posted, one after the other, each with an id of its own; `accepted` holds those answered 200."""

    accepted: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    lost: int = 0  # no answer: nothing is known of it


@contextmanager
def traffic(urls: list[str], *, pause: float = 0.01) -> Iterator[Traffic]:
    """Senders that post to these URLs for as long as the block lasts, a thread for each URL."""
    told, ending = Traffic(), threading.Event()

    def send(number: int, url: str) -> None:
        with httpx.Client(timeout=20) as client:
            count = 0
            while not ending.wait(pause):
                count += 1
                key = f"{number}-{count}"
                body = b'{"n":"%s"}' % key.encode()
                try:
                    status = client.post(url, content=body, headers=github(body, key)).status_code
                except httpx.HTTPError:
                    told.lost += 1
                    continue
                if status == 200:
                    told.accepted.append(key)
                else:
                    told.refused.append(status)

    senders = [threading.Thread(target=send, args=(number, url)) for number, url in enumerate(urls)]
    for sender in senders:
        sender.start()
    try:
        yield told
    finally:
        ending.set()
        for sender in senders:
            sender.join(30)


def arrived(destination: Destination) -> list[str]:
    """The senders' ids of what arrived, in order."""
    return [one.header("x-github-delivery") or "" for one in destination.got]


def all_arrived(destination: Destination, wanted: set[str], *, seconds: float = 30.0) -> None:
    """Wait until everything of a set arrived."""
    deadline = time.monotonic() + seconds
    while missing := wanted - set(arrived(destination)):
        assert time.monotonic() < deadline, f"{len(missing)} did not arrive, such as {sorted(missing)[:5]}"
        time.sleep(0.05)
