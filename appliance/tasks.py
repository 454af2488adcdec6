"""Background tasks: started in one place, kept from the garbage collector, their failures logged, ended together."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Tasks:
    """All long-lived tasks of the process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run in the background; a failure is logged, never silent."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)

    async def end(self, *names: str) -> None:
        """Cancel the named tasks (all when none is named) and wait for them."""
        mine = asyncio.current_task()
        ending = [task for task in self._running if task is not mine and (not names or task.get_name() in names)]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
