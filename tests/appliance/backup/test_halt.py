"""A stop in the midst of a backup: it is broken off, and nobody else has the folder before its thread has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from appliance.backup.safekeeping import Safekeeping
from appliance.instance_lock import InstanceLock
from appliance.stopped import open_stopped
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


def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> tuple[Path, list[bool]]:
    """Where a backup that takes long works, and whether it was there when the folder was given back."""
    work, there, release = tmp_path / "data" / "spool" / "backup", list[bool](), InstanceLock.release

    def released(lock: InstanceLock) -> None:
        there.append(work.exists())
        release(lock)

    monkeypatch.setattr(f"store.sqlite.{module}.SELECT_SIZE", LONG)
    monkeypatch.setattr(InstanceLock, "release", released)
    return work, there


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
    work, there = watched(tmp_path, monkeypatch, module)
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


@pytest.mark.parametrize("module", ["backup", "backup_queue"])
async def test_so_does_a_command_on_a_stopped_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Ctrl-C in the midst of `hookport backup`, or `hookport proxy backup`."""
    work, there = watched(tmp_path, monkeypatch, module)
    async with open_stopped(tmp_path / "data", proxy=module == "backup_queue") as (app, token):
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # Litestar's type of an app
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            asked = asyncio.ensure_future(client.post("/api/v1/backups"))
            await until((work / "tried").exists)
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked
            assert work.exists()
    assert there == [False]
