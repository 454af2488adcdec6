"""The main job, on real input: signed webhooks in, safe on disk, delivered, exported."""

import csv
import io
import socket
import time

import httpx

from tests.whole.destination import Destination
from tests.whole.hookport import HURRIED, Hookport
from tests.whole.senders import github, touchpoint

AWKWARD = [
    b'{"a":1,"a":2}',
    b'\xef\xbb\xbf{"bom":true}',
    b'{"slash":"\\/","lone":"\\ud800","huge":1e400}',
    b"\x00\xff\xfe not json at all \r\n",
    b"",
    "ünïcödé ✓".encode(),
]


def test_the_bytes_that_arrive_are_the_bytes_that_were_sent(hookport: Hookport, destination: Destination) -> None:
    """Nothing is parsed and written anew on the way, whatever the body holds, and the sender's headers come along."""
    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()

    for number, body in enumerate(AWKWARD):
        answer = httpx.post(
            hookport.url("orders") + "?shop=7", content=body, headers={**github(body, f"d{number}"), "content-encoding": "br"}
        )
        assert (answer.status_code, answer.content) == (200, b"")
    hookport.settled()

    assert sorted(got.body for got in destination.got) == sorted(AWKWARD)
    first = destination.got[0]
    assert first.header("Hookport-Touchpoint") == "orders"
    assert first.header("Hookport-Event-Type") == "push"
    assert first.header("Hookport-Attempt") == "1"
    assert first.header("Hookport-Hop") == "1"
    assert first.header("X-GitHub-Event") == "push"
    assert first.header("Content-Encoding") == "br"


def test_a_thousand_events_survive_a_dead_destination_and_a_kill(hookport: Hookport, destination: Destination) -> None:
    """Stop the destination, post 1,000 events, kill -9, start both: all 1,000 arrive."""
    hookport.configure(touchpoint("orders", destination.url, '[touchpoint.retry]\nschedule = ["1s", "1s"]'))
    hookport.start()
    destination.stop()

    with httpx.Client() as sender:
        for number in range(1000):
            body = b'{"number":%d}' % number
            assert sender.post(hookport.url("orders"), content=body, headers=github(body, f"d{number}")).status_code == 200
    hookport.kill()
    destination.start()
    hookport.start()
    hookport.settled(seconds=50)

    assert {got.body for got in destination.got} == {b'{"number":%d}' % number for number in range(1000)}


def test_killed_in_the_middle_nothing_answered_is_lost(hookport: Hookport, destination: Destination) -> None:
    """Killed again and again under load, every event that was answered 200 arrives, at most repeated by its delivery id."""
    hookport.configure(touchpoint("orders", destination.url))
    accepted: set[bytes] = set()
    for round_ in range(4):
        hookport.start()
        deadline = time.monotonic() + 0.6
        with httpx.Client() as sender:
            for number in range(400):
                body = b'{"round":%d,"number":%d}' % (round_, number)
                if (
                    sender.post(hookport.url("orders"), content=body, headers=github(body, f"{round_}-{number}")).status_code
                    == 200
                ):
                    accepted.add(body)
                if time.monotonic() > deadline:
                    break
        hookport.kill()
    hookport.start()
    hookport.settled()

    assert len(accepted) > 100
    assert accepted <= {got.body for got in destination.got}
    ids = {got.header("Hookport-Delivery") for got in destination.got}
    assert len(ids) == len({got.body for got in destination.got})


def test_duplicates_run_once_and_filtered_types_do_not(hookport: Hookport, destination: Destination) -> None:
    """The same id runs once; the same unsigned id with another body is a new event; a type not asked for is only kept."""
    hookport.configure(touchpoint("orders", destination.url, 'events = ["push"]'))
    hookport.start()

    for body, delivery, event in ((b"1", "a", "push"), (b"1", "a", "push"), (b"2", "a", "push"), (b"3", "b", "star")):
        assert httpx.post(hookport.url("orders"), content=body, headers=github(body, delivery, event)).status_code == 200
    hookport.settled()

    assert sorted(got.body for got in destination.got) == [b"1", b"2"]
    rows = list(csv.DictReader(io.StringIO(hookport.run("export", "deliveries", "--format", "csv").stdout.lstrip("\ufeff"))))
    assert sorted(row["delivery_state"] for row in rows) == ["delivered", "delivered", "duplicate", "filtered"]


def test_refused_events_can_be_verified_again_and_run(hookport: Hookport, destination: Destination) -> None:
    """A wrong secret refuses with 401 and a sample; once the secret is right, the sample is verified again and delivered."""
    hookport.command = HURRIED
    hookport.configure(touchpoint("orders", destination.url).replace("It's a Secret to Everybody", "wrong"))
    hookport.start()
    assert httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a")).status_code == 401
    status = hookport.await_status(lambda status: status["needs_you"])
    assert [need["code"] for need in status["needs_you"]] == ["refused_events"]
    assert hookport.run("status").returncode == 1

    hookport.configure(touchpoint("orders", destination.url))
    assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
    dry = hookport.json("events", "verify", "--state", "refused", "--dry-run")
    assert (dry["changed"], len(destination.got)) == (1, 0)
    assert hookport.run("events", "verify", "--state", "refused").returncode == 0
    hookport.settled()
    assert [got.body for got in destination.got] == [b"x"]
    assert hookport.status()["needs_you"] == []


