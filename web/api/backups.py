"""Backups: those that are kept, and one made now."""

from typing import TypedDict, cast

from litestar import Controller, get, post

from web.api.front_desk import AtFrontDesk, CallerRequest
from web.api.problems import REFUSALS
from web.guard import administers


class KeptBackup(TypedDict):
    """A backup on the disk."""

    file: str
    made_at: str
    bytes: int


class BackupList(TypedDict):
    """The newest first; `trouble` says why the last try made none, `restored` of when the backup is that was put back.

    `restored` is null again once somebody has said that it was looked at.
    """

    backups: list[KeptBackup]
    trouble: str | None
    restored: str | None


class MadeBackup(KeptBackup):
    """A backup just made and tried."""

    waiting: int
    bodies: int
    claims: int
    organisations: int
    agents: int
    with_key: bool


class BackupsController(Controller):
    """Backups of this agent, or proxy."""

    path = "/api/v1/backups"
    tags = ("backups",)
    guards = (administers,)

    @get(summary="Backups that are kept", responses=REFUSALS)
    async def kept(self, desk: AtFrontDesk) -> BackupList:
        """The newest first."""
        return cast(BackupList, await desk.safekeeping.told())

    @post(summary="Make a backup", status_code=200, responses=REFUSALS)
    async def make(self, desk: AtFrontDesk, request: CallerRequest) -> MadeBackup:
        """While everything goes on. It counts only once it could be put back, beside."""
        return cast(MadeBackup, await desk.safekeeping.make(actor=request.user.actor))

    @post("/looked", summary="Say that what a restore left was looked at", status_code=200, responses=REFUSALS)
    async def looked(self, desk: AtFrontDesk, request: CallerRequest) -> BackupList:
        """It is told no more. Without effect where nothing is left to be looked at."""
        return cast(BackupList, await desk.safekeeping.looked(actor=request.user.actor))
