"""People, API tokens and the audit log: who may do what, and who did."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from touchpoints.moment import Micros


class Scope(StrEnum):
    """What an API token may do; each includes the ones before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """An API token as listed: never its value."""

    name: str
    scope: Scope
    created_at: Micros
    last_used_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what."""

    at: Micros
    actor: str
    action: str  # e.g. config.apply, events.replay
    detail: str  # one line, no secret


class People(Protocol):
    """Who may do what, and who did."""

    async def add_token(self, name: str, scope: Scope, digest: bytes, *, now: Micros) -> None:
        """Keep a token by the SHA-256 of its value. Raises ProblemError(token_exists)."""

    async def tokens(self) -> Sequence[ApiToken]:
        """All tokens."""

    async def revoke_token(self, name: str) -> bool:
        """Whether there was one."""

    async def token_by_digest(self, digest: bytes, *, now: Micros) -> ApiToken | None:
        """The token of this digest; notes its use (at most once a minute)."""

    async def set_password(self, person: str, password_hash: str, *, now: Micros) -> None:
        """Keep a person's argon2id hash; adds the person where new, and ends all their sessions."""

    async def remove_person(self, person: str) -> bool:
        """Whether there was one to remove; the last one stays. Ends all their sessions."""

    async def password_hash(self, person: str) -> str | None:
        """A person's argon2id hash."""

    async def persons(self) -> Sequence[str]:
        """Everyone who may sign in."""

    async def audit(self, line: AuditLine) -> None:
        """Write a line; never raises for a full disk: the deed itself has been done."""

    async def audited(self, *, limit: int, before: int | None = None) -> Sequence[tuple[int, AuditLine]]:
        """Newest first, `(number, line)`, paged by number."""
