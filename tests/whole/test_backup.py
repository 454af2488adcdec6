"""Backups of the real process: made while it works, put back elsewhere, and nothing is delivered twice unasked."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.hookport import HURRIED, Hookport
from tests.whole.senders import github, touchpoint

PASSPHRASE = "seven lazy herons"
BACKUP = f'[backup]\npassphrase = "{PASSPHRASE}"\n'


@pytest.fixture
def other(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Hookport]:
    """Another machine."""
    (tmp_path / "other").mkdir()
    made = Hookport(tmp_path / "other", port=free_port(), admin=free_port())
    yield made
    made.close()


def send(hookport: Hookport, *deliveries: str) -> list[int]:
    """Post an event for each id."""
    return [
        httpx.post(hookport.url("orders"), content=name.encode(), headers=github(name.encode(), name)).status_code
        for name in deliveries
    ]


def made_from(hookport: Hookport, destination: Destination) -> Path:
    """A backup of an agent that delivered `a`, and could not deliver `b` and `c` any more."""
    hookport.configure(touchpoint("orders", destination.url), agent=BACKUP)
    hookport.start()
    assert send(hookport, "a") == [200]
    hookport.settled()
    destination.status = 503
    assert send(hookport, "b", "c") == [200, 200]
    hookport.await_status(lambda status: status["backlog"]["outbox"] == 2)
    return Path(hookport.json("backup")["file"])


def test_a_lost_machine_is_put_back_and_delivers_nothing_unasked(
    hookport: Hookport, other: Hookport, destination: Destination
) -> None:
    """What waited is held and told; released it arrives; what was delivered before is remembered as a duplicate."""
    archive = made_from(hookport, destination)
    destination.status = 200
    destination.got.clear()
    hookport.settled()
    assert sorted(got.body for got in destination.got) == [b"b", b"c"]
    hookport.stop()

    done = other.run("restore", str(archive), "--passphrase", "-", "--json", stdin=PASSPHRASE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["waiting"] == 2
    other.port, other.command = hookport.port, HURRIED
    other.start()
    (need,) = [one for one in other.await_status(lambda status: status["needs_you"])["needs_you"] if one["code"] == "restored"]
    assert need["count"] == 2
    assert send(other, "a") == [200]
    other.await_status(lambda status: status["backlog"]["inbox"] == 0)
    assert len(destination.got) == 2

    assert other.run("events", "release", "--all").returncode == 0
    other.settled()
    assert sorted(got.body for got in destination.got) == [b"b", b"b", b"c", b"c"]
    other.await_status(lambda status: [one["code"] for one in status["needs_you"]] == ["restored_nothing_held"])
    assert other.json("backup", "--looked")["restored"] is None
    assert other.status()["needs_you"] == []


def test_a_backup_needs_its_key(hookport: Hookport, other: Hookport, destination: Destination) -> None:
    """Without passphrase or key file nothing is touched; with the old key file it goes."""
    archive = made_from(hookport, destination)
    for arguments, stdin, code in (
        ((), "", "backup_key_needed"),
        (("--passphrase", "-"), "seven lazy herring", "backup_passphrase_wrong"),
        (("--key", str(other.config)), "", "key_file_missing"),
    ):
        refused = other.run("restore", str(archive), *arguments, stdin=stdin)
        assert refused.returncode != 0
        assert code in refused.stderr
        assert not (other.data / "configuration.db").exists()
    done = other.run("restore", str(archive), "--key", str(hookport.data / "secret.key"))
    assert done.returncode == 0, done.stderr
    assert other.run("config", "show").returncode == 0


def test_what_is_there_is_moved_aside_and_a_running_agent_is_left_alone(hookport: Hookport, destination: Destination) -> None:
    """Nothing is deleted, and nothing is put under a process that runs."""
    archive = made_from(hookport, destination)
    assert send(hookport, "d") == [200]
    refused = hookport.run("restore", str(archive))
    assert (refused.returncode, "restore_running" in refused.stderr) == (1, True)
    hookport.stop()
    done = json.loads(hookport.run("restore", str(archive), "--json").stdout)
    assert {name.partition(".")[0] for name in done["aside"]} == {"events", "configuration"}
    assert all((hookport.data / name).exists() for name in done["aside"])
    listed = hookport.json("events", "list")["events"]
    assert len(listed) == 3


def test_a_damaged_backup_is_refused_whole(
    hookport: Hookport, other: Hookport, destination: Destination, tmp_path: Path
) -> None:
    """A changed byte, a file that is no backup, and one whose manifest lies."""
    archive = made_from(hookport, destination)
    whole = archive.read_bytes()
    middle = len(whole) // 2
    changed = tmp_path / "changed.backup"
    changed.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    nothing = tmp_path / "nothing.backup"
    nothing.write_bytes(b"PK\x03\x04rubbish")
    lying = tmp_path / "lying.backup"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(lying, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'"format": 1', b'"format": 2') if name == "manifest.json" else data)
    for bad in (changed, nothing, lying):
        refused = other.run("restore", str(bad), "--passphrase", "-", stdin=PASSPHRASE)
        assert refused.returncode == 1
        assert "backup_unreadable" in refused.stderr
        assert not (other.data / "configuration.db").exists()


def test_the_passphrase_and_the_secrets_are_nowhere_in_clear(hookport: Hookport, destination: Destination) -> None:
    """Neither in the backup, nor in the log, nor in what is shown."""
    archive = made_from(hookport, destination)
    with zipfile.ZipFile(archive) as backup:
        inside = b"".join(backup.read(name) for name in backup.namelist())
    shown = hookport.run("config", "show").stdout + hookport.stderr()
    for secret in (PASSPHRASE, "It's a Secret to Everybody", (hookport.data / "secret.key").read_text().strip()):
        assert secret.encode() not in inside
        assert secret not in shown
