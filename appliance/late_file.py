"""A file of events that may come late: its disk failed when the process began, or an older program made it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import structlog

from appliance.clock import Clock
from store.inbox import StoreUnavailable
from store.sqlite.guarded_file import GuardedFile
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError

log = structlog.get_logger()

F = TypeVar("F", bound=GuardedFile)
F_co = TypeVar("F_co", bound=GuardedFile, covariant=True)

MIGRATING = "store_migrating"


class OpenFile(Protocol[F_co]):
    """How the file is opened; without `upgrade` an older one is left alone: store_migrating. Raises ProblemError."""

    async def __call__(self, *, upgrade: bool) -> F_co:
        """The opened file."""


async def nothing_before() -> None:
    """Where nothing is to be done before an older file is brought up to date."""


class LateFile(Generic[F]):
    """`file` is None, and `trouble` says why, for as long as it cannot be used at all; the process stands meanwhile."""

    def __init__(self, open_file: OpenFile[F], clock: Clock) -> None:
        self.file: F | None = None
        self.trouble: Problem | None = None
        self._open_file = open_file
        self._clock = clock
        self._opening = asyncio.Lock()
        self._not_before: Micros = 0

    @property
    def migrating(self) -> bool:
        """Whether an older file is being brought up to date, or is about to be."""
        return self.trouble is not None and self.trouble.code == MIGRATING

    @property
    def usable(self) -> F | None:
        """The file, unless it is damaged."""
        return self.file if self.file is not None and self.file.state != "corrupt" else None

    @property
    def problem(self) -> Problem | None:
        """What is wrong, for a person; None when it can be used."""
        return self.trouble or (self.file.problem if self.file is not None else None)

    def unavailable(self) -> StoreUnavailable:
        """Why it cannot be used now."""
        if self.file is None and self.trouble is not None:
            return StoreUnavailable(self.trouble.code, why=self.trouble)
        return StoreUnavailable("store_corrupt")

    async def look(self) -> None:
        """Open the file, unless an older program made it. Raises ProblemError(store_newer)."""
        await self._try(upgrade=False)

    async def open(self, before: Callable[[], Awaitable[None]] = nothing_before) -> bool:
        """Try again, where it could not be opened; whether it is there now, and was not before.

        An older file is brought up to date, after `before`, however long that takes. When that failed, the file is as it was;
        the next try comes after as long a rest as the failed one took. Raises ProblemError(store_newer).
        """
        if self.file is not None or self._opening.locked() or self._clock.steady() < self._not_before:
            return False
        async with self._opening:
            failed = self.trouble if not self.migrating else None
            await self._try(upgrade=False)
            if self.migrating:
                await before()
                await self._upgrade(failed)
        return self.file is not None

    async def close(self) -> None:
        """Commit what is queued and close it; what is being opened is waited for."""
        async with self._opening:
            if self.file is not None:
                await self.file.close()

    async def _upgrade(self, failed: Problem | None) -> None:
        assert self.trouble is not None  # noqa: S101 - for the type checker: `migrating` says so
        values, began = self.trouble.values, self._clock.steady()
        if failed is not None:
            self.trouble = failed  # until it is known to be over
        log.info("store_migrating", found=values["found"], known=values["known"])
        await self._try(upgrade=True)
        took = self._clock.steady() - began
        if self.file is None:
            self._not_before = began + 2 * took
            log.error("store_not_migrated", problem=str(self.trouble))
        else:
            log.info("store_migrated", found=values["found"], known=values["known"], milliseconds=took // 1000)

    async def _try(self, *, upgrade: bool) -> None:
        try:
            self.file, self.trouble = await self._open_file(upgrade=upgrade), None
        except ProblemError as error:
            if error.problems[0].code == "store_newer":
                raise
            self.trouble = error.problems[0]
