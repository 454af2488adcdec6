"""Backups of a real proxy: made while it works, put back elsewhere after a crash, and its agent pulls on."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.senders import github, touchpoint
from tests.whole.through_proxy import Site, all_arrived, arrived, connected, endpoint, needs

PROXY = '[agent]\nmode = "proxy"\n[retention]\nfree_disk = "0B"\n'


@pytest.fixture
def site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A proxy and its agents, not started yet."""
    made = Site(tmp_path, free_port)
    yield made
    made.close()


def send(url: str, *keys: str) -> None:
    """Post an event for each key."""
    for key in keys:
        assert httpx.post(url, content=key.encode(), headers=github(key.encode(), key)).status_code == 200


def test_a_killed_proxy_is_put_back_elsewhere_and_its_agent_pulls_on(
    site: Site, destination: Destination, tmp_path: Path
) -> None:
    """Nothing that was in the backup is lost, nothing runs twice, what cannot be recovered is told on both sides."""
    agent = site.agent("one", PROXY + touchpoint("orders", destination.url))
    code = site.start()
    agent.start()
    site.pair(agent, code, "one")
    connected(agent)
    url = endpoint(agent, "orders")
    send(url, "early-1", "early-2")
    all_arrived(destination, {"early-1", "early-2"})
    assert agent.stop() == 0
    send(url, "waits-1", "waits-2", "waits-3")
    made = site.proxy.json("backup")
    assert (made["waiting"], made["organisations"], made["agents"], made["with_key"]) == (3, 1, 1, False)
    agent.start()
    all_arrived(destination, {"waits-1", "waits-2", "waits-3"})
    assert agent.stop() == 0
    send(url, "lost-1", "lost-2")
    process = site.proxy.process
    assert process is not None
    process.kill()
    process.wait(20)
    assert process.stdout is not None
    process.stdout.close()

    archive, key = (Path(shutil.copy(one, tmp_path)) for one in (made["file"], site.proxy.data / "secret.key"))
    site.proxy.data = tmp_path / "elsewhere"
    done = site.proxy.run("restore", str(archive), "--key", str(key), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"version": ""} == {
        "made_at": made["made_at"],
        "version": "",
        **{name: made[name] for name in ("waiting", "bodies", "claims", "organisations", "agents")},
        "aside": [],
    }

    site.proxy.start()
    agent.start()
    send(url, "late-1", "late-2")
    all_arrived(destination, {"late-1", "late-2"})
    assert needs(agent, "proxy_gap")
    assert Counter(arrived(destination)) == Counter(
        [*(f"early-{number}" for number in (1, 2)), *(f"waits-{number}" for number in (1, 2, 3)), "late-1", "late-2"]
    )
    status = site.proxy.json("status")
    assert [one["organisation"] for one in status["needs_you"] if one["code"] == "queue_gap"] == ["acme"]
    assert [one["count"] for one in status["needs_you"] if one["code"] == "proxy_put_back"] == [1]
