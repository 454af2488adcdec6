"""The network: requests straight to another node's app, on a line that loses, doubles, delays and cuts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar, copy_context
from typing import Any

import httpx

from tests.simulation.fate import Fate
from tests.simulation.loop import NODE

App = Callable[[Any, Any, Any], Awaitable[None]]
NUMBER: ContextVar[int] = ContextVar("NUMBER", default=0)  # of the webhook a request carries


class Wire(httpx.AsyncBaseTransport):
    """A line to one node."""

    def __init__(self, fate: Fate, listener: Callable[[], tuple[str, App] | None]) -> None:
        """`listener` gives the life that listens there and its app; None while nobody does."""
        self._fate = fate
        self._listener = listener

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        fate = self._fate
        await asyncio.sleep(fate.span(0.0005, 0.02))
        if fate.happens(fate.faults / 4, "a request was lost"):
            raise httpx.ConnectError("lost", request=request)
        if fate.happens(fate.faults / 8, "a request came twice"):
            await self._asked(request, body)
        if fate.happens(fate.faults / 8, "a request was late"):
            await asyncio.sleep(fate.span(1, 40))
        status, headers, answer = await self._asked(request, body)
        if fate.happens(fate.faults / 4, "an answer was lost"):
            raise httpx.ReadError("cut", request=request)
        if fate.happens(fate.faults / 8, "an answer was late"):
            await asyncio.sleep(fate.span(1, 40))
        if answer and fate.happens(fate.faults / 8, "half an answer"):
            return httpx.Response(
                status, headers=headers, stream=_Answer(answer[: len(answer) // 2], cut=True), request=request
            )
        return httpx.Response(status, headers=headers, stream=_Answer(answer, cut=False), request=request)

    async def _asked(self, request: httpx.Request, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        listener = self._listener()
        if listener is None:
            raise httpx.ConnectError("nobody listens", request=request)
        life, app = listener
        call = _Call(request, body)
        context = copy_context()
        context.run(NODE.set, life)
        task = asyncio.get_running_loop().create_task(call.run(app), context=context)
        try:
            await asyncio.wait((task,))
        finally:
            call.gone.set()  # who asked hangs up, or has its answer
        if task.cancelled() or not call.whole:
            raise httpx.ReadError("the other side is gone", request=request)
        task.result()
        return call.status, call.headers, call.body


class _Call:
    """One request at the app."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self.gone = asyncio.Event()
        self.status, self.body, self.whole = 0, b"", False
        self.headers: list[tuple[bytes, bytes]] = []
        self._sent = body
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("198.51.100.7", 40000),
            "server": ("127.0.0.1", 80),
            "extensions": {},
            "state": {},
        }

    async def run(self, app: App) -> None:
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._sent is not None:
            body, self._sent = self._sent, None  # type: ignore[assignment]  # given once
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
            self.whole = not message.get("more_body", False)


class _Answer(httpx.AsyncByteStream):
    """An answer's body, or what came of it before the line was cut."""

    def __init__(self, body: bytes, *, cut: bool) -> None:
        self._body = body
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        if self._cut:
            raise httpx.ReadError("cut")
