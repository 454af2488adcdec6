"""Handshakes through a proxy with both as processes: the agent answers while the sender waits, and keeps what it was given."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.through_proxy import Site, connected, endpoint

SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
CONFIGURATION = """[agent]
mode = "proxy"
[retention]
free_disk = "0B"
[[touchpoint]]
name = "tasks"
provider = "asana"
[[touchpoint.destination]]
kind = "http"
url = "{url}"
[[touchpoint]]
name = "pages"
provider = "dropbox"
secrets = ["secret"]
[[touchpoint.destination]]
kind = "http"
url = "{url}"
"""


@pytest.fixture
def site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A proxy and its agents, not started yet."""
    made = Site(tmp_path, free_port)
    yield made
    made.close()


def test_a_secret_comes_through_the_proxy_and_signs_what_follows(site: Site, destination: Destination) -> None:
    """Captured once, told until it is dismissed, and after a restart still the one; Dropbox is answered without the agent."""
    code = site.start()
    agent = site.agent("one", CONFIGURATION.format(url=destination.url))
    agent.start()
    site.pair(agent, code, "one")
    connected(agent)
    tasks, pages = endpoint(agent, "tasks"), endpoint(agent, "pages")

    answer = httpx.post(tasks, content=b"{}", headers={"x-hook-secret": SECRET})
    assert (answer.status_code, answer.headers["x-hook-secret"]) == (200, SECRET)
    assert httpx.post(tasks, content=b"{}", headers={"x-hook-secret": "f" * 64}).status_code == 403
    told = [
        one for one in agent.await_status(lambda status: status["needs_you"])["needs_you"] if one["code"] == "secret_captured"
    ]
    assert told[0]["touchpoint"] == "tasks"
    assert "127.0.0.1" in told[0]["text"]
    assert SECRET not in agent.stderr()

    body = b'{"events":[{"action":"changed","resource":{"gid":"1","resource_type":"task"}}]}'
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert httpx.post(tasks, content=body, headers={"x-hook-signature": signature}).status_code == 200
    agent.await_status(lambda _status: destination.got)
    assert [one.body for one in destination.got] == [body]

    agent.stop()
    challenged = httpx.get(f"{pages}?challenge=abc-1")
    assert (challenged.status_code, challenged.text, challenged.headers["x-content-type-options"]) == (200, "abc-1", "nosniff")
