"""A proxy's backup, put back: nothing of it is lost, no number is used again, and what may be wrong with it is told."""

import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance import proxy_link
from appliance.backup.backups import Kept
from appliance.backup.of_agent import AgentRestore
from appliance.backup.of_proxy import ProxyRestore
from appliance.backup.restore import RoleRestore, Wanted, restore
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.proxy.server import FREE_DISK
from store.remote_errors import RemoteError
from store.sqlite.database import pragma_number
from tests.appliance.agents import agent_over
from tests.chaos.restored import proxy_back, restore_proxy
from tests.chaos.scene import scene, until
from tests.store.upgrades import newer
from tests.web.proxy.kit import MACHINE, Puller, Site, proxy_over
from touchpoints.moment import DAY
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio
BACKUP = '[backup]\nat = ""\npassphrase = "seven lazy herons"\n'


async def put_back(folder: Path, archive: str, role: RoleRestore, **key: Any) -> None:
    """Put a backup into a folder."""
    wanted = Wanted(archive=Path(archive), **key)
    await restore(DataFolder(path=folder), wanted, role, environment={}, clock=Clock(), told=lambda _n: None)


async def codes(site: Site) -> dict[str, Any]:
    """What needs the operator, by code."""
    return {need["code"]: need for need in (await site.role.control.status())["needs_you"]}


async def taken(puller: Puller, count: int) -> list[tuple[int, bytes]]:
    """Pull and acknowledge so many events; their numbers and bodies."""
    batch = await puller.pull(limit=count)
    found = [(one.seq, event.body) for one, event in zip(batch.messages, puller.opened(batch), strict=True)]
    if found:
        assert (await puller.acknowledge()).accepted
    return found


