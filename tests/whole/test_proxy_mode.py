"""Proxy mode as a whole: a proxy and agents as processes, paired by commands, through switches, crashes and lost machines."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.hookport import Hookport
from tests.whole.senders import GITHUB_SECRET, github, touchpoint
from tests.whole.through_proxy import RECOVERY_KEY, Site, all_arrived, arrived, connected, endpoint, needs, post, traffic

PROXY = '[agent]\nmode = "proxy"\n[retention]\nfree_disk = "0B"\n'

# What relays break: whatever would not survive being parsed and written again.
CORPUS = (
    b"",
    b'{"a":"\\u2028 \\/ \\ud83d\\ude00 \\u00E4"}',
    '{"emoji":"😀","line":"\u2028"}'.encode(),
    b"one\r\ntwo\r\n",
    b"\xef\xbb\xbf{}",
    b'{"a":1,"a":2,"b":1e400,"c":1.0}',
    b"nul \x00 and \xff\xfe no UTF-8",
    b"a=1&b=%C3%A4+x&a=2",
    bytes(range(256)) * 1200,
)


@pytest.fixture
def site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A proxy and its agents, not started yet."""
    made = Site(tmp_path, free_port)
    yield made
    made.close()


def _apply(agent: Hookport, text: str) -> None:
    agent.config.write_text(text, encoding="utf-8")
    done = agent.run("config", "apply", str(agent.config))
    assert done.returncode == 0, done.stderr


def test_a_day_in_proxy_mode(site: Site, destination: Destination) -> None:
    """Paired by one command; bytes and headers as sent; what comes while the agent is off waits; a wrong secret is mended."""
    code = site.start()
    agent = site.agent("one", PROXY + touchpoint("orders", destination.url))
    agent.start()
    assert needs(agent, "proxy_unpaired")
    key = site.pair(agent, code, "one")
    assert RECOVERY_KEY.fullmatch(key.rstrip("\n"))
    connected(agent)
    url = endpoint(agent, "orders")
    assert url.startswith(f"{site.url}/acme/orders/")
    assert httpx.post(url[:-1] + ("a" if url[-1] != "a" else "b"), content=b"{}").status_code == 404

    for number, body in enumerate(CORPUS):
        headers = [*github(body, f"corpus-{number}").items(), ("X-Twice", "a"), ("X-Twice", "b"), ("X-Odd", "  Ünïcode ")]
        assert post(url, body, headers, chunked=number % 2 == 1) == 200
    all_arrived(destination, {f"corpus-{number}" for number in range(len(CORPUS))})
    for got in destination.got:
        number = int((got.header("x-github-delivery") or "").rpartition("-")[2])
        assert got.body == CORPUS[number]
        assert [value for name, value in got.headers if name.lower() == "x-twice"] == ["a", "b"]
        assert (got.header("x-odd") or "").strip() == "Ünïcode"
    listed = agent.json("events", "list")["events"]
    assert {one["arrived_by"] for one in listed if one["verdict"] == "accepted"} == {"proxy"}
    status = agent.await_status(lambda status: status["backlog"]["outbox"] == 0)
    assert status["proxy"] | {"last_poll_at": ""} == {
        "state": "connected",
        "url": site.url,
        "domain": "acme",
        "last_poll_at": "",
        "waiting": 0,
        "agent": "one",
        "holder": None,
        "error": None,
    }

    assert agent.stop() == 0
    destination.got.clear()
    for number in range(30):
        body = b'{"late":%d}' % number
        assert post(url, body, list(github(body, f"late-{number:02d}").items())) == 200
    agent.start()
    all_arrived(destination, {f"late-{number:02d}" for number in range(30)})
    with agent.api() as api:
        late = [one["dedup_key"].rpartition(":")[2] for one in api.get("/events", params={"limit": 30}).json()["events"]]
    assert late == [f"late-{number:02d}" for number in reversed(range(30))]  # in the order of receipt

    wrong = b'{"secret":"another"}'
    assert post(url, wrong, list(github(wrong, "wrong", secret="the new secret").items())) == 200
    need = needs(agent, "refused_events")
    assert "orders" in need["text"]
    assert "wrong" not in arrived(destination)
    text = (PROXY + touchpoint("orders", destination.url)).replace(GITHUB_SECRET, "the new secret")
    _apply(agent, text)
    verified = agent.json("events", "verify", "--touchpoint", "orders", "--state", "refused")
    assert verified["changed"] == 1
    all_arrived(destination, {"wrong"})
    assert next(one.body for one in destination.got if one.header("x-github-delivery") == "wrong") == wrong


