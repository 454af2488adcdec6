"""Starting: what is said and done when something is not as it should be."""

import os
import socket
import stat
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.hookport import HURRIED, Hookport
from tests.whole.senders import github, touchpoint


def test_a_second_instance_exits_3_and_names_the_first(hookport: Hookport) -> None:
    """Two processes never share a data folder; the second names the first one's process and page."""
    hookport.start()
    second = hookport.run("run", "--admin", "127.0.0.1:0", "--no-browser")

    assert second.returncode == 3
    assert hookport.process is not None
    assert str(hookport.process.pid) in second.stderr
    assert f"http://127.0.0.1:{hookport.admin}" in second.stderr


def test_a_stale_running_file_after_a_kill_does_not_keep_it_from_starting(hookport: Hookport) -> None:
    """The lock dies with the process; what it wrote down is only a hint."""
    hookport.start()
    hookport.kill()
    assert hookport.json("status")["running"] is False

    hookport.start()
    assert hookport.json("status")["running"] is True
    assert hookport.stop() == 0
    assert not (hookport.data / "running.json").exists()
    assert not (hookport.data / "machine.token").exists()


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX; Windows has its own test of rights")
def test_the_data_folder_is_for_its_owner_alone(hookport: Hookport) -> None:
    """Made with 0700; one that others may enter is refused with the command that mends it."""
    hookport.start()
    hookport.stop()
    assert stat.S_IMODE(hookport.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((hookport.data / "secret.key").stat().st_mode) == 0o600

    hookport.data.chmod(0o755)
    refused = hookport.run("run", "--admin", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "chmod 700" in refused.stderr


def test_a_missing_key_file_stops_in_words(hookport: Hookport) -> None:
    """The key is never made anew while something is sealed under it."""
    hookport.configure(touchpoint("orders", "http://127.0.0.1:1/"))
    hookport.start()
    hookport.stop()
    (hookport.data / "secret.key").unlink()

    refused = hookport.run("run", "--admin", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "key_file_missing" in refused.stderr
    assert not (hookport.data / "secret.key").exists()


def test_a_missing_configuration_beside_other_files_stops_in_words(hookport: Hookport) -> None:
    """A lost configuration is not a new installation."""
    hookport.start()
    hookport.stop()
    (hookport.data / "configuration.db").unlink()

    refused = hookport.run("run", "--admin", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "configuration_missing" in refused.stderr


def test_a_corrupt_events_file_is_moved_aside_and_answered_503(hookport: Hookport, destination: Destination) -> None:
    """The file is never deleted; senders get 503 until a person chooses; the touchpoints still stand."""
    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()
    hookport.kill()
    (hookport.data / "events.db").write_bytes(b"this was a database once" * 1000)
    (hookport.data / "events.db-wal").write_bytes(b"x" * 100)
    hookport.start()

    answer = httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert len(list(hookport.data.glob("events.corrupt-*.db"))) == 1
    assert [need["code"] for need in hookport.status()["needs_you"]] == ["events_store_down"]
    assert [one["name"] for one in hookport.json("touchpoint", "list")["touchpoints"]] == ["orders"]
    assert hookport.stop() == 0
    hookport.start()
    assert httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a")).status_code == 503

    assert hookport.run("check", "--start-empty").returncode == 0
    assert httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a")).status_code == 200
    hookport.settled()
    assert [got.body for got in destination.got] == [b"x"]


def test_a_bad_file_stops_a_first_start_and_warns_at_a_later_one(hookport: Hookport, destination: Destination) -> None:
    """On a new data folder it exits 2; later the stored configuration runs, and status shows the errors."""
    hookport.config.write_text('[agent]\nmode = "sideways"\nport = 99999\n', encoding="utf-8")
    refused = hookport.run("run", "--admin", "127.0.0.1:0", "--config", str(hookport.config))
    assert refused.returncode == 2
    assert "agent.mode" in refused.stderr
    assert "agent.port" in refused.stderr
    for content, code in ((b"\xff", "document_not_utf8"), (b"this is not TOML", "toml_syntax")):
        hookport.config.write_bytes(content)
        refused = hookport.run("run", "--admin", "127.0.0.1:0", "--config", str(hookport.config))
        assert (refused.returncode, f"[{code}]" in refused.stderr, str(hookport.config) in refused.stderr) == (2, True, True)

    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()
    hookport.stop()
    hookport.config.write_text("this is not TOML", encoding="utf-8")
    hookport.start()
    status = hookport.status()
    assert [need["code"] for need in status["needs_you"]] == ["config_not_applied"]
    assert status["direct"]["state"] == "up"


def test_the_same_file_is_not_applied_twice(hookport: Hookport, destination: Destination) -> None:
    """`--config` is applied when its content is new; what was changed by other means since then stays."""
    hookport.configure(touchpoint("orders", destination.url))
    hookport.start()
    assert hookport.run("touchpoint", "rename", "orders", "sales").returncode == 0
    hookport.stop()
    hookport.start()

    assert [one["name"] for one in hookport.json("touchpoint", "list")["touchpoints"]] == ["sales"]
    assert httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a")).status_code == 200


def test_a_taken_port_keeps_the_api_up_and_is_bound_when_it_is_free(hookport: Hookport) -> None:
    """The public port may be somebody else's: the process still runs, names it, and tries again."""
    hookport.command = HURRIED
    hookport.configure(touchpoint("orders", "http://127.0.0.1:1/"))
    with socket.create_server(("127.0.0.1", hookport.port)):
        hookport.start()
        status = hookport.status()
        assert status["direct"]["state"] == "down"
        assert [need["code"] for need in status["needs_you"]] == ["listener_down"]
    hookport.await_status(lambda status: status["direct"]["state"] == "up")


def test_commands_work_on_a_stopped_agents_folder(hookport: Hookport, destination: Destination) -> None:
    """The same command reaches a running agent or opens the stopped one's files."""
    hookport.configure(touchpoint("orders", destination.url, 'state = "hold"'))
    hookport.start()
    httpx.post(hookport.url("orders"), content=b"x", headers=github(b"x", "a"))
    hookport.await_status(lambda status: status["backlog"]["held"] == 1)
    hookport.stop()

    assert hookport.run("status").returncode == 1
    assert len(hookport.json("events", "list")["events"]) == 1
    assert "held" in hookport.run("export", "deliveries", "--format", "csv").stdout
    assert hookport.json("events", "release", "--all")["changed"] == 1
    hookport.configure(touchpoint("orders", destination.url, 'state = "running"'))
    assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
    hookport.start()
    hookport.settled()
    assert [got.body for got in destination.got] == [b"x"]


def test_commands_without_a_data_folder_say_so(hookport: Hookport) -> None:
    """Asking about nothing makes nothing."""
    asked = hookport.run("events", "list")

    assert asked.returncode == 1
    assert "hookport run" in asked.stderr
    assert not Path(hookport.data).exists()
