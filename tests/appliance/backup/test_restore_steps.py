"""A restore that is broken off at each of its steps: a start finds what was, what was put back, or is refused in words."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.backup.exchange import Exchange
from appliance.backup.of_agent import AgentRestore
from appliance.backup.of_proxy import ProxyRestore
from appliance.backup.restore import Restored, Wanted, restore
from appliance.clock import Clock
from appliance.command.root import hookport
from appliance.data_folder import DataFolder
from appliance.hops.drain import Drain
from appliance.opening import open_folder
from appliance.proxy.opening import open_proxy_folder
from appliance.restore_mark import RestoreMark, read_mark, write_mark
from store.inbox import StoreUnavailable
from store.vault import read_key_file
from tests.appliance.agents import MACHINE, TOUCHPOINT, agent_over, apply
from tests.store.make import arrival, query
from tests.web.proxy.kit import proxy_over
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

MOST = 60  # steps
STEPS = ((Path, "rename"), (Path, "replace"), (Path, "unlink"), (os, "open"), (os, "fdopen"), (os, "fsync"))


Found = tuple[str, frozenset[str]]  # whose a folder is, and the ids of its events


class Killed(BaseException):
    """The process ends here."""


class Steps:
    """Counts what an exchange does to the disk, and kills it before the step `last`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.done = 0
        self.last = last
        self.struck = False
        self._monkeypatch = monkeypatch

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Over one restore; only what its exchange does is counted."""
        honest = Exchange.make

        def make(made: Exchange, now: int) -> tuple[str, ...]:
            with self._monkeypatch.context() as patch:
                for owner, name in STEPS:
                    patch.setattr(owner, name, self._counted(getattr(owner, name)))
                return honest(made, now)

        with self._monkeypatch.context() as patch:
            patch.setattr(Exchange, "make", make)
            yield

    def _counted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        opens = step is os.fdopen

        def counted(*given: Any, **options: Any) -> Any:
            self.done += 1
            if self.done >= self.last:
                self.struck = True
                if opens:  # the file is there, and nothing is in it
                    os.close(given[0])
                raise Killed
            return step(*given, **options)

        return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A folder as a killed process left it, its log full, and an older backup of another machine, with another key."""

    role: str
    folder: Path
    archive: Path
    key: Path

    @property
    def events(self) -> tuple[str, str]:
        """The file of events, and what reads their ids."""
        return ("events.db", "SELECT id FROM events") if self.role == "agent" else ("queue.db", "SELECT id FROM messages")

    async def put_back(self, folder: Path) -> Restored:
        """The same restore each time."""
        return await restore(
            DataFolder(path=folder),
            Wanted(archive=self.archive, key_file=self.key),
            AgentRestore() if self.role == "agent" else ProxyRestore(),
            environment={},
            clock=Clock(),
            told=lambda _n: None,
        )

    async def strike(self, folder: Path, steps: Steps) -> bool:
        """Whether the restore was killed by it."""
        with steps.watching():
            try:
                await self.put_back(folder)
            except Killed:
                return True
        return False

    async def before_and_after(self, tmp_path: Path) -> tuple[Found, Found]:
        """What a start finds in the folder as it is, its log read, and once the backup was put back untouched."""
        assert (self.folder / f"{self.events[0]}-wal").stat().st_size > 0
        for name in ("before", "after"):
            shutil.copytree(self.folder, tmp_path / name)
        await self.put_back(tmp_path / "after")
        before, after = [await self.starts_with(tmp_path / name) for name in ("before", "after")]
        assert (before[0] != after[0], len(before[1]), len(after[1])) == (True, 2, 1)
        return before, after

    async def starts_with(self, folder: Path) -> Found:
        """Whose a folder is, and the events in it, once a start has opened it. Raises ProblemError."""
        data = DataFolder(path=folder)
        if self.role == "agent":
            agent = await open_folder(data, Clock())
            try:
                await agent.configuration.load({})
            finally:
                await agent.close()
        else:
            await (await open_proxy_folder(data, Clock())).close()
        return self.seen(folder / "configuration.db", folder / self.events[0])

    def seen(self, configuration: Path, events: Path) -> Found:
        """The instance's id and the events' ids."""
        ((instance,),) = query(configuration, "SELECT value FROM instance WHERE key = 'id'")
        return instance, frozenset(row[0] for row in query(events, self.events[1]))

    def aside(self, folder: Path) -> tuple[set[str], set[str], set[bytes]]:
        """All that lies aside: instances, events, keys."""
        instances, events = set[str](), set[str]()
        for path in folder.glob("configuration.before-restore-*.db"):
            instances |= {row[0] for row in query(path, "SELECT value FROM instance WHERE key = 'id'")}
        for path in folder.glob(f"{self.events[0].partition('.')[0]}.before-restore-*.db"):
            events |= {row[0] for row in query(path, self.events[1])}
        return instances, events, {path.read_bytes() for path in folder.glob("secret.before-restore-*.key")}


