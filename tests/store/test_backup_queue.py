"""Copies of a proxy's two files: all that waits and all that no agent settled, what is settled only where it is wanted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.backup import Counted
from store.configuration import Actor
from store.document import parse
from store.sqlite.backup_queue import SqliteProxyBackupFiles
from tests.store.organisations_kit import KEY, proxy_kit
from tests.store.queue_kit import ACME, NOW, OTHER, ROOMY, SqlitePlace, fill, kept, parcel, pulled, sqlite_place
from touchpoints.moment import SECOND
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio
FILES = SqliteProxyBackupFiles()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[SqlitePlace]:
    """The queue of a data folder with two organisations."""
    folder = tmp_path / "data"
    folder.mkdir()
    async with proxy_kit(folder) as kit:
        for name in ("acme", "other"):
            await kit.organisations.add(name, quota_events=None, quota_bytes=None, actor="ann", now=NOW)
    async with sqlite_place(folder) as made:
        yield made


def copied(place: SqlitePlace, name: str = "copy", *, settled: bool = False) -> tuple[Path, Counted, int]:
    """A copy of the data folder, what is counted in it, and the size that was told before."""
    folder, sizes = place.path.parent, list[int]()
    target = folder.parent / name
    target.mkdir()
    counted = FILES.copy(folder, target, settled=settled, room=sizes.append)
    return target, counted, sizes[0]


async def took(place: SqlitePlace, agent: str, to: int, *, settled: int) -> None:
    """An agent takes the lease, acknowledges up to a number, tells what it has settled, and goes."""
    lease = await place.queue.lease(ACME, agent, epoch=0, now=NOW)
    found = await place.queue.acknowledge(
        ACME, agent, incarnation=lease.incarnation, epoch=lease.epoch, to=to, now=NOW, steady=NOW
    )
    assert found.accepted
    await place.queue.settled(ACME, agent, settled=settled, unsettled=to - settled, now=NOW)
    await place.file.queue.flush()
    await place.queue.release(ACME, agent, epoch=lease.epoch)


async def test_what_waits_and_what_nobody_settled_goes_along(place: SqlitePlace) -> None:
    """Of what agents acknowledged only what they did not tell to have settled, each by its own word; the rest if asked."""
    await fill(place.queue, 10)
    await fill(place.queue, 2, organisation=OTHER)
    await took(place, "first", 4, settled=3)
    await took(place, "second", 7, settled=6)
    target, counted, _ = copied(place)
    assert counted == Counted(events=7, waiting=5, bodies=7, organisations=2)
    async with sqlite_place(target) as copy:
        assert [seq for seq, _ in await kept(copy.queue)] == [4, 7, 8, 9, 10]
        assert await pulled(copy.queue) == [(8, 8), (9, 9), (10, 10)]
        assert [(one.agent, one.events) for one in await copy.queue.unsettled(ACME)] == [("first", 1), ("second", 1)]
        assert (await copy.queue.backlogs()).keys() == {ACME, OTHER}
    _, counted, _ = copied(place, "whole", settled=True)
    assert (counted.events, counted.waiting) == (12, 5)


async def test_sealed_bytes_keys_and_digests_come_back_as_they_were(place: SqlitePlace) -> None:
    """Also an event that lies in several pieces."""
    for number, data in enumerate((b"", b"y" * 2_400_000), 1):
        await place.queue.put(parcel(number, data), ROOMY)
    before = await place.queue.pull(ACME, after=0, limit=9, max_bytes=2**40)
    target, _, size = copied(place)
    assert 2_400_000 < size < 2_800_000
    async with sqlite_place(target) as copy:
        assert await copy.queue.pull(ACME, after=0, limit=9, max_bytes=2**40) == before


async def test_a_copy_is_of_one_moment_while_senders_post(place: SqlitePlace) -> None:
    """The proxy goes on; what is counted in the copy is what counting finds there."""
    await fill(place.queue, 50)
    posting = asyncio.create_task(keep_posting(place))
    target, counted, _ = await asyncio.to_thread(copied, place)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    assert counted.waiting >= 50
    async with sqlite_place(target) as copy:
        assert len(await pulled(copy.queue)) == counted.waiting


async def keep_posting(place: SqlitePlace) -> None:
    """Events without end."""
    for number in range(100, 100_000):
        await place.queue.put(parcel(number), ROOMY)


async def test_what_is_damaged_or_an_agents_is_no_backup_of_a_proxy(place: SqlitePlace, tmp_path: Path) -> None:
    """Each is said in its code."""
    for number in range(1, 100):
        await place.queue.put(parcel(number, b"x" * 3000), ROOMY)
    target, counted, _ = copied(place)
    assert FILES.try_restore(target, now=NOW) == counted
    with (target / "queue.db").open("r+b") as damaged:
        damaged.seek(100_000)
        damaged.write(b"\xff" * 60_000)
    for name, code in (("copy", "store_corrupt"), ("swapped", "store_foreign")):
        if name == "swapped":
            (tmp_path / name).mkdir()
            (target / "queue.db").rename(tmp_path / name / "configuration.db")
        with pytest.raises(ProblemError) as caught:
            FILES.try_restore(tmp_path / name, now=NOW)
        assert caught.value.problems[0].code == code


async def test_a_configuration_that_was_put_back_lets_in_nobody_of_then(tmp_path: Path) -> None:
    """Open codes and sessions are gone, removed names still rest, and the deed is written down."""
    async with proxy_kit(tmp_path) as kit:
        for name in ("acme", "gone"):
            await kit.organisations.add(name, quota_events=None, quota_bytes=None, actor="ann", now=NOW)
        await kit.organisations.remove("gone", actor="ann", now=NOW)
        await kit.organisations.open_code("acme", find="FIND", secret="SECRET", replaces="", actor="ann", now=NOW)
        await kit.people.set_password("ann", "hash", now=NOW)
        await kit.door.open_session(b"digest", "ann", now=NOW)
        await kit.configuration.put_back(of=NOW - SECOND, now=NOW + SECOND)
        assert await kit.organisations.code("FIND", now=NOW + SECOND) is None
        assert await kit.door.session(b"digest", now=NOW + SECOND) is None
        assert await kit.configuration.fact("restored_of") == str(NOW - SECOND)
        assert (await kit.audited())[-1] == ("machine", "backup.restore", "2027-01-15T07:59:59.000000Z")
        with pytest.raises(ProblemError) as caught:
            await kit.organisations.add("gone", quota_events=None, quota_bytes=None, actor="ann", now=NOW + SECOND)
        assert caught.value.problems[0].code == "domain_rests"


async def test_the_passphrase_is_sealed_shown_as_a_fingerprint_and_read_anew(tmp_path: Path) -> None:
    """As an agent's: kept under --prune, from a variable or a file only by who is on the machine, cleared by an empty text."""
    machine, page = Actor(name="machine", machine=True), Actor(name="ann")

    async def applied(text: str, actor: Actor = machine, *, prune: bool = False, value: str = "seven lazy herons") -> list[str]:
        done = await kit.configuration.apply(
            parse(text.encode()),
            base=str(tmp_path),
            prune=prune,
            dry_run=False,
            actor=actor,
            environment={"PASSPHRASE": value},
            waiting={},
            now=NOW,
        )
        return [f"{one.path} {one.code}" for one in done.problems]

    async with proxy_kit(tmp_path) as kit:
        assert await applied('[backup]\npassphrase = "too short"') == ["backup.passphrase backup_passphrase_short"]
        assert await applied('[backup]\npassphrase = "env:PASSPHRASE"', page) == ["backup.passphrase needs_machine"]
        assert await applied(f'[backup]\nfolder = "{tmp_path.as_posix()}"', page) == ["backup.folder needs_machine"]
        assert await applied('[backup]\npassphrase = "env:PASSPHRASE"\nkeep = 3\nacknowledged = true') == []
        loaded = await kit.configuration.load({"PASSPHRASE": "eight lazy herons"})
        assert (loaded.backup.passphrase, loaded.backup.keep, loaded.backup.settled) == ("eight lazy herons", 3, True)
        assert [one.code for one in (await kit.configuration.load({})).warnings] == ["secret_stale"]
        shown = await kit.configuration.show()
        assert 'passphrase = "stored:' in shown
        assert "heron" not in shown
        assert list((await kit.configuration.secret_sources()).values()) == ["env:PASSPHRASE"]
        assert await applied("[server]\nmax_age_days = 9", prune=True) == []
        assert (await kit.configuration.load({})).backup.passphrase
        assert await applied(await kit.configuration.show()) == []
        assert await applied('[backup]\npassphrase = ""', page) == []
        assert (await kit.configuration.load({})).backup.passphrase == ""
        assert await kit.configuration.secret_sources() == {}
    assert b"lazy herons" not in (tmp_path / "configuration.db").read_bytes()
    async with proxy_kit(tmp_path, key=KEY[::-1]) as other:
        with pytest.raises(ProblemError, match="key_wrong"):
            await other.configuration.load({})
