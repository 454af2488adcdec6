"""Planted secrets, looked for in whatever the real process leaves, says, shows, answers or keeps, through its whole life."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import unquote

import httpx
import pytest

from tests.attack.planted import ENVIRONMENT, PLANTED, Search, configuration
from tests.page.doorstep import OWN_FORM, TYPED
from tests.whole.destination import Destination
from tests.whole.hookport import Hookport
from tests.whole.senders import github, touchpoint
from tests.whole.test_proxy import ProxyProcess
from tests.whole.through_proxy import RECOVERY_KEY, Site, connected, endpoint

PASSWORD = "a password of the page 7"
CRASHING = [sys.executable, "-m", "tests.attack.crashing"]
# What a sender proves itself by, where that is the secret itself, comes with each request and is kept and passed on as it came.
CAME_ALONG = re.compile(r"token in (data|restored)/(backups/[^/]+/)?events\.db(-wal)?")
LINK = re.compile(r'(?:href|hx-get|action)="(/[^"#]*)"')
API = (
    "status", "touchpoints", "providers", "configuration", "events", "alerts", "proxy", "export/deliveries", "tokens", "audit",
    "backups", "files/check", "openapi.json",
)  # fmt: skip
OPERATOR_API = (
    "status", "organisations", "organisations/acme", "organisations/acme/agents", "organisations/acme/export", "configuration",
    "tokens", "audit", "files/check", "openapi.json",
)  # fmt: skip
OPERATOR_COMMANDS = (
    ("status", "--json"), ("config", "show"), ("org", "list", "--json"), ("org", "agents", "acme"), ("check",),
)  # fmt: skip
COMMANDS = (
    ("status",), ("status", "--json"), ("config", "show"), ("touchpoint", "list", "--json"), ("events", "list", "--json"),
    ("export", "deliveries", "--format", "csv"), ("touchpoint", "test", "orders"), ("touchpoint", "test", "stock", "--deliver"),
    ("alerts", "test"), ("backup", "--json"), ("check",), ("paths",),
)  # fmt: skip


@pytest.fixture
def agent(tmp_path: Path, free_port: Callable[[], int], destination: Destination) -> Iterator[Hookport]:
    """An agent full of planted secrets, not started yet."""
    made = Hookport(tmp_path, port=free_port(), admin=free_port(), environment=ENVIRONMENT)
    made.command = CRASHING
    made.configure(configuration(destination.port, free_port()))
    (tmp_path / "planted.secret").write_text(PLANTED["from file"], encoding="utf-8")
    yield made
    made.close()


def lived(agent: Hookport, search: Search) -> None:
    """Events of every fate: delivered, failed, crashed, refused."""
    body = b'{"n":1}'
    for number, secret in enumerate((PLANTED["hmac"], PLANTED["from env"], PLANTED["from file"])):
        assert (
            httpx.post(agent.url("orders"), content=body, headers=github(body, f"{number}", secret=secret)).status_code == 200
        )
    assert httpx.post(agent.url("stock"), content=body, headers={"x-stock-token": PLANTED["token"]}).status_code == 200
    assert httpx.post(agent.url("stock"), content=body, headers={"x-stock-token": "wrong"}).status_code == 401
    asked = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": PLANTED["verify_token"]}
    assert httpx.get(agent.url("chat"), params=asked).text == "42"
    agent.await_status(lambda status: status["backlog"]["inbox"] == 0 and status["backlog"]["outbox"] == 6)
    for command in COMMANDS:
        search.text(f"hookport {' '.join(command)}", said(agent.run(*command)))
    search.processes()


def said(done: CompletedProcess[str]) -> str:
    """Both of a command's streams."""
    return done.stdout + done.stderr


def answers(agent: Hookport, search: Search) -> None:
    """Every answer of the API to reading."""
    with agent.api() as api:
        for path in API:
            search.text(path, api.get(f"/{path}").content)
        for one in api.get("/events").json()["events"]:
            search.text(f"event {one['id']}", api.get(f"/events/{one['id']}").content)


def pages(agent: Hookport, search: Search) -> None:
    """Every screen that a person comes to by links, and the bundle for support."""
    link = agent.run("admin", "reset").stdout.strip()
    own = {**OWN_FORM, "origin": f"http://127.0.0.1:{agent.admin}"}
    with httpx.Client(base_url=own["origin"], headers=TYPED, timeout=30) as person:
        form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
        assert person.post(link, data=form, headers=own).status_code == 303
        left, seen = ["/", "/settings/about/bundle.zip"], set[str]()
        while left:
            path = left.pop()
            shape = re.sub(r"[0-9A-Za-z]{26}|\d+", "#", path.partition("?")[0])
            if shape in seen or path.startswith(("/static", "/live")):
                continue
            seen.add(shape)
            answer = person.get(path, headers={"sec-fetch-site": "same-origin"})
            search.text(path, answer.content)
            left += LINK.findall(answer.text) if "html" in answer.headers.get("content-type", "") else []
    assert {"/touchpoints/orders", "/events/#", "/settings/alerts", "/settings/about/bundle.zip"} <= seen