async def agents_case(tmp_path: Path) -> Case:
    """An agent's."""
    async with agent_over(tmp_path / "old", start=False) as agent:
        await apply(agent, TOUCHPOINT)
        await agent.opened.readable().inbox.put(arrival(1))
        made = await agent._safekeeping.make(actor=MACHINE)
    async with agent_over(tmp_path / "here", start=False) as agent:
        await apply(agent, TOUCHPOINT)
        for number in (2, 3):
            await agent.opened.readable().inbox.put(arrival(number))
        shutil.copytree(tmp_path / "here", tmp_path / "killed")
    return Case(role="agent", folder=tmp_path / "killed", archive=Path(made["file"]), key=tmp_path / "old" / "secret.key")


async def proxys_case(tmp_path: Path, free_port: Callable[[], int]) -> Case:
    """A proxy's."""
    async with proxy_over(tmp_path / "old", free_port()) as site:
        await site.post(await site.tenant("acme"))
        made = await site.role._safekeeping.make(actor=MACHINE)
    async with proxy_over(tmp_path / "here", free_port()) as site:
        puller = await site.tenant("acme")
        for _ in range(2):
            await site.post(puller)
        shutil.copytree(tmp_path / "here", tmp_path / "killed")
    return Case(role="proxy", folder=tmp_path / "killed", archive=Path(made["file"]), key=tmp_path / "old" / "secret.key")