def test_given_up_events_wait_for_a_person(hookport: Hookport, destination: Destination) -> None:
    """Out of retries a delivery is given up and status says so; a replay runs it again and settles the old run."""
    hookport.configure(touchpoint("orders", destination.url, '[touchpoint.retry]\nschedule = ["1s"]'))
    hookport.start()
    destination.status = 422
    httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    status = hookport.await_status(lambda status: status["needs_you"])
    assert status["needs_you"][0] | {"text": "", "mend": ""} == {
        "code": "given_up",
        "count": 1,
        "text": "",
        "mend": "",
        "touchpoint": "orders",
        "destination": "erp",
    }

    destination.status = 200
    assert hookport.json("events", "replay", "--state", "given_up")["changed"] == 1
    hookport.settled()
    assert [got.header("Hookport-Attempt") for got in destination.got] == ["1", "2", "1"]
    assert hookport.status()["needs_you"] == []
    assert hookport.run("status").returncode == 0


def test_hold_and_release(hookport: Hookport, destination: Destination) -> None:
    """A touchpoint on hold accepts and keeps; taken off hold it lets everything go."""
    hookport.configure(touchpoint("orders", destination.url, 'state = "hold"'))
    hookport.start()
    httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    hookport.await_status(lambda status: status["backlog"]["held"] == 1)
    assert destination.got == []

    hookport.configure(touchpoint("orders", destination.url, 'state = "running"'))
    assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
    hookport.settled()
    assert [got.body for got in destination.got] == [b"x"]


def test_a_dead_destination_does_not_delay_another(hookport: Hookport, destination: Destination) -> None:
    """With thousands waiting for a dead destination, a living one still gets its events at once."""
    hookport.configure(
        touchpoint("dead", "http://127.0.0.1:1/") + touchpoint("living", destination.url),
    )
    hookport.start()
    with httpx.Client() as sender:
        for number in range(300):
            sender.post(hookport.url("dead"), content=b"x", headers=github(b"x", f"d{number}"))
        sender.post(hookport.url("living"), content=b"y", headers=github(b"y", "a"))
    status = hookport.await_status(
        lambda status: status["needs_you"] and destination.got and status["backlog"]["outbox"] == 300
    )

    assert [got.body for got in destination.got] == [b"y"]
    assert [need["code"] for need in status["needs_you"]] == ["destination_down"]
    assert status["backlog"]["outbox"] == 300


def test_a_destination_that_is_our_own_listener_does_not_loop_for_ever(hookport: Hookport) -> None:
    """A touchpoint that posts back to itself stops after eight hops, given up for a person to see."""
    hookport.configure(
        f'[[touchpoint]]\nname = "loop"\nprovider = "generic"\nsecrets = []\n[touchpoint.verify]\nscheme = "none"\n'
        f'allow_unsigned = true\n[[touchpoint.destination]]\nkind = "http"\nurl = "{hookport.url("loop")}"\n'
    )
    hookport.start()
    httpx.post(hookport.url("loop"), content=b"x")
    hookport.await_status(
        lambda status: status["needs_you"] and status["backlog"]["outbox"] == 0 and status["backlog"]["inbox"] == 0
    )

    assert 8 <= len(hookport.json("events", "list")["events"]) <= 9


def test_sigterm_ends_within_ten_seconds_and_the_cut_off_attempt_repeats(hookport: Hookport) -> None:
    """A destination that hangs does not hold up the end; what was cut off is unknown, and repeats."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hookport.configure(touchpoint("orders", f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        hookport.start()
        httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
        silent.settimeout(10)
        silent.accept()[0].close()
        connection, _ = silent.accept()
        began = time.monotonic()
        code = hookport.stop()
        connection.close()

    assert code == 0
    assert time.monotonic() - began < 10
    hookport.start()
    assert hookport.status()["backlog"]["outbox"] == 1


def test_events_are_found_by_reference_and_shown(hookport: Hookport, destination: Destination) -> None:
    """ "Did order 1042 arrive?" is answered by the reference, with headers, attempts and answers."""
    hookport.configure(touchpoint("orders", destination.url, 'reference = "json:/order_number"'))
    hookport.start()
    for number in (1041, 1042):
        body = b'{"order_number":%d}' % number
        httpx.post(hookport.url("orders"), content=body, headers=github(body, str(number)))
    hookport.settled()

    listed = hookport.json("events", "list", "--reference", "1042")["events"]
    assert [event["reference"] for event in listed] == ["1042"]
    shown = hookport.json("events", "show", listed[0]["id"])
    assert '"order_number":1042' in str(shown)
    assert "1042" in hookport.run("events", "show", listed[0]["id"]).stdout
