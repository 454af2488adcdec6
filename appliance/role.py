"""The role of a process: a client's agent or a hosted proxy. What starting, stopping and commands need of either."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from litestar import Litestar

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from store.configuration import Actor, Document
from store.door import Door
from store.people import People
from store.settings import PageSettings
from touchpoints.problem import Problem
from web.listener.certificate import Certificate
from web.page.setup_link import SetupLink


class OpenFolder(Protocol):
    """An opened data folder of whichever role."""

    @property
    def folder(self) -> DataFolder:
        """Where it is."""

    @property
    def people(self) -> People:
        """Who may sign in."""

    @property
    def door(self) -> Door:
        """Who has signed in."""

    async def close(self) -> None:
        """Commit what is queued, close the files, give back the lock."""


class Role(Protocol):
    """A role over an opened data folder: `start` makes it live; without that it only answers commands."""

    machine_token: str
    link: SetupLink
    page: str | None  # the page's address while the process runs
    loopback: str | None  # its address for commands and setup links, on this machine only
    not_applied: tuple[Problem, ...]  # what is wrong with --config, while the stored configuration runs
    local: Litestar  # the page and the JSON API

    @property
    def opened(self) -> OpenFolder:
        """The data folder."""

    @property
    def page_settings(self) -> PageSettings:
        """`[page]` as configured now."""

    @property
    def blank(self) -> bool:
        """Whether there is nothing to run by yet."""

    def serve_page_with(self, certificate: Certificate) -> None:
        """The page is served beyond loopback: keep its certificate fresh."""

    async def load(self) -> None:
        """Take up the stored configuration. Raises ProblemError."""

    async def last_applied(self) -> str:
        """SHA-256 hex of the last file applied by any means."""

    async def apply(self, document: Document, *, base: str, digest: str, actor: Actor) -> tuple[Problem, ...]:
        """Apply a document; with problems nothing was changed."""

    async def catch_up(self) -> None:
        """Bring up to date what an older program left, however long that takes; a process that runs does so by itself."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self, *, grace: float) -> None:
        """Accept nothing more, let what is under way end within `grace` seconds. The folder stays open."""

    async def break_off(self) -> None:
        """End a backup that is being made, before the folder is closed: its thread works in there. Part of `stop`."""

    def told(self) -> Sequence[tuple[str, str]]:
        """What a person is told at start, as (what, how it stands)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A sort of role: its data folder's name, and how it is opened over a folder."""

    name: str  # agent | proxy
    folder: str  # hookport | hookport-proxy
    port: int  # of the page, where none is given
    open: Callable[[DataFolder, Clock, Mapping[str, str], Redactor], Awaitable[Role]]