def test_switches_under_traffic_lose_and_double_nothing(site: Site, destination: Destination) -> None:
    """Direct, proxy, direct, both, by `config apply`, while senders post to both URLs; one event by both URLs runs once."""
    code = site.start()
    agent = site.agent("one", "")

    def of_mode(mode: str) -> str:
        head = f'[agent]\nmode = "{mode}"\nhost_public_url = "http://127.0.0.1:{agent.port}"\nlisten = "127.0.0.1"\n'
        return f'{head}port = {agent.port}\n[retention]\nfree_disk = "0B"\n{touchpoint("orders", destination.url)}'

    agent.config.write_text(of_mode("direct"), encoding="utf-8")
    site.pair(agent, code, "one")  # over the folder of an agent that does not run
    agent.start()
    assert agent.status()["mode"] == "direct"
    assert agent.status()["ok"]
    _apply(agent, of_mode("both"))
    url = endpoint(agent, "orders")
    with traffic([agent.url("orders"), url]) as told:
        for mode, closing, open_ in (("proxy", "direct_closing", "closing"), ("direct", "closing", "direct_closing")):
            before = len(told.accepted)
            _apply(agent, of_mode(mode))
            with agent.api() as api:
                standing = api.get("/proxy").json()
            assert standing[closing] is not None
            assert standing[open_] is None
            agent.await_status(lambda _, before=before: len(told.accepted) > before + 40)
        _apply(agent, of_mode("both"))
        assert endpoint(agent, "orders") == url
    assert told.refused == []
    assert told.lost == 0
    all_arrived(destination, set(told.accepted))
    body = b'{"twice":1}'
    assert httpx.post(agent.url("orders"), content=body, headers=github(body, "twice")).status_code == 200
    assert httpx.post(url, content=body, headers=github(body, "twice")).status_code == 200
    agent.await_status(lambda status: status["proxy"]["waiting"] == 0)
    body = b'{"last":1}'
    assert httpx.post(url, content=body, headers=github(body, "last")).status_code == 200
    all_arrived(destination, {"last"})
    assert {key: n for key, n in Counter(arrived(destination)).items() if n > 1} == {}
    with agent.api() as api:
        listed = api.get("/events", params={"limit": 20}).json()["events"]
        twice = [one for one in listed if (one["dedup_key"] or "").endswith(":twice")]
        assert {one["arrived_by"]: one["verdict"] for one in twice} == {"direct": "accepted", "proxy": "duplicate"}
        closed = api.post("/proxy/close", json={"which": "direct"})
        assert closed.json()["problems"][0]["code"] == "path_not_closing"
        _apply(agent, of_mode("proxy"))
        assert api.post("/proxy/close", json={"which": "direct"}).json()["direct_closing"] is None
    with pytest.raises(httpx.ConnectError):
        httpx.post(agent.url("orders"), content=body)


def test_kills_of_both_sides_lose_nothing(site: Site, destination: Destination) -> None:
    """kill -9 of the agent, then of the proxy, in the midst of traffic: every accepted event is delivered."""
    code = site.start()
    agent = site.agent("one", PROXY + touchpoint("orders", destination.url))
    agent.start()
    site.pair(agent, code, "one")
    url = endpoint(agent, "orders")
    with traffic([url, url], pause=0.004) as told:
        for round_ in range(2):
            before = len(told.accepted)
            agent.await_status(lambda _, before=before: len(told.accepted) > before + 50)
            agent.kill()
            if round_:
                site.proxy.kill()
                site.proxy.start()
            agent.start()
            connected(agent)
    all_arrived(destination, set(told.accepted))
    assert len(told.accepted) > 100
    deliveries = Counter(one.header("hookport-delivery") for one in destination.got)
    keys = Counter(dict.fromkeys(deliveries, 1)).total()
    assert keys == len(set(arrived(destination)))  # what came twice came as the same delivery
    agent.settled()


def test_a_standby_and_a_lost_machine(site: Site, destination: Destination) -> None:
    """The spare is approved, says what it lacks, takes over at once; a replacement opens what waits by the recovery key."""
    code = site.start()
    orders, stock, bills = (touchpoint(name, destination.url) for name in ("orders", "stock", "bills"))
    one = site.agent("one", PROXY + orders + stock + bills)
    one.start()
    key = site.pair(one, code, "one").strip()
    urls = {name: endpoint(one, name) for name in ("orders", "stock", "bills")}
    two = site.agent("two", PROXY + orders + touchpoint("invoices", destination.url))
    two.start()
    assert site.pair(two, site.code("code", "acme"), "two") == ""
    connected(two, "waiting_key")
    shown = two.json("pairing", "status")
    assert one.run("pairing", "approve", "two", "--fingerprint", "00000 " * 6).returncode == 1
    approved = one.run("pairing", "approve", "two", "--fingerprint", shown["fingerprint"])
    assert approved.returncode == 0, approved.stderr
    assert connected(two, "standby")["proxy"]["holder"] == "one"
    assert "stock" in needs(two, "proxy_lacking")["text"]

    assert one.stop() == 0
    connected(two)
    for name, url in urls.items():
        body = b'{"to":"%s"}' % name.encode()
        assert post(url, body, list(github(body, f"by-two-{name}").items())) == 200
    all_arrived(destination, {"by-two-orders"})
    need = needs(two, "events_lack_touchpoint")
    assert (need["count"], "bills, stock" in need["text"]) == (2, True)
    _apply(two, PROXY + orders + stock)
    all_arrived(destination, {"by-two-stock"})
    assert endpoint(two, "stock") == urls["stock"]
    assert "by-two-bills" not in arrived(destination)
    renamed = two.run("touchpoint", "rename", "invoices", "bills")  # one that was there before has the name from now on
    assert renamed.returncode == 0, renamed.stderr
    all_arrived(destination, {"by-two-bills"})
    two.await_status(lambda status: all(one["code"] != "events_lack_touchpoint" for one in status["needs_you"]))

    two.kill()
    agents = site.proxy.json("org", "agents", "acme")["agents"]
    lost = next(agent["id"] for agent in agents if agent["name"] == "two")
    body = b'{"waits":1}'
    assert post(urls["orders"], body, list(github(body, "waited").items())) == 200
    three = site.agent("three", PROXY + orders + stock + bills)
    site.pair(three, site.code("code", "acme", "--replace", lost), "three")
    recovered = three.run("pairing", "recover", stdin=f"{key}\n")
    assert recovered.returncode == 0, recovered.stderr
    three.start()
    connected(three)
    all_arrived(destination, {"waited"})
    assert all(endpoint(three, name) == urls[name] for name in ("orders", "stock"))
    assert three.run("pairing", "leave").returncode == 0
    assert needs(three, "proxy_unpaired")
    two.start()
    assert connected(two, "revoked")["ok"] is False
