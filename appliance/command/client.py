"""Talking to the agent: the running one over its page's port, a stopped one in this process; the same API."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast
from urllib.parse import quote

from appliance.data_folder import DataFolder
from appliance.running import Running, read_running
from touchpoints.problem import Problem, ProblemError, problem

if TYPE_CHECKING:  # httpx takes a quarter of a second to import, which `--version` need not wait for
    import httpx

T = TypeVar("T")
Json = dict[str, Any]

# Applying a configuration and delivering a test take their time.
_PATIENCE = 120.0
_KNOCK = 5.0
_STARTING = 15.0  # seconds for a process that holds the folder to answer: it starts, or ends


class Turned(ProblemError):
    """The API did not do what was asked; `status` is its HTTP status."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(*problems)
        self.status = status


class Agent:
    """An agent to talk to."""

    def __init__(self, http: "httpx.AsyncClient", *, running: bool) -> None:
        self._http = http
        self.running = running

    async def ask(self, method: str, path: str, **options: Any) -> Json:
        """The JSON object at /api/v1 + path. Raises Turned with the problems the agent named."""
        return cast(Json, (await self.fetch(method, path, **options)).json())

    async def ask_long(self, method: str, path: str, **options: Any) -> Json:
        """As `ask`, for what takes the longer the more is stored: its answer is waited for however long that is."""
        import httpx

        return await self.ask(method, path, timeout=httpx.Timeout(_PATIENCE, read=None), **options)

    async def fetch(self, method: str, path: str, **options: Any) -> "httpx.Response":
        """The whole answer. Raises Turned."""
        import httpx

        try:
            answer = await self._http.request(method, f"/api/v1{path}", **options)
        except httpx.HTTPError as error:
            raise Turned(0, problem("agent_silent", why=str(error) or type(error).__name__)) from error
        if answer.is_success:
            return answer
        raise Turned(answer.status_code, *_problems(answer))

    async def save(self, path: str, file: BinaryIO) -> int:
        """Write an answer to a file as it comes, however long it is; its length. Raises Turned."""
        import httpx

        size = 0
        try:
            async with self._http.stream("GET", f"/api/v1{path}") as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise Turned(answer.status_code, *_problems(answer))
                async for piece in answer.aiter_bytes():
                    size += file.write(piece)
        except httpx.HTTPError as error:
            raise Turned(0, problem("agent_silent", why=str(error) or type(error).__name__)) from error
        return size


def segment(name: str) -> str:
    """A name as one segment of a path, dots included, so that `..` leads nowhere."""
    return quote(name, safe="").replace(".", "%2E")


def talk(
    folder: DataFolder, conversation: Callable[[Agent], Awaitable[T]], *, may_begin: bool = False, proxy: bool = False
) -> T:
    """Hold a conversation with the agent, or the proxy, of a folder. With `may_begin` the folder may be a new one (`proxy`: of
    a proxy)."""

    async def held() -> T:
        async with open_agent(folder, may_begin=may_begin, proxy=proxy) as agent:
            return await conversation(agent)

    return asyncio.run(held())


@asynccontextmanager
async def open_agent(folder: DataFolder, *, may_begin: bool = False, proxy: bool = False) -> AsyncIterator[Agent]:
    """The running agent, or the stopped one's folder opened here. Raises ProblemError when neither can be had."""
    async with AsyncExitStack() as stack:
        yield await _reached(stack, folder, may_begin=may_begin, proxy=proxy)


async def _reached(stack: AsyncExitStack, folder: DataFolder, *, may_begin: bool, proxy: bool) -> Agent:
    """Whoever has the folder. One that is just starting holds it, and answers only in a moment."""
    until = time.monotonic() + _STARTING
    while True:
        running = read_running(folder)
        if running is not None and await _answers(running):
            token = folder.machine_token.read_text(encoding="ascii")
            return Agent(await stack.enter_async_context(_client(running.page, token)), running=True)
        if not may_begin and not folder.path.is_dir():
            raise ProblemError(problem("no_data_folder", folder=folder.path))
        try:
            return Agent(await stack.enter_async_context(_stopped(folder, proxy=proxy)), running=False)
        except ProblemError as error:
            if error.problems[0].code != "already_running" or time.monotonic() > until:
                raise
        await asyncio.sleep(0.2)


async def _answers(running: Running) -> bool:
    """Whether somebody listens there; what a killed process left behind is no sign of life."""
    import httpx

    try:
        async with _client(running.page, "") as http:
            return (await http.get("/health", timeout=_KNOCK)).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


@asynccontextmanager
async def _client(page: str, token: str) -> AsyncIterator["httpx.AsyncClient"]:
    import httpx

    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=page, headers=headers, timeout=_PATIENCE, trust_env=False) as http:
        yield http


@asynccontextmanager
async def _stopped(folder: DataFolder, *, proxy: bool) -> AsyncIterator["httpx.AsyncClient"]:
    import httpx

    from appliance.stopped import open_stopped

    async with open_stopped(folder.path, proxy=proxy) as (app, token):
        transport = httpx.ASGITransport(cast(Any, app))
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers, timeout=None) as http:  # noqa: S113 - it is this process
            yield http


def _problems(answer: "httpx.Response") -> list[Problem]:
    try:
        return [Problem(one["code"], one["text"], one["mend"], one["path"]) for one in answer.json()["problems"]]
    except (ValueError, KeyError, TypeError):
        return [problem("agent_strange", status=answer.status_code)]
