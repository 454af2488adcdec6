"""Changing the configuration while traffic flows: nothing accepted is lost, old connections end in peace."""

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx
import pytest
import trustme

from tests.whole.destination import Destination
from tests.whole.hookport import Hookport
from tests.whole.senders import github, touchpoint


class Stream:
    """Posts one event after another until told to end, to whichever port answers; remembers what was accepted."""

    def __init__(self, ports: list[int], scheme: str = "http", verify: ssl.SSLContext | bool = True) -> None:
        self.accepted: list[bytes] = []
        self.broken: list[str] = []
        self._ports = ports
        self._scheme = scheme
        self._verify = verify
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(20)

    def _post(self) -> None:
        number = 0
        with httpx.Client(verify=self._verify, timeout=5) as sender:
            while not self._end.is_set() and number < 20_000:
                body = b"%d" % number
                number += 1
                for port in self._ports:
                    try:
                        url = f"{self._scheme}://127.0.0.1:{port}/hooks/orders"
                        answer = sender.post(url, content=body, headers=github(body, f"d{number}"))
                    except httpx.ConnectError:
                        continue
                    except httpx.HTTPError as error:
                        self.broken.append(repr(error))
                        continue
                    if answer.status_code == 200:
                        self.accepted.append(body)
                        break


def _arrived(hookport: Hookport, destination: Destination, stream: Stream) -> None:
    hookport.settled()
    assert set(stream.accepted) <= {got.body for got in destination.got}


def test_another_port_is_bound_while_traffic_flows(
    hookport: Hookport, destination: Destination, free_port: Callable[[], int]
) -> None:
    """Touchpoints, port and address change under load; a taken port changes nothing."""
    old, new = hookport.port, free_port()
    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()
    with Stream([old, new]) as stream:
        time.sleep(0.3)
        hookport.port = new
        hookport.configure(touchpoint("orders", destination.url) + touchpoint("more", destination.url))
        done = hookport.run("config", "apply", str(hookport.config))
        assert done.returncode == 0, done.stderr
        time.sleep(0.3)
        hookport.configure(touchpoint("orders", destination.url), agent='listen = "0.0.0.0"')
        hookport.config.write_text(hookport.config.read_text().replace('listen = "127.0.0.1"\n', "", 1))
        assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
        time.sleep(0.3)
        hookport.config.write_text(f"[agent]\nport = {destination.port}\n")
        refused = hookport.run("config", "apply", str(hookport.config))
        assert (refused.returncode, "port_taken" in refused.stderr) == (2, True)
        time.sleep(0.2)

    assert stream.broken == []
    assert hookport.status()["direct"]["address"] == f"0.0.0.0:{new}"
    assert len(stream.accepted) > 50
    _arrived(hookport, destination, stream)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{old}/health")


def test_a_certificate_is_renewed_while_traffic_flows(hookport: Hookport, destination: Destination, tmp_path: Path) -> None:
    """New files under the same names are taken up by themselves; a pair that does not fit keeps the old one."""
    authority = trustme.CA()
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"

    def issue() -> None:
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(key)
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    issue()
    tls = f"tls_certificate = '{certificate}'\ntls_key = '{key}'"
    hookport.configure(touchpoint("orders", destination.url), agent=tls)
    hookport.start()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Stream([hookport.port], "https", context) as stream:
        time.sleep(0.3)
        before = ssl.get_server_certificate(("127.0.0.1", hookport.port))
        issue()
        assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
        assert ssl.get_server_certificate(("127.0.0.1", hookport.port)) != before
        key.write_text("not a key")
        refused = hookport.run("config", "apply", str(hookport.config))
        assert hookport.status()["direct"]["state"] == "up", refused.stderr
        time.sleep(0.2)

    assert stream.broken == []
    assert len(stream.accepted) > 20
    _arrived(hookport, destination, stream)


def test_show_and_apply_round_trip_without_losing_a_secret(hookport: Hookport, destination: Destination) -> None:
    """What `config show` prints can be applied again: nothing changes, secrets are kept, none is shown."""
    hookport.configure(
        touchpoint("orders", destination.url, destination_more='auth = { type = "bearer", token = "t0ps3cret-token" }')
    )
    hookport.start()
    shown = hookport.run("config", "show").stdout
    assert "t0ps3cret-token" not in shown
    assert "Everybody" not in shown
    hookport.config.write_text(shown)
    applied = hookport.json("config", "apply", str(hookport.config), "--prune")
    assert applied["changes"] == []

    httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    hookport.settled()
    assert destination.got[0].header("authorization") == "Bearer t0ps3cret-token"
    assert hookport.run("config", "show").stdout == shown


def test_every_mistake_of_a_file_is_reported_at_once_and_nothing_changes(hookport: Hookport, destination: Destination) -> None:
    """Unknown keys, wrong types and contradictions come together, each with its path."""
    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()
    before = hookport.run("config", "show").stdout
    hookport.config.write_text(
        '[agent]\nprot = 1\nport = "x"\ntls_certificate = "/nowhere"\n[limits]\nbody = "lots"\n'
        '[[touchpoint]]\nname = "CON"\nprovider = "shopfy"\n[[touchpoint.destination]]\nkind = "http"\nurl = "ftp://x"\n'
    )
    refused = hookport.run("config", "apply", str(hookport.config))

    assert refused.returncode == 2
    for path in ("agent.prot", "agent.port", "limits.body", "provider", "url", "name"):
        assert path in refused.stderr, path
    assert hookport.run("config", "show").stdout == before


def test_nothing_with_undelivered_events_is_removed_without_saying_so(hookport: Hookport) -> None:
    """A touchpoint whose events wait is not removed, nor pruned."""
    hookport.configure(touchpoint("orders", "http://127.0.0.1:1/"))
    hookport.start()
    httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    hookport.await_status(lambda status: status["backlog"]["outbox"] == 1)

    assert "undelivered_events" in hookport.run("touchpoint", "remove", "orders").stderr
    hookport.config.write_text("[agent]\n")
    assert "undelivered_events" in hookport.run("config", "apply", str(hookport.config), "--prune").stderr
    assert hookport.json("events", "dismiss", "--all")["changed"] == 0  # pending is not dismissed by accident
    hookport.run("events", "give-up", "--all")
    hookport.run("events", "dismiss", "--all")
    assert hookport.run("touchpoint", "remove", "orders").returncode == 0
    assert hookport.run("export", "deliveries", "--format", "csv").stdout.count("orders") >= 1