async def test_a_lost_proxy_goes_on_elsewhere(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """What waited is there, the agent's key still opens, numbers and epochs go on beyond all that were given; it is said."""
    port = free_port()
    async with proxy_over(tmp_path / "proxy", port, settings=BACKUP) as site:
        puller = await site.tenant("acme")
        for number in range(5):
            await site.post(puller, body=b"before %d" % number)
        numbers = [seq for seq, _ in await taken(puller, 2)]
        await site.organisation("gone")
        code = (await site.role.control.code("acme", replaces="", actor=MACHINE)).text
        made = await site.role._safekeeping.make(actor=MACHINE)
        assert (made["waiting"], made["organisations"], made["agents"], made["with_key"]) == (3, 2, 1, True)
        second = await site.join(code, name="spare")
        await site.role.control.revoke("acme", "spare", actor=MACHINE)
        await site.role.control.remove("gone", actor=MACHINE)
        numbers += [seq for seq, _ in await taken(puller, 2)]
        assert (await site.post(puller, body=b"lost")).status_code == 200
        before = (puller.incarnation, puller.epoch)
        with pytest.raises(ProblemError) as caught:
            await put_back(tmp_path / "proxy", made["file"], ProxyRestore())
        assert caught.value.problems[0].code == "restore_running"
    shutil.copy(made["file"], tmp_path)
    shutil.rmtree(tmp_path / "proxy")
    archive = str(tmp_path / Path(made["file"]).name)

    await put_back(tmp_path / "elsewhere", archive, ProxyRestore(), passphrase="seven lazy herons")
    async with proxy_over(tmp_path / "elsewhere", port) as site:
        for agent in (puller, second):
            agent.remote.use_client(site.http)
        found = await codes(site)
        assert "2 organisations and 1 agents" in found["proxy_put_back"]["text"]
        assert found["queue_gap"]["organisation"] == "acme"
        assert [body for _, body in await taken(puller, 9)] == [b"before 2", b"before 3", b"before 4"]
        assert puller.incarnation != before[0]
        assert puller.epoch > before[1] + 1_000_000
        assert (await site.post(puller, body=b"after")).status_code == 200
        ((seq, body),) = await taken(puller, 9)
        first, last = (await site.role.control.organisation("acme")).gap or (0, 0)
        assert (body, first) == (b"after", 6)
        assert seq > last > max(numbers) + 1_000_000
        with pytest.raises(RemoteError):
            await site.join(code, name="with a code that was used")
        with pytest.raises(RemoteError):
            await second.pull()
        for _ in range(2):
            assert (await site.role._safekeeping.looked(actor=MACHINE))["restored"] is None
        assert {"proxy_put_back", "queue_gap"} & (await codes(site)).keys() == set()
        assert (await site.role.control.organisation("acme")).gap == (
            first,
            last,
        )  # still on its own screen, and told to agents
        actions = [line.action for _, line in await site.role.opened.people.audited(limit=50)]
        assert (actions.count("backup.restore"), actions.count("backup.looked")) == (1, 1)


def versions(folder: Path) -> list[int]:
    """The schema numbers of both files."""
    numbers = []
    for name in ("configuration.db", "queue.db"):
        with closing(sqlite3.connect(folder / name)) as db:
            numbers.append(pragma_number(db, "user_version"))
    return numbers


async def caught_up(site: Site) -> None:
    """Wait until senders are answered, and nothing is left of the upgrade."""
    await until(lambda: site.role.opened.usable is not None and not site.role._safekeeping.owes_one)


async def test_an_upgrade_begins_with_a_backup_that_the_older_program_takes(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Once an upgrade, of all as it was; the older program puts it back, and what waited is pulled from it."""
    port, data = free_port(), tmp_path / "proxy"
    async with proxy_over(data, port) as site:
        puller = await site.tenant("acme")
        for number in range(3):
            await site.post(puller, body=b"before %d" % number)
        await taken(puller, 1)
    kept: Sequence[Kept] = ()
    with newer("proxy", "queue"):
        for turn in range(3):
            async with proxy_over(data, port) as site:
                await site.role.catch_up()
                await caught_up(site)
                kept = site.role._safekeeping.backups.kept()
                if not turn:
                    await site.organisation("newer")
    assert (versions(data), len(kept)) == ([3, 3], 1)
    with pytest.raises(ProblemError, match="Start the newer Hookport again"):
        async with proxy_over(data, port):
            pass
    with zipfile.ZipFile(kept[0].path) as archive:
        archive.extractall(tmp_path / "looked")
    assert versions(tmp_path / "looked") == [1, 1]
    await put_back(data, str(kept[0].path), ProxyRestore())
    async with proxy_over(data, port) as site:
        puller.remote.use_client(site.http)
        assert [one.name for one in site.role.configuration.organisations] == ["acme"]
        assert [body for _, body in await taken(puller, 9)] == [b"before 1", b"before 2"]


@pytest.mark.parametrize("kind", ["proxy", "queue"])
async def test_either_file_alone_is_backed_up_before_it_is_upgraded(
    tmp_path: Path, free_port: Callable[[], int], kind: str
) -> None:
    """A cut-off upgrade makes no second one; who wants no backup by itself gets none here either."""
    data = tmp_path / "proxy"
    async with proxy_over(data, free_port()):
        pass
    with newer(kind):
        for _ in range(2):
            async with proxy_over(data, free_port()) as site:
                await caught_up(site)
                assert len(site.role._safekeeping.backups.kept()) == 1
    async with proxy_over(tmp_path / "none", free_port(), settings=BACKUP):
        pass
    with newer(kind):
        async with proxy_over(tmp_path / "none", free_port()) as site:
            await caught_up(site)
            assert site.role._safekeeping.backups.kept() == []


async def test_neither_role_takes_a_backup_of_the_other(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Said in words, and the folder is as it was."""
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        of_proxy = await site.role._safekeeping.make(actor=MACHINE)
    async with agent_over(tmp_path / "agent", start=False) as agent:
        of_agent = await agent._safekeeping.make(actor=MACHINE)
    roles: tuple[tuple[dict[str, Any], RoleRestore, str], ...] = (
        (of_proxy, AgentRestore(), "backup_of_proxy"),
        (of_agent, ProxyRestore(), "backup_of_agent"),
    )
    for made, role, code in roles:
        with pytest.raises(ProblemError) as caught:
            await put_back(tmp_path / "new", made["file"], role)
        assert caught.value.problems[0].code == code
        assert not (tmp_path / "new").exists()
    await put_back(tmp_path / "proxy", of_proxy["file"], ProxyRestore())
    aside = sorted(path.name.partition(".before-restore-")[0] for path in (tmp_path / "proxy").glob("*.before-restore-*.db"))
    assert aside == ["configuration", "queue"]


async def test_without_the_key_nothing_is_touched(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The agents pin what it seals: another key is refused, the old file or the passphrase opens."""
    async with proxy_over(tmp_path / "proxy", free_port(), settings=BACKUP) as site:
        made = await site.role._safekeeping.make(actor=MACHINE)
    wrong = tmp_path / "wrong.key"
    wrong.write_text(os.urandom(32).hex())
    for key, code in (
        ({}, "backup_key_needed"),
        ({"passphrase": "seven lazy herring"}, "backup_passphrase_wrong"),
        ({"key_file": wrong}, "backup_key_wrong"),
    ):
        with pytest.raises(ProblemError) as caught:
            await put_back(tmp_path / "new", made["file"], ProxyRestore(), **key)
        assert caught.value.problems[0].code == code
        assert not (tmp_path / "new" / "configuration.db").exists()
    await put_back(tmp_path / "new", made["file"], ProxyRestore(), key_file=tmp_path / "proxy" / "secret.key")
    assert (tmp_path / "new" / "secret.key").read_text() == (tmp_path / "proxy" / "secret.key").read_text()


async def test_a_key_that_opens_nothing_of_it_makes_no_backup(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The key file was exchanged while the proxy ran: told at once, not when a backup is put back."""
    async with proxy_over(tmp_path / "proxy", free_port(), settings=BACKUP) as site:
        key = tmp_path / "proxy" / "secret.key"
        own = key.read_text()
        key.write_text(f"{bytes(32).hex()}\n")
        with pytest.raises(ProblemError) as caught:
            await site.role._safekeeping.make(actor=MACHINE)
        assert caught.value.problems[0].code == "backup_own_key_wrong"
        assert site.role._safekeeping.backups.kept() == []
        assert "another key" in (await codes(site))["backup_failed"]["text"]
        key.write_text(own)
        assert (await site.role._safekeeping.make(actor=MACHINE))["with_key"]
        assert "backup_failed" not in await codes(site)


async def test_one_is_made_while_senders_post_and_a_failure_needs_the_operator(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within minutes of the first start; without room none is made, and it is told until there is."""
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        puller = await site.tenant("acme")
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr("appliance.backup.backups.shutil.disk_usage", lambda _path: usage._replace(free=1000))
        await site.role._safekeeping.backups.when_due()
        assert "backup_no_room" in await codes(site)
        nearly = usage._replace(free=FREE_DISK + 1000)  # below it senders are turned away
        monkeypatch.setattr("appliance.backup.backups.shutil.disk_usage", lambda _path: nearly)
        with pytest.raises(ProblemError, match="of free disk"):
            await site.role._safekeeping.backups.make()
        monkeypatch.undo()
        assert "backup" in {job.name for job in site.role._schedule._scheduler.get_jobs()}
        for number in range(3):
            assert (await site.post(puller, body=b"%d" % number)).status_code == 200
        (made, _) = await site.role._safekeeping.backups.make()
        assert made.path.name.startswith("hookport-proxy-")
        assert "backup_no_room" not in await codes(site)
        assert len(await taken(puller, 9)) == 3


async def test_what_only_the_lost_proxy_had_is_in_the_gap_and_nothing_else_is(tmp_path: Path) -> None:
    """Seen by a whole agent; what it pulled between backup and loss, and what it docked, is held by `build.py chaos`."""
    found = await proxy_back(tmp_path, by_command=True, pulled=3, unpulled=4)
    assert found.tried > 0
    assert found.good, found


async def test_an_agent_that_renewed_its_key_since_is_still_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It proves itself by the one before, and has a fresh one at once: nobody has to pair it again."""
    monkeypatch.setattr(proxy_link, "LOOK_EVERY", 0.05)
    async with scene(tmp_path) as made:
        house = await made.settle()
        sender, keys = made.sender(house), list[bytes]()

        def renewed() -> bool:
            pairing = house.agent.proxy.path.pairing
            assert pairing is not None
            keys.extend([pairing.signing_key] if pairing.signing_key not in keys else [])
            return len(keys) == wanted

        wanted = 1
        assert renewed()
        archive = (await made.site.role._safekeeping.make(actor=MACHINE))["file"]
        wanted, house.clock.wall = 2, 91 * DAY
        await until(renewed)
        await sender.insist(2)
        await made.ledger.arrived()
        await made.stop()
        await restore_proxy(tmp_path / "proxy", archive)
        await made.start()
        wanted = 3
        await until(renewed)
        await until(lambda: house.state == "connected")
        await sender.insist(2)
        found = await made.ledger.judge(waiting=made.waiting, seconds=10)
        assert (found.tried, found.good) == (4, True), found