@pytest.mark.parametrize("role", ["agent", "proxy"])
async def test_broken_off_anywhere_nothing_starts_on_half_of_it(
    tmp_path: Path, free_port: Callable[[], int], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its 1st, 2nd, 3rd … step, or twice, until it ends untouched; the same restore ends it, nothing is lost."""
    case = await (agents_case(tmp_path) if role == "agent" else proxys_case(tmp_path, free_port))
    before, after = await case.before_and_after(tmp_path)
    key, refused = (case.folder / "secret.key").read_bytes(), 0
    for last in range(1, MOST):
        folder = tmp_path / f"at-{last}"
        shutil.copytree(case.folder, folder)
        struck = await case.strike(folder, Steps(monkeypatch, last))
        if not struck:
            assert await case.starts_with(folder) == after
            break
        marked = read_mark(DataFolder(path=folder)) is not None
        if marked:
            with pytest.raises(ProblemError, match=f"Run hookport {'proxy ' * (role == 'proxy')}restore again"):
                await case.starts_with(folder)
            refused += 1
        else:
            assert await case.starts_with(folder) in (before, after), last
        if last % 2:
            await case.strike(folder, Steps(monkeypatch, last))
        marked = read_mark(DataFolder(path=folder)) is not None
        told = set((await case.put_back(folder)).aside)
        assert not marked or told == {path.name for path in folder.glob("*.before-restore-*")}, last
        assert await case.starts_with(folder) == after, last
        instances, events, keys = case.aside(folder)
        assert before[0] in instances, last
        assert before[1] <= events, last
        assert key in keys, last
        shutil.rmtree(folder)
    assert refused > 8
    assert last < MOST - 1


async def test_one_of_the_other_role_does_not_end_it(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Nor is a folder another role's because its events were just moved aside."""
    case = await proxys_case(tmp_path, free_port)
    folder = DataFolder(path=tmp_path / "agents")
    async with agent_over(folder.path, start=False):
        pass
    write_mark(folder, RestoreMark(role="agent"))
    folder.events.rename(folder.path / "events.before-restore-1.db")
    names = {path.name for path in folder.path.iterdir()}
    with pytest.raises(ProblemError, match="Run hookport restore again"):
        await case.put_back(folder.path)
    assert {path.name for path in folder.path.iterdir()} == names


async def test_either_command_ends_what_it_began(tmp_path: Path) -> None:
    """`hookport proxy restore` knows an agent's folder also in the midst of it; commands on the stopped folder are refused."""
    case = await agents_case(tmp_path)
    folder = DataFolder(path=case.folder)
    write_mark(folder, RestoreMark(role="agent", stamps=("1",)))
    folder.events.rename(folder.path / "events.before-restore-1.db")

    def run(*args: str) -> Any:
        return CliRunner().invoke(hookport, [*args, "--data-dir", str(folder.path)])

    refused = await asyncio.to_thread(run, "events", "list")
    assert (refused.exit_code, "[restore_unfinished]" in refused.stderr) == (1, True)
    ended = await asyncio.to_thread(run, "proxy", "restore", str(case.archive), "--key", str(case.key))
    assert ended.exit_code == 0, ended.stderr
    assert "events.before-restore-1.db-wal" in ended.stderr
    assert read_mark(folder) is None


def test_a_damaged_mark_still_is_one(tmp_path: Path) -> None:
    """Of whichever role the folder is."""
    folder = DataFolder(path=tmp_path)
    for content in (b"", b"{}", b"[]", b'{"role": 7, "stamps": 7}', b"\xff"):
        folder.restore_unfinished.write_bytes(content)
        assert read_mark(folder) == RestoreMark(role="agent")
    (tmp_path / "queue.db").touch()
    assert read_mark(folder) == RestoreMark(role="proxy")


async def test_a_key_that_cannot_be_read_makes_way(tmp_path: Path) -> None:
    """Half a key file, as one that was being written, or one that somebody damaged."""
    case = await agents_case(tmp_path)
    for content in (b"", b"half"):
        shutil.copytree(case.folder, tmp_path / "damaged")
        (tmp_path / "damaged" / "secret.key").chmod(0o600)
        (tmp_path / "damaged" / "secret.key").write_bytes(content)
        await case.put_back(tmp_path / "damaged")
        await case.starts_with(tmp_path / "damaged")
        assert case.aside(tmp_path / "damaged")[2] == {content}
        shutil.rmtree(tmp_path / "damaged")


async def test_who_is_interrupted_in_the_midst_of_it_ends_it_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C cancels: what is being moved must not lose what it moves, nor the folder its lock."""
    case = await agents_case(tmp_path)
    loop, moved = asyncio.get_running_loop(), 0

    def interrupted(source: Path, target: Path) -> None:
        nonlocal moved
        moved += 1
        if moved == 1:
            loop.call_soon_threadsafe(restoring.cancel)
            time.sleep(0.3)
        source.replace(target)

    monkeypatch.setattr("appliance.backup.exchange.put_in_place", interrupted)
    restoring = asyncio.ensure_future(case.put_back(case.folder))
    with suppress(asyncio.CancelledError):
        await restoring
    await asyncio.sleep(0.5)
    assert moved > 1
    assert read_mark(DataFolder(path=case.folder)) is None
    assert len((await case.starts_with(case.folder))[1]) == 1


async def test_what_stands_only_in_a_log_is_put_back_with_it(tmp_path: Path) -> None:
    """SQLite leaves a log behind, without a word, where it cannot empty it: a disk that is full, a file that is read."""
    case = await agents_case(tmp_path)
    folder, work = DataFolder(path=tmp_path / "new"), tmp_path / "work"
    folder.path.mkdir(mode=0o700)
    shutil.copytree(case.folder, work)
    assert (work / "events.db-wal").stat().st_size > 0
    Exchange(folder=folder, work=work, role="agent", key=read_key_file(work / "secret.key")).make(0)
    assert len((await case.starts_with(folder.path))[1]) == 2


async def test_a_disk_that_fills_up_meanwhile_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the folder is as it was."""
    case = await agents_case(tmp_path)

    async def full(_drain: Drain) -> int:
        raise StoreUnavailable("disk_full")

    monkeypatch.setattr(Drain, "once", full)
    with pytest.raises(ProblemError) as caught:
        await case.put_back(case.folder)
    assert caught.value.problems[0].code == "disk_full"
    assert read_mark(DataFolder(path=case.folder)) is None
    assert len((await case.starts_with(case.folder))[1]) == 2


async def test_a_disk_that_refuses_in_the_midst_of_it_is_told_with_what_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights alone would not mend it: until the same command has ended it nothing starts."""
    case = await agents_case(tmp_path)

    def refused(source: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(source))

    with monkeypatch.context() as patch:
        patch.setattr("appliance.backup.exchange.put_in_place", refused)
        with pytest.raises(ProblemError) as caught:
            await case.put_back(case.folder)
    assert [one.code for one in caught.value.problems] == ["data_folder_unusable", "restore_unfinished"]
    await case.put_back(case.folder)
    assert len((await case.starts_with(case.folder))[1]) == 1
