"""A stop in the midst of a backup: it is broken off, and nobody else has the folder before its thread has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from appliance.backup.safekeeping import Safekeeping
from appliance.instance_lock import InstanceLock
from tests.appliance.agents import MACHINE, agent_over
from tests.appliance.stage import until
from tests.web.proxy.kit import proxy_over
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

# Half a minute for SQLite, where nobody interrupts it.
LONG = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000000) SELECT count(*) FROM c"


@asynccontextmanager
async def living(role: str, folder: Path, port: int) -> AsyncIterator[Safekeeping]:
    """A started agent's, or proxy's."""
    if role == "agent":
        async with agent_over(folder) as agent:
            yield agent._safekeeping
    else:
        async with proxy_over(folder, port) as site:
            yield site.role._safekeeping


@pytest.mark.parametrize(("role", "module"), [("agent", "backup"), ("proxy", "backup_queue")])
@pytest.mark.parametrize("cancelled", [True, False], ids=["by the schedule", "by a person"])
async def test_the_folder_is_given_back_after_its_thread_has_ended(
    tmp_path: Path,
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    module: str,
    cancelled: bool,
) -> None:
    """Another start would sweep away what the thread works on; whoever asked for the backup is told."""
    work, there, release = tmp_path / "data" / "spool" / "backup", list[bool](), InstanceLock.release

    def released(lock: InstanceLock) -> None:
        there.append(work.exists())
        release(lock)

    monkeypatch.setattr(f"store.sqlite.{module}.SELECT_SIZE", LONG)
    monkeypatch.setattr(InstanceLock, "release", released)
    async with living(role, tmp_path / "data", free_port()) as safekeeping:
        asked = asyncio.ensure_future(safekeeping.make(actor=MACHINE))
        await until((work / "tried").exists)
        if cancelled:
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked
            assert work.exists()
    assert there == [False]
    assert safekeeping.backups.kept() == []
    assert safekeeping.backups.trouble is None
    if not cancelled:
        with pytest.raises(ProblemError, match="about to stop"):
            await asked