def test_the_search_finds_what_is_there() -> None:
    """Else it would prove nothing."""
    search = Search()
    search.text("a file", f"x{PLANTED['chat']}y")
    search.text("another", b"harmless")
    assert search.found == ["chat in a file"]


def test_no_secret_stands_anywhere_in_clear(agent: Hookport, destination: Destination, tmp_path: Path) -> None:
    """Started, fed, failing, crashing, asked, shown, backed up, killed, put back."""
    search, destination.echoes = Search(), True
    agent.start()
    lived(agent, search)
    answers(agent, search)
    pages(agent, search)
    search.folder(agent.data)
    agent.kill()
    search.folder(agent.data)

    backup = next(iter((agent.data / "backups").glob("*.backup")))
    agent.data = tmp_path / "restored"
    done = agent.run("restore", str(backup), "--passphrase", "-", stdin=PLANTED["passphrase"])
    search.text("hookport restore", said(done))
    agent.start()
    agent.await_status(lambda status: bool(status["needs_you"]))
    agent.stop()
    search.folder(agent.data)
    search.text("stderr", (tmp_path / "stderr.log").read_bytes())
    assert [one for one in search.found if not CAME_ALONG.fullmatch(one)] == []
    assert search.looked > len(API) + len(COMMANDS)
    assert b"Traceback" in (tmp_path / "stderr.log").read_bytes()
    sent = unquote(" ".join(str(got.headers) for got in destination.got))
    assert PLANTED["header"] in sent  # so they were in use


@pytest.fixture
def site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A proxy and room for agents."""
    made = Site(tmp_path, free_port)
    yield made
    made.close()


def test_what_a_proxy_is_entrusted_with_stands_nowhere_in_clear(site: Site, tmp_path: Path, destination: Destination) -> None:
    """Codes, the recovery key, endpoint tokens, bodies, the operator's password, session and tokens: asked, shown, killed."""
    code = site.start()
    link = site.proxy.link
    agent = site.agent("one", '[agent]\nmode = "proxy"\n' + touchpoint("orders", destination.url))
    agent.start()
    key = site.pair(agent, code, "one").strip()
    assert RECOVERY_KEY.fullmatch(key)
    connected(agent)
    url, body = endpoint(agent, "orders"), b'{"planted":"planted-body-S3q9"}'
    paired = {"code": code, "recovery key": key, "bare key": key.replace("-", ""), "bare code": code.replace("-", "")}
    ours = Search(paired)
    answers(agent, ours)
    for command in (("status", "--json"), ("config", "show"), ("backup", "--json")):
        ours.text(" ".join(command), said(agent.run(*command)))
    assert agent.stop() == 0
    ours.folder(agent.data)
    ours.text("stderr", (tmp_path / "one" / "stderr.log").read_bytes())
    assert ours.found == []
    assert ours.looked > len(API)

    assert httpx.post(url, content=body, headers=github(body, "1")).status_code == 200
    opened = site.proxy.run("org", "code", "acme").stdout.strip()  # nobody uses it
    made = site.proxy.json("token", "add", "nagios")["token"]
    session, shown = operated(site.proxy, link)
    theirs = Search(
        {
            **paired,
            "open code": opened,
            "bare open code": opened.replace("-", ""),
            "endpoint token": url.rpartition("/")[2],
            "body": "planted-body-S3q9",
            "password": PASSWORD,
            "session": session,
            "token": made,
            "link": link.rpartition("/")[2],
        }
    )
    for where, content in shown.items():
        theirs.text(where, content)
    for asked in OPERATOR_COMMANDS:
        theirs.text(" ".join(asked), said(site.proxy.run(*asked)))
    theirs.processes()
    theirs.folder(site.proxy.data)
    site.proxy.kill()
    theirs.folder(site.proxy.data)
    theirs.text("stderr", site.proxy.log.read_bytes())
    assert theirs.found == []
    assert {"/", "/organisations/acme", "/organisations/acme/export.jsonl", "/settings/audit", "/api/v1/audit"} <= set(shown)


def operated(proxy: ProxyProcess, link: str) -> tuple[str, dict[str, bytes]]:
    """The operator's session, and every screen and answer that it comes to by links and addresses."""
    own = {**OWN_FORM, "origin": f"http://127.0.0.1:{proxy.admin}"}
    shown: dict[str, bytes] = {}
    with httpx.Client(base_url=own["origin"], headers={**TYPED, "sec-fetch-site": "same-origin"}, timeout=30) as person:
        form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
        assert person.post(link, data=form, headers=own).status_code == 303
        [session] = person.cookies.values()
        left = ["/", *(f"/api/v1/{path}" for path in OPERATOR_API)]
        while left:
            path = left.pop()
            if path in shown or path.startswith(("/static", "/live")):
                continue
            answer = person.get(path)
            shown[path] = answer.content
            left += LINK.findall(answer.text) if "html" in answer.headers.get("content-type", "") else []
    return session, shown
