"""A loop whose time goes by only when nobody has anything to do: hours in a moment, and always in the same order."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from contextvars import Context, ContextVar
from typing import Any

NODE: ContextVar[str] = ContextVar("NODE", default="")  # whose work a task is


class _Idle(selectors.BaseSelector):
    """Waits for nothing: it moves the loop's time to the next moment that something is due."""

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, 0, events, data)
        self._map[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert self.loop is not None
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        if timeout > 0:
            self.loop.now += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._map


class VirtualLoop(asyncio.SelectorEventLoop):
    """No threads and no sockets; work for a thread is done on the spot."""

    def __init__(self) -> None:
        idle = _Idle()
        super().__init__(idle)
        idle.loop = self
        self.now = 0.0
        self.tasks_of: dict[str, set[asyncio.Task[Any]]] = {}
        self.set_task_factory(self._made)

    def time(self) -> float:
        return self.now

    def run_in_executor(  # type: ignore[override]  # its generic form adds nothing here
        self,
        executor: Any,  # noqa: ARG002 - there is no other thread
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # it is whoever waits for it that it belongs to
            done.set_exception(error)
        return done

    def _made(self, loop: asyncio.AbstractEventLoop, coro: Any, *, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
        node = context.get(NODE, "") if context is not None else NODE.get()
        mine = self.tasks_of.setdefault(node, set())
        mine.add(task)
        task.add_done_callback(mine.discard)
        return task
