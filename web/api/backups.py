"""Backups: those that are kept, and one made now."""

from typing import TypedDict, cast

from litestar import Controller, get, post

from web.api.desk import AtDesk, CallerRequest
from web.api.problems import REFUSALS
from web.guard import administers


class KeptBackup(TypedDict):
    """A backup on the disk."""

    file: str
    made_at: str
    bytes: int


class BackupList(TypedDict):
    """The newest first; `trouble` says why the last try made none."""

    backups: list[KeptBackup]
    trouble: str | None


class MadeBackup(KeptBackup):
    """A backup just made and tried."""

    waiting: int
    bodies: int
    claims: int
    with_key: bool


class BackupsController(Controller):
    """Backups of this agent."""

    path = "/api/v1/backups"
    tags = ("backups",)
    guards = (administers,)

    @get(summary="Backups that are kept", responses=REFUSALS)
    async def kept(self, desk: AtDesk) -> BackupList:
        """The newest first."""
        return cast(BackupList, await desk.control.backups())

    @post(summary="Make a backup", status_code=200, responses=REFUSALS)
    async def make(self, desk: AtDesk, request: CallerRequest) -> MadeBackup:
        """While everything goes on. It counts only once it could be put back, beside."""
        return cast(MadeBackup, await desk.control.back_up(actor=request.user.actor))
